"""Lists, cut into pages.

A service asks the store for one row more than the page has, which is how it knows whether there is more.

A page is cut by its rows and by its bytes: as many rows as fit, at least one. Numbered pages are cut by rows alone, for
a row that were left out of one would be on none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.json import encode

from chatd.services.context import ServiceContext
from protocol.commands import Window
from protocol.model import Page


def page_size(work: ServiceContext, command: Window) -> int:
    """What was asked for, clamped."""
    most = work.rules.page_most or 2**31
    return min(command.limit or work.rules.page, most)


def offset(command: Window, limit: int) -> int:
    """How many rows come before a numbered page."""
    return ((command.page or 1) - 1) * limit


def cut(
    work: ServiceContext, command: Window, limit: int, rows: Sequence[Any], *, ascending: bool, total: int | None = None
) -> Page:
    """A page of `rows`, which are in the order in which they will be shown and may be one too many.

    Going on from a list that ascends (oldest first) means what comes before its first row, unless the list was asked
    for by `after`; going on from one that descends means what comes before its last row.
    """
    more = len(rows) > limit
    forward = command.after is not None
    from_start = forward == ascending  # the row too many is at the far end of the direction in which we go
    kept = tuple(rows[:limit] if from_start else rows[-limit:])
    if command.page is None:
        fitting = _fitting(kept if from_start else kept[::-1], work.rules.page_bytes)
        more = more or fitting < len(kept)
        kept = kept[:fitting] if from_start else kept[len(kept) - fitting :]
    if not more or not kept:
        return Page(kept, limit, None, command.page, total)
    last = kept[-1] if from_start else kept[0]
    return Page(kept, limit, ("after" if forward else "before", last.ref), command.page, total)


def _fitting(rows: Sequence[Any], most: int) -> int:
    """How many of the first rows make a page of at most so many bytes; the first one always fits. 0 is no limit.

    A row is measured by its own JSON, which is about as long as any dialect's, and takes a microsecond.
    """
    size = 0
    for count, row in enumerate(rows):
        size += len(encode(row))
        if size > most > 0 and count:
            return count
    return len(rows)
