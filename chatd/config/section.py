"""What all sections of the configuration have in common."""

from __future__ import annotations

from msgspec import Struct

KIB, MIB, MINUTE, DAY = 1024, 1024 * 1024, 60.0, 86400.0


class Section(Struct, frozen=True, kw_only=True):
    """One `[section]` of the file; each field is a setting."""
