"""How long a page of a list is."""

from __future__ import annotations

from chatd.services.work import Work
from protocol.commands import Window


def page_size(work: Work, command: Window) -> int:
    """What was asked for, clamped."""
    most = work.rules.page_most or 2**31
    return min(command.limit or work.rules.page, most)
