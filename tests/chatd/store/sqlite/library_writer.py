"""A committer on the library database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chatd.store.sqlite.batch import Committer
from chatd.store.sqlite.queue import Job
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from tests.chatd.store.library import (
    TITLE_AND_AUTHOR,
    open_library,
)
from tests.chatd.store.sqlite.test_batch import values


class LibraryWriter:
    """A committer on the library database, and a record of the statements that SQLite ran."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = open_library(path)
        self.committer = Committer(self.connection, {"position": 0})
        self.statements: list[str] = []

    def run_batch(self, *units: Callable[[Transaction], object]) -> list[object]:
        """Run a batch of units; return their results."""
        self.connection.set_trace_callback(self.statements.append)
        outcomes = values(self.committer.run([Job(unit, lambda _: None) for unit in units], 1000))
        self.connection.set_trace_callback(None)
        return outcomes

    def query_count(self) -> int:
        """How often TITLE_AND_AUTHOR ran since the last call of this method."""
        found = sum("authors.name" in sql and "JOIN" in sql and "EXPLAIN" not in sql for sql in self.statements)
        self.statements.clear()
        return found

    def insert_count(self) -> int:
        return sum(sql.startswith("INSERT INTO books") for sql in self.statements)


def title_and_author(tx: ReadTransaction) -> str | None:
    return tx.cached(TITLE_AND_AUTHOR, 1)
