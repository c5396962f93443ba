"""Rows that wait to be written: one statement for many of them costs a third of one statement each.

They are written table by table, in the order in which the tables came into the line; so a table whose rows could be
what a waiting row refers to never joins the line behind it. What waits is written before anything looks at it or
changes it: `concerns` says of a statement's footprint whether it does.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from chatd.store.sqlite.prepared import Rows
from chatd.store.sqlite.statement_effects import StatementEffects

Row = tuple[Any, ...]


class InsertBuffer:
    """The line: `lines` has the rows of each kind, `journal` for each row in the order of arrival the list it is in."""

    __slots__ = ("_changed", "_connection", "_touched", "journal", "lines", "names")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.lines: dict[Rows, list[Row]] = {}
        self.journal: list[list[Row]] = []
        self.names: set[object] = set()
        """Some rows have one. A name without its row only makes somebody look in the tables."""
        self._changed: set[str] = set()
        self._touched: set[str] = set()

    def concerns(self, footprint: StatementEffects) -> bool:
        """Whether what waits must be written before a statement is run."""
        return not self._changed.isdisjoint(footprint.tables) or self.looks_at(footprint)

    def looks_at(self, footprint: StatementEffects) -> bool:
        """Whether a statement changes something that waiting rows go into, or are held against."""
        return not self._touched.isdisjoint(footprint.changed)

    def open(self, rows: Rows, footprint: StatementEffects) -> list[Row]:
        """Let rows of another kind wait behind those that do, which don't look at them."""
        self._changed |= footprint.changed
        self._touched |= footprint.tables
        line = self.lines[rows] = []
        return line

    def cut(self, length: int) -> None:
        """Take back the rows that came last, down to so many."""
        while len(self.journal) > length:
            self.journal.pop().pop()

    def write(self) -> None:
        """Write what waits; whether that goes well or not, nothing waits then."""
        lines = list(self.lines.items())
        self.clear()
        for rows, line in lines:
            self._connection.executemany(rows.sql, line)

    def clear(self) -> None:
        self.lines.clear()
        self.journal.clear()
        self.names.clear()
        self._changed.clear()
        self._touched.clear()
