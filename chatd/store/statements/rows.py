"""An INSERT of many rows, as a statement of a noun."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Table


class Rows(NamedTuple):
    """Each row is a tuple of the named columns, in the table's order; other columns are NULL."""

    table: Table
    columns: str
