"""The two statements for the pages of a query (chatd/store/queries/pages.py)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam


def numbered_pages(query: Select[Any], number: ColumnElement[int]) -> tuple[Select[Any], Select[Any]]:
    """The rows before a number, and the rows after it. The query must not use the parameters `number` and `limit`."""
    limit: BindParameter[int] = bindparam("limit")
    before = query.where(number < bindparam("number")).order_by(number.desc()).limit(limit)
    return before, query.where(number > bindparam("number")).order_by(number).limit(limit)
