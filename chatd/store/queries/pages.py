"""Pages of rows, by the number of a row: the last rows before a number, or the first ones after it."""

from __future__ import annotations

from typing import Any, NamedTuple

from chatd.store.prepared import Prepared
from chatd.store.sqlite.transaction import ReadTransaction


class NumberedPages(NamedTuple):
    """The two statements for the pages of a query."""

    before: Prepared
    after: Prepared

    def read(
        self, tx: ReadTransaction, limit: int, *, before: int, after: int | None, **parameters: Any
    ) -> list[tuple[Any, ...]]:
        """The rows of a page, newest first. `before` counts only without `after`."""
        if after is None:
            return tx.all(self.before, number=before, limit=limit, **parameters)
        return tx.all(self.after, number=after, limit=limit, **parameters)[::-1]
