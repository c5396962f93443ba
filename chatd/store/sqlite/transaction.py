"""What a unit of work is given: the time, the statements' results, and new ids.

A *unit* is a plain function of a transaction. It may be run more than once (a batch that failed is tried again), so
it must not change anything but the database, and must not keep the transaction or a cursor.

A transaction spares SQLite work that changes nothing of what a unit sees: `recall` asks again only what has changed
since (memory.py), `later` writes rows together (waiting.py). For both it must know what each statement reads and
changes (footprint.py), and see every one that is run on its connection.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from chatd.store.sqlite.insert_buffer import InsertBuffer, Row
from chatd.store.sqlite.prepared import Prepared, Rows
from chatd.store.sqlite.query_cache import CachedQuery, QueryCache
from chatd.store.sqlite.statement_effects import StatementEffects, effects_of

T = TypeVar("T")

POSITION = "position"
"""The sequence of the event log, kept beside the nouns' ids."""


class ReadTransaction:
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

    def cached(self, question: CachedQuery[T], /, *key: Any) -> T | None:
        """What is made of a question's row, by the values of its parameters; None when there is none."""
        row = self.one(question.statement, **dict(zip(question.names, key, strict=True)))
        return None if row is None else question.build(row)


class Transaction(ReadTransaction):
    """A view that can also change the database, and gives out ids."""

    __slots__ = (
        "_answers",
        "_clean",
        "_fault",
        "_footprints",
        "_journal",
        "_lines",
        "_mark",
        "_memory",
        "_version",
        "_waiting",
        "sequences",
    )

    def __init__(self, connection: sqlite3.Connection, sequences: dict[str, int]) -> None:
        super().__init__(connection)
        self.sequences = sequences
        """The last number given out per noun; only the writer puts it back after a failure."""
        self._footprints: dict[Prepared | Rows, StatementEffects] = {}
        self._memory = QueryCache()
        self._answers = self._memory.answers
        self._waiting = InsertBuffer(connection)
        self._lines, self._journal = self._waiting.lines, self._waiting.journal
        self._version = 0
        self._mark = 0
        self._clean = 0
        self._fault: BaseException | None = None  # why waiting rows could not be written, whosever they were

    def run(self, statement: Prepared, /, **params: Any) -> sqlite3.Cursor:
        """Run a statement; the cursor has its rows and `rowcount`."""
        self._heed(statement)
        return super().run(statement, **params)

    def one(self, statement: Prepared, /, **params: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        self._heed(statement)
        return super().one(statement, **params)

    def all(self, statement: Prepared, /, **params: Any) -> list[tuple[Any, ...]]:
        """Every row."""
        self._heed(statement)
        return super().all(statement, **params)

    def many(self, statement: Prepared, rows: Iterable[Mapping[str, Any]], /) -> int:
        """Run a statement once per row of parameters (a third of the cost of doing it one by one); rows changed."""
        constants = statement.constants
        given = [{**constants, **row} for row in rows]
        self._heed(statement)
        return self._connection.executemany(statement.sql, given).rowcount

    def cached(self, question: CachedQuery[T], /, *key: Any) -> T | None:
        """The same, asked only when it was not asked before, or when what it reads has changed since."""
        answers = self._answers.get(question)
        answer: T | None = answers.get(key) if answers else None
        if answer is None:
            answer = super().cached(question, *key)
            if answer is not None:  # what is not there comes with an id that nobody will ask for again
                self._memory.keep(question, key, answer, self._footprint(question.statement))
        return answer

    def insert_later(self, rows: Rows, row: Row, /, name: object = None) -> None:
        """Insert a row before anybody can see that it was not inserted at once: its constraints may fail later."""
        line = self._lines.get(rows)
        if line is None:
            line = self._open_line(rows)
        line.append(row)
        self._journal.append(line)
        if name is not None:
            self._waiting.names.add(name)

    def one_unless(self, name: object, statement: Prepared, /, **params: Any) -> tuple[Any, ...] | None:
        """The first row of a question that only a waiting row of that name could answer otherwise than the tables do.

        `one` would have every row written that waits in the tables that it reads.
        """
        if name in self._waiting.names:
            return self.one(statement, **params)
        return super().one(statement, **params)

    def next_id(self, noun: str) -> int:
        """The next id of a noun: one more than the last, in commit order."""
        value = self.sequences[noun] + 1
        self.sequences[noun] = value
        return value

    def next_position(self) -> int:
        """The next position of the event log."""
        return self.next_id(POSITION)

    # For the engine (batch.py)

    def begun(self) -> None:
        """A transaction has begun: has another program changed the file since the last one?"""
        version = self._lookup("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._memory.forget_all()
            self._footprints.clear()

    def rolled_back(self, sequences: dict[str, int]) -> None:
        """What was changed or waits is as if it had never been."""
        self.sequences = sequences
        self._waiting.clear()
        self._memory.forget_all()
        self._fault = None

    def begin_unit(self) -> None:
        """A unit begins: what waits so far is others'."""
        self._mark = len(self._journal)
        self._clean = self._connection.total_changes

    @property
    def wrote(self) -> bool:
        """Whether the unit has changed something that only a rollback takes back."""
        return self._fault is not None or self._connection.total_changes != self._clean

    def take_back(self, sequences: dict[str, int]) -> None:
        """The unit has failed, and all that it wrote is waiting."""
        self.sequences = sequences
        self._waiting.cut(self._mark)

    def settle(self) -> None:
        """Write what waits. Until a rollback, a failure to do so is said again whenever this is called."""
        if self._fault is None and self._lines:
            self._write()
        if self._fault is not None:
            raise self._fault

    def _write(self) -> None:
        mine = len(self._journal) > self._mark
        before = self._connection.total_changes
        try:
            self._waiting.write()
        except BaseException as error:
            self._fault = error
        if not mine:  # others' rows don't spoil this unit
            self._clean += self._connection.total_changes - before
        self._mark = 0

    def _open_line(self, rows: Rows) -> list[Row]:
        footprint = self._footprint(rows)
        if self._waiting.looks_at(footprint):
            self.settle()
        self._memory.forget(footprint)
        return self._waiting.open(rows, footprint)

    def _heed(self, statement: Prepared) -> None:
        """Before a statement is run: write what it must see, forget what it will change."""
        footprint = self._footprint(statement)
        if self._lines and self._waiting.concerns(footprint):
            self.settle()
        if footprint.changed:
            self._memory.forget(footprint)

    def _footprint(self, statement: Prepared | Rows) -> StatementEffects:
        found = self._footprints.get(statement)
        if found is None:
            found = self._footprints[statement] = effects_of(self._connection, statement)
        return found
