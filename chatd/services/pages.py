"""Pages of lists.

A service asks the store for one row more than the page has. The extra row shows that more rows exist.

The number of rows and the number of bytes limit a page; it has at least one row. Only the number of rows limits a
numbered page. With a limit of bytes, a row that page 1 leaves out would be on no page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.json import encode

from chatd.services.context import ServiceContext
from protocol.commands import Window
from protocol.model import Page


def page_size(context: ServiceContext, command: Window) -> int:
    """Return the requested number of rows, or the default, up to the limit."""
    max_rows = context.rules.max_page_rows or 2**31
    return min(command.limit or context.rules.default_page_rows, max_rows)


def page_offset(command: Window, limit: int) -> int:
    """Return the number of rows before a numbered page."""
    return ((command.page or 1) - 1) * limit


def make_page(
    context: ServiceContext,
    command: Window,
    limit: int,
    rows: Sequence[Any],
    *,
    ascending: bool,
    total: int | None = None,
) -> Page:
    """Make a page of `rows`, which are in display order and may have one extra row.

    The next page begins at a row of this page. In an ascending list (oldest first), this is the first row, and in a
    descending list the last. With `after`, it is the row at the other end.
    """
    has_more = len(rows) > limit
    forward = command.after is not None
    from_start = forward == ascending  # the extra row is at the end where the next page begins
    kept = tuple(rows[:limit] if from_start else rows[-limit:])
    if command.page is None:
        fitting_rows = _count_fitting(kept if from_start else kept[::-1], context.rules.max_page_bytes)
        has_more = has_more or fitting_rows < len(kept)
        kept = kept[:fitting_rows] if from_start else kept[len(kept) - fitting_rows :]
    if not has_more or not kept:
        return Page(kept, limit, None, command.page, total)
    last = kept[-1] if from_start else kept[0]
    return Page(kept, limit, ("after" if forward else "before", last.ref), command.page, total)


def _count_fitting(rows: Sequence[Any], max_bytes: int) -> int:
    """Count the first rows that fit into `max_bytes` (0: no limit). The first row always fits.

    The size of a row is the size of its JSON. That is about the size in each dialect, and takes half a microsecond.
    """
    if not max_bytes or len(encode(rows)) <= max_bytes:  # with the list's own brackets and commas
        return len(rows)
    size = 0
    for count, row in enumerate(rows):
        size += len(encode(row))
        if size > max_bytes and count:
            return count
    return len(rows)
