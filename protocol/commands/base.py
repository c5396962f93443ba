"""What all commands have."""

from __future__ import annotations

from msgspec import Struct

from protocol.ids import Key


class Command(Struct, frozen=True, kw_only=True):
    """Base class of all commands."""

    claimed_user: Key | None = None


class Window(Command, frozen=True, kw_only=True):
    """A request for one page of a list: by cursor (`before`, `after`) or by page number."""

    limit: int | None = None
    before: Key | None = None
    after: Key | None = None
    page: int | None = None
