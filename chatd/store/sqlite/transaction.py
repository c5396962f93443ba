"""What a unit of work may use: the time, the results of statements, and new ids.

A *unit* is a plain function of a transaction. It may run more than once, because a batch that failed is tried again.
So a unit must change only the database, and must not keep the transaction or a cursor.

A transaction saves SQLite work without a difference that a unit could see. `cached` runs a query again only when its
result may have changed (query_cache.py). `insert_later` writes many rows together (insert_buffer.py). For both, the
transaction must know what each statement reads and changes (statement_effects.py). So every statement on the connection
must run through the transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from chatd.store.prepared import Prepared, RowInsert
from chatd.store.schema import POSITION
from chatd.store.sqlite.insert_buffer import InsertBuffer, Row
from chatd.store.sqlite.query_cache import CachedQuery, QueryCache
from chatd.store.sqlite.statement_effects import StatementEffects, effects_of

T = TypeVar("T")


class ReadTransaction:
    """The database as it is at one moment, for queries."""

    __slots__ = ("_connection", "_cursor", "_execute", "_execute_on_cursor", "control", "now")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.now = 0
        """Epoch milliseconds, the same for all units of one batch."""
        self._connection = connection
        self._execute = connection.execute
        self._cursor = connection.cursor()  # one for all short queries: making a cursor costs more than a query
        self._execute_on_cursor = self._cursor.execute
        self.control = self._cursor.execute
        """For the engine: runs BEGIN, COMMIT and the like. It also ends a query whose rows `one` has not all read."""

    def run(self, statement: Prepared, /, **params: Any) -> sqlite3.Cursor:
        """Run a statement; the cursor has its rows and `rowcount`."""
        constants = statement.constants
        return self._execute(statement.sql, {**constants, **params} if constants else params)

    def one(self, statement: Prepared, /, **params: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        constants = statement.constants
        self._execute_on_cursor(statement.sql, {**constants, **params} if constants else params)
        row: tuple[Any, ...] | None = self._cursor.fetchone()
        return row

    def all(self, statement: Prepared, /, **params: Any) -> list[tuple[Any, ...]]:
        """Every row."""
        constants = statement.constants
        self._execute_on_cursor(statement.sql, {**constants, **params} if constants else params)
        return self._cursor.fetchall()

    def cached(self, query: CachedQuery[T], /, *key: Any) -> T | None:
        """The result of a query for the values of its parameters; None when there is no row."""
        row = self.one(query.statement, **dict(zip(query.parameters, key, strict=True)))
        return None if row is None else query.build(row)


class Transaction(ReadTransaction):
    """A transaction that also changes the database and gives out ids."""

    __slots__ = (
        "_cached_results",
        "_changes_before",
        "_data_version",
        "_effects",
        "_insert_buffer",
        "_insert_error",
        "_pending",
        "_query_cache",
        "_row_order",
        "_unit_start",
        "sequences",
    )

    def __init__(self, connection: sqlite3.Connection, sequences: dict[str, int]) -> None:
        super().__init__(connection)
        self.sequences = sequences
        """The last number given out, per noun. Only the writer sets it back, after a failure."""
        self._effects: dict[Prepared | RowInsert, StatementEffects] = {}
        self._query_cache = QueryCache()
        self._cached_results = self._query_cache.results
        self._insert_buffer = InsertBuffer(connection)
        self._pending, self._row_order = self._insert_buffer.pending, self._insert_buffer.row_order
        self._data_version = 0
        self._unit_start = 0
        self._changes_before = 0
        self._insert_error: BaseException | None = None  # why waiting rows of any unit could not be written

    def run(self, statement: Prepared, /, **params: Any) -> sqlite3.Cursor:
        """Run a statement; the cursor has its rows and `rowcount`."""
        self._prepare_for(statement)
        return super().run(statement, **params)

    def one(self, statement: Prepared, /, **params: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        self._prepare_for(statement)
        return super().one(statement, **params)

    def all(self, statement: Prepared, /, **params: Any) -> list[tuple[Any, ...]]:
        """Every row."""
        self._prepare_for(statement)
        return super().all(statement, **params)

    def many(self, statement: Prepared, rows: Iterable[Mapping[str, Any]], /) -> int:
        """Run a statement once per row of parameters; return how many rows changed.

        It costs a third of running the statement once for each row.
        """
        constants = statement.constants
        parameters = [{**constants, **row} for row in rows]
        self._prepare_for(statement)
        return self._connection.executemany(statement.sql, parameters).rowcount

    def cached(self, query: CachedQuery[T], /, *key: Any) -> T | None:
        """The same; the query runs only when its result is not cached, or what it reads has changed."""
        results = self._cached_results.get(query)
        result: T | None = results.get(key) if results else None
        if result is None:
            result = super().cached(query, *key)
            if result is not None:  # a row that does not exist is seldom asked for again
                self._query_cache.store(query, key, result, self._effects_of(query.statement))
        return result

    def insert_later(self, rows: RowInsert, row: Row, /, name: object = None) -> None:
        """Insert a row before a statement could see that it is missing. Its constraints may fail only then."""
        pending = self._pending.get(rows)
        if pending is None:
            pending = self._open_pending(rows)
        pending.append(row)
        self._row_order.append(pending)
        if name is not None:
            self._insert_buffer.names.add(name)

    def one_unless_pending(self, name: object, statement: Prepared, /, **params: Any) -> tuple[Any, ...] | None:
        """The first row. Of the waiting rows, only one with that name may change the result.

        `one` would first write all waiting rows of the tables that the statement reads.
        """
        if name in self._insert_buffer.names:
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

    @property
    def coming_position(self) -> int:
        """The position that the next event gets."""
        return self.sequences[POSITION] + 1

    # For the engine (batch.py)

    def after_begin(self) -> None:
        """Call after BEGIN: if another program has changed the file since the last transaction, forget all results."""
        version = self._execute_on_cursor("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:
            self._data_version = version
            self._query_cache.clear()
            self._effects.clear()

    def after_rollback(self, sequences: dict[str, int]) -> None:
        """Call after a rollback: waiting rows and cached results are dropped, and the sequences are set back."""
        self.sequences = sequences
        self._insert_buffer.clear()
        self._query_cache.clear()
        self._insert_error = None

    def begin_unit(self) -> None:
        """Call before a unit: the rows that wait now belong to other units."""
        self._unit_start = len(self._row_order)
        self._changes_before = self._connection.total_changes

    @property
    def has_written(self) -> bool:
        """Whether the unit has changed something that only a rollback can undo."""
        return self._insert_error is not None or self._connection.total_changes != self._changes_before

    def drop_unit_rows(self, sequences: dict[str, int]) -> None:
        """Call when a unit failed and all its rows still wait: drop these rows."""
        self.sequences = sequences
        self._insert_buffer.truncate(self._unit_start)

    def flush(self) -> None:
        """Write the waiting rows. After a failure, every call raises the same error until a rollback."""
        if self._insert_error is None and self._pending:
            self._write_pending()
        if self._insert_error is not None:
            raise self._insert_error

    def _write_pending(self) -> None:
        has_own_rows = len(self._row_order) > self._unit_start
        before = self._connection.total_changes
        try:
            self._insert_buffer.write()
        except BaseException as error:
            self._insert_error = error
        if not has_own_rows:  # rows of other units don't count as written by this one
            self._changes_before += self._connection.total_changes - before
        self._unit_start = 0

    def _open_pending(self, rows: RowInsert) -> list[Row]:
        effects = self._effects_of(rows)
        if self._insert_buffer.is_affected_by(effects):
            self.flush()
        self._query_cache.invalidate(effects)
        return self._insert_buffer.add_insert(rows, effects)

    def _prepare_for(self, statement: Prepared) -> None:
        """Call before a statement runs: write the rows that it must see, drop the results that it may change."""
        effects = self._effects_of(statement)
        if self._pending and self._insert_buffer.must_write_before(effects):
            self.flush()
        if effects.changed:
            self._query_cache.invalidate(effects)

    def _effects_of(self, statement: Prepared | RowInsert) -> StatementEffects:
        found = self._effects.get(statement)
        if found is None:
            found = self._effects[statement] = effects_of(self._connection, statement)
        return found
