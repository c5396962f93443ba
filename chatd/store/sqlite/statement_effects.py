"""What a statement reads and changes, as SQLite itself reports it.

While SQLite compiles a statement, it asks an *authorizer* for permission to read each column and to change each table
and column. It also asks for the effects of a foreign key's cascade and of triggers. So each statement is compiled once
more with an authorizer that records these requests (EXPLAIN: the statement does not run). After that, the connection
compiles its other statements again at their next use, so this is done once per statement.

SQLite does not report generated columns, or `ON CONFLICT REPLACE` in a table's definition. chatd's tables have
neither, and a test checks this. A statement's own `OR REPLACE` is found in its text.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from chatd.store.prepared import Prepared, RowInsert

Column = tuple[str, str]
"""A table's name and a column's name; the column is empty when the statement only counts rows."""

HARMLESS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
INSERT_OR_DELETE = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_DELETE}
ROWID = "ROWID"


@dataclass(frozen=True, eq=False)
class StatementEffects:
    """`updates` has the columns in which rows change, `row_tables` the tables that get or lose rows."""

    reads: frozenset[Column]
    updates: frozenset[Column]
    row_tables: frozenset[str]
    changed: frozenset[str]
    """Every table in which anything changes."""
    tables: frozenset[str]
    """Every table that is changed or read."""

    def invalidates(self, other: StatementEffects) -> bool:
        """Whether this statement may change the result of the other one."""
        return not self.updates.isdisjoint(other.reads) or not self.row_tables.isdisjoint(other.tables)


def effects_of(connection: sqlite3.Connection, statement: Prepared | RowInsert) -> StatementEffects:
    """A statement's effects under the connection's schema. DatabaseError if it changes more than rows."""
    recorder = _AccessRecorder()
    connection.set_authorizer(recorder.authorize)
    try:
        connection.execute(f"EXPLAIN {statement.sql}", statement.null_parameters).fetchall()
    finally:
        connection.set_authorizer(None)
    return recorder.effects(replaces="REPLACE" in statement.sql.upper())


class _AccessRecorder:
    def __init__(self) -> None:
        self.reads: set[Column] = set()
        self.updates: set[Column] = set()
        self.rows: set[str] = set()

    def authorize(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        """SQLite's request for permission. For these actions, `first` is a table and `second` a column."""
        if action == sqlite3.SQLITE_READ:
            self.reads.add((first or "", second or ""))
        elif action == sqlite3.SQLITE_UPDATE:
            self.updates.add((first or "", second or ""))
        elif action in INSERT_OR_DELETE:
            self.rows.add(first or "")
        elif action not in HARMLESS:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    def effects(self, *, replaces: bool) -> StatementEffects:
        changed = self.rows | {table for table, _ in self.updates}
        renumbered = {table for table, column in self.updates if column == ROWID}
        return StatementEffects(
            reads=frozenset(self.reads),
            updates=frozenset(self.updates),
            row_tables=frozenset(changed if replaces else self.rows | renumbered),
            changed=frozenset(changed),
            tables=frozenset(changed | {table for table, _ in self.reads}),
        )
