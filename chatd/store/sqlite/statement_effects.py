"""What a statement reads and changes, as SQLite itself says it.

While SQLite compiles a statement, it asks an *authorizer* for leave to read each column and to change each table and
column: also for what a foreign key's cascade or a trigger does. So a statement is compiled once more (EXPLAIN: it is
not run), with an authorizer that takes notes. That makes the connection compile its other statements anew at their
next use, so it is done once per statement.

What SQLite does not report, chatd's tables do not have: generated columns, and `ON CONFLICT REPLACE` in a table's
definition (a test holds them to that). Of a statement's own `OR REPLACE` its text tells.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from chatd.store.sqlite.prepared import Prepared, Rows

Column = tuple[str, str]
"""A table's name and a column's; the column is empty when only rows are counted."""

HARMLESS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
ROWS = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_DELETE}
ROWID = "ROWID"


@dataclass(frozen=True, eq=False)
class StatementEffects:
    """`updates` has the columns in which rows change, `rows` the tables where rows come or go."""

    reads: frozenset[Column]
    updates: frozenset[Column]
    rows: frozenset[str]
    changed: frozenset[str]
    """Every table in which anything changes ..."""
    tables: frozenset[str]
    """... or is read."""

    def spoils(self, answer: StatementEffects) -> bool:
        """Whether running this can change what the other one has answered."""
        return not self.updates.isdisjoint(answer.reads) or not self.rows.isdisjoint(answer.tables)


def effects_of(connection: sqlite3.Connection, statement: Prepared | Rows) -> StatementEffects:
    """Learn it from the connection's schema. A statement that changes anything but rows is refused by SQLite."""
    notes = _Notes()
    connection.set_authorizer(notes.take)
    try:
        connection.execute(f"EXPLAIN {statement.sql}", statement.blanks).fetchall()
    finally:
        connection.set_authorizer(None)
    return notes.footprint(replaces="REPLACE" in statement.sql.upper())


class _Notes:
    def __init__(self) -> None:
        self.reads: set[Column] = set()
        self.updates: set[Column] = set()
        self.rows: set[str] = set()

    def take(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        """SQLite asks for leave: `first` is a table here, `second` a column."""
        if action == sqlite3.SQLITE_READ:
            self.reads.add((first or "", second or ""))
        elif action == sqlite3.SQLITE_UPDATE:
            self.updates.add((first or "", second or ""))
        elif action in ROWS:
            self.rows.add(first or "")
        elif action not in HARMLESS:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    def footprint(self, *, replaces: bool) -> StatementEffects:
        changed = self.rows | {table for table, _ in self.updates}
        moved = {table for table, column in self.updates if column == ROWID}
        return StatementEffects(
            reads=frozenset(self.reads),
            updates=frozenset(self.updates),
            rows=frozenset(changed if replaces else self.rows | moved),
            changed=frozenset(changed),
            tables=frozenset(changed | {table for table, _ in self.reads}),
        )
