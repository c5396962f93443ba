"""Pages of rows, by the number of a row: the last rows before a number, or the first ones after it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam

from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import ReadTransaction


class NumberedPages:
    """The two statements for the pages of a query. The query must not use the parameters `number` and `limit`."""

    def __init__(self, query: Select[Any], number: ColumnElement[int]) -> None:
        limit: BindParameter[int] = bindparam("limit")
        self._before = Prepared(query.where(number < bindparam("number")).order_by(number.desc()).limit(limit))
        self._after = Prepared(query.where(number > bindparam("number")).order_by(number).limit(limit))

    def read(
        self, tx: ReadTransaction, limit: int, *, before: int, after: int | None, **parameters: Any
    ) -> list[tuple[Any, ...]]:
        """The rows of a page, newest first. `before` counts only without `after`."""
        if after is None:
            return tx.all(self._before, number=before, limit=limit, **parameters)
        return tx.all(self._after, number=after, limit=limit, **parameters)[::-1]
