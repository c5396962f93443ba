"""Rows that wait to be inserted: one statement for many rows costs a third of one statement for each.

The rows are written table by table, in the order in which the tables came into the buffer. A waiting row must not
refer to a row that is written after it. So a table that waiting rows may refer to is never added behind them: the
waiting rows are written first. Waiting rows are also written before a statement reads or changes their tables:
`must_write_before` tells this from the statement's effects.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from chatd.store.prepared import RowInsert
from chatd.store.sqlite.statement_effects import StatementEffects

Row = tuple[Any, ...]


class InsertBuffer:
    """`pending` has the rows of each INSERT. `row_order` has, for each row in the order of arrival, its list."""

    __slots__ = ("_changed", "_connection", "_touched", "names", "pending", "row_order")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.pending: dict[RowInsert, list[Row]] = {}
        self.row_order: list[list[Row]] = []
        self.names: set[object] = set()
        """The names of the rows that have one. A name without its row only costs a look into the tables."""
        self._changed: set[str] = set()
        self._touched: set[str] = set()

    def must_write_before(self, effects: StatementEffects) -> bool:
        """Whether the waiting rows must be written before a statement runs."""
        return not self._changed.isdisjoint(effects.tables) or self.is_affected_by(effects)

    def is_affected_by(self, effects: StatementEffects) -> bool:
        """Whether a statement changes a table that waiting rows go into or refer to."""
        return not self._touched.isdisjoint(effects.changed)

    def add_insert(self, rows: RowInsert, effects: StatementEffects) -> list[Row]:
        """The list for the rows of a new INSERT, behind the others. No waiting row may refer to its table."""
        self._changed |= effects.changed
        self._touched |= effects.tables
        waiting = self.pending[rows] = []
        return waiting

    def truncate(self, length: int) -> None:
        """Remove the newest rows until `length` rows wait."""
        while len(self.row_order) > length:
            self.row_order.pop().pop()

    def write(self) -> None:
        """Write the waiting rows. The buffer is empty after this, also when it raises."""
        inserts = list(self.pending.items())
        self.clear()
        for rows, waiting in inserts:
            self._connection.executemany(rows.sql, waiting)

    def clear(self) -> None:
        self.pending.clear()
        self.row_order.clear()
        self.names.clear()
        self._changed.clear()
        self._touched.clear()
