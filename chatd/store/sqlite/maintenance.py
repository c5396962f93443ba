"""Checks and copies a database file from outside the server. Works beside a running server.

The functions are synchronous, for the command line. Their connection only reads and never checkpoints, so it can't
disturb the one writer. (SQLite before 3.51.3 can corrupt a log that several connections reset.)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from chatd.store.sqlite.faults import StoreProblem
from chatd.store.sqlite.open import sqlite_errors_explained
from chatd.store.sqlite.schema import back_up, version_of


@contextmanager
def read_only_connection(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can't change the database."""
    if not path.exists():
        raise StoreProblem(f"{path} is not there: is this the right data directory?")
    with sqlite_errors_explained(path):
        uri = f"file:{quote(str(path))}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=4)) as connection:
            connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
            yield connection


def find_problems(path: Path) -> list[str]:
    """What SQLite finds wrong with the file, and rows that refer to missing rows; empty when the file is sound."""
    with read_only_connection(path) as connection:
        version_of(connection, path)
        found = [line for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"]
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    return found + [
        f"row {row} of {table} refers to a row of {parent} that is not there" for table, row, parent, _ in broken
    ]


def copy(path: Path, target: Path) -> Path:
    """Write a compact copy of the database as it is now; return the path of the copy."""
    with read_only_connection(path) as connection:
        return back_up(connection, target)
