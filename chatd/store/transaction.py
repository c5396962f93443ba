"""What a unit of work is given: the time, the statements' results, and new ids.

A *unit* is a plain function of a transaction. It may be run more than once (a batch that failed is tried again), so
it must not change anything but the database, and must not keep the transaction or a cursor.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from chatd.store.prepared import Prepared

POSITION = "position"
"""The sequence of the event log, kept beside the nouns' ids."""


class Reading:
    """A view of the database as it is at one moment."""

    __slots__ = ("_connection", "_cursor", "_execute", "_lookup", "control", "now")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.now = 0
        """Epoch milliseconds, the same for all units of one batch."""
        self._connection = connection
        self._execute = connection.execute
        self._cursor = connection.cursor()  # one cursor for all short questions: making one costs more than asking
        self._lookup = self._cursor.execute
        self.control = self._cursor.execute
        """BEGIN and its like, for the engine: it also ends what `one` has not read to its end."""

    def run(self, statement: Prepared, /, **params: Any) -> sqlite3.Cursor:
        """Run a statement; the cursor has its rows and `rowcount`."""
        constants = statement.constants
        return self._execute(statement.sql, {**constants, **params} if constants else params)

    def one(self, statement: Prepared, /, **params: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        constants = statement.constants
        self._lookup(statement.sql, {**constants, **params} if constants else params)
        row: tuple[Any, ...] | None = self._cursor.fetchone()
        return row

    def all(self, statement: Prepared, /, **params: Any) -> list[tuple[Any, ...]]:
        """Every row."""
        constants = statement.constants
        self._lookup(statement.sql, {**constants, **params} if constants else params)
        return self._cursor.fetchall()


class Transaction(Reading):
    """A view that can also change the database, and gives out ids."""

    __slots__ = ("sequences",)

    def __init__(self, connection: sqlite3.Connection, sequences: dict[str, int]) -> None:
        super().__init__(connection)
        self.sequences = sequences
        """The last number given out per noun; only the writer puts it back after a failure."""

    def many(self, statement: Prepared, rows: Iterable[Mapping[str, Any]], /) -> int:
        """Run a statement once per row of parameters (a third of the cost of doing it one by one); rows changed."""
        constants = statement.constants
        given = ({**constants, **row} for row in rows) if constants else rows
        return self._connection.executemany(statement.sql, given).rowcount

    def next_id(self, noun: str) -> int:
        """The next id of a noun: one more than the last, in commit order."""
        value = self.sequences[noun] + 1
        self.sequences[noun] = value
        return value

    def next_position(self) -> int:
        """The next position of the event log."""
        return self.next_id(POSITION)
