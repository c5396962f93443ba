"""Prepares a database file before it is served: makes or finds it, checks it, migrates it, sets up its connections.

Whatever is wrong with the file becomes a `StoreProblem` here: one line, what is wrong and what to do.
Runs on the connections' threads.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatd.store.schema import POSITION, Schema
from chatd.store.sqlite.batch import Committer
from chatd.store.sqlite.faults import StoreProblem
from chatd.store.sqlite.reader import QueryReader
from chatd.store.sqlite.schema import create_or_migrate, epoch_of
from chatd.store.sqlite.search_index import SearchIndex

MAX_LOG_BYTES = 64 * 1024 * 1024
"""When the log is larger, the writer waits for its readers to leave it."""
MAX_LOG_PAGES = MAX_LOG_BYTES // 4096
"""The same limit in pages."""

WRITER_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA wal_autocheckpoint = 0",  # the writer makes checkpoints between batches
    f"PRAGMA journal_size_limit = {MAX_LOG_BYTES}",
    "PRAGMA secure_delete = ON",  # deleted content is overwritten on the disk
    "PRAGMA foreign_keys = ON",
)
READER_PRAGMAS = ("PRAGMA wal_autocheckpoint = 0", "PRAGMA query_only = ON")
COMMON_PRAGMAS = ("PRAGMA trusted_schema = OFF", "PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -16000")


def make_file(path: Path) -> None:
    """Make sure that the folder (0700) and the file (0600) are there and can be written."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreProblem(f"{path} can't be written ({error.strerror}): check its owner, mode and disk") from error
    for name, bits in ((path.parent, "u+rwx"), (path, "u+rw")):
        if not name.stat().st_mode & 0o200:  # root could write, but the file's mode is deliberate
            raise StoreProblem(f"{name} is read-only: chmod {bits} {name}")


def prepare_writer(
    connection: sqlite3.Connection, path: Path, schema: Schema, synchronous: str
) -> tuple[Committer, str]:
    """Check and migrate the file and set up the writer's connection; return the committer and the epoch."""
    with sqlite_errors_explained(path):
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        create_or_migrate(connection, path, schema)
        for pragma in (*WRITER_PRAGMAS, *COMMON_PRAGMAS, f"PRAGMA synchronous = {synchronous}"):
            connection.execute(pragma).fetchall()
        epoch = epoch_of(connection)
        sequences = {POSITION: 0}
        for noun, last_number in schema.last_numbers.items():
            row = connection.execute(last_number.sql, last_number.constants).fetchone()
            sequences[noun] = row[0] or 0 if row else 0
        return Committer(connection, sequences), epoch


def prepare_reader(connection: sqlite3.Connection, search: SearchIndex | None) -> QueryReader:
    """Set up a reader's connection, with the search index if there is one."""
    if search is not None:
        connection.execute("ATTACH DATABASE ? AS search", (str(search.path),))
    for pragma in (*READER_PRAGMAS, *COMMON_PRAGMAS):
        connection.execute(pragma).fetchall()
    return QueryReader(connection)


@contextmanager
def sqlite_errors_explained(path: Path) -> Iterator[None]:
    """Raise a StoreProblem in place of SQLite's errors."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StoreProblem(f"{path} {_explanation(error)}") from error


def _explanation(error: sqlite3.DatabaseError) -> str:
    """What is wrong, and what to do."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return f"is damaged or not a database ({error}): stop chatd and put a backup in its place"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return f"can't be written ({error}): check its owner, mode and disk"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "is locked by another program: close the program that has it open"
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return f"can't be used ({error}): free some space on its disk, or check the disk"
        case _:
            return f"can't be used: {error}"
