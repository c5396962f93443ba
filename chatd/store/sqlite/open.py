"""What happens to a database file before it is served: found or made, checked, migrated, its connections set up.

Everything that can be wrong with it is said here, as a `StoreProblem`: one line, what and how to mend it.
Runs on the connections' threads.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatd.store.sqlite.batch import Committer
from chatd.store.sqlite.faults import StoreProblem
from chatd.store.sqlite.reader import QueryReader
from chatd.store.sqlite.schema import Schema, bring_up, epoch_of
from chatd.store.sqlite.transaction import POSITION

LOG_BYTES = 64 * 1024 * 1024
"""What the log may grow to before the writer waits for its readers to leave it ..."""
LOG_PAGES = LOG_BYTES // 4096
"""... and the same in pages."""

WRITER = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA wal_autocheckpoint = 0",  # done between batches
    f"PRAGMA journal_size_limit = {LOG_BYTES}",
    "PRAGMA secure_delete = ON",  # what is deleted is gone from the disk
    "PRAGMA foreign_keys = ON",
)
READER = ("PRAGMA wal_autocheckpoint = 0", "PRAGMA query_only = ON")
BOTH = ("PRAGMA trusted_schema = OFF", "PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -16000")


def make_file(path: Path) -> None:
    """Make sure that the folder (0700) and the file (0600) are there and can be written."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreProblem(f"{path} can't be written ({error.strerror}): check its owner, mode and disk") from error
    for name, bits in ((path.parent, "u+rwx"), (path, "u+rw")):
        if not name.stat().st_mode & 0o200:  # root could, but somebody meant it
            raise StoreProblem(f"{name} is read-only: chmod {bits} {name}")


def prepare_writer(
    connection: sqlite3.Connection, path: Path, schema: Schema, synchronous: str
) -> tuple[Committer, str]:
    """Check and migrate the file, and set the writer's connection up; also the database's epoch."""
    with explained(path):
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        bring_up(connection, path, schema)
        for pragma in (*WRITER, *BOTH, f"PRAGMA synchronous = {synchronous}"):
            connection.execute(pragma).fetchall()
        epoch = epoch_of(connection)
        sequences = {POSITION: 0}
        for noun, seed in schema.seeds.items():
            row = connection.execute(seed.sql, seed.constants).fetchone()
            sequences[noun] = row[0] or 0 if row else 0
        return Committer(connection, sequences), epoch


def prepare_reader(connection: sqlite3.Connection) -> QueryReader:
    """Set a reader's connection up."""
    for pragma in (*READER, *BOTH):
        connection.execute(pragma).fetchall()
    return QueryReader(connection)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into StoreProblems."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StoreProblem(f"{path} {_cure(error)}") from error


def _cure(error: sqlite3.DatabaseError) -> str:
    """What is wrong, and how to mend it."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return f"is damaged or not a database ({error}): stop chatd and put a backup in its place"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return f"can't be written ({error}): check its owner, mode and disk"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "is locked by another program: close whatever has it open"
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return f"can't be used ({error}): make room on its disk, or check the disk"
        case _:
            return f"can't be used: {error}"
