"""Cached results: a query of a transaction runs once, until a change drops its result."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.errors import CONFLICT, Refusal
from tests.chatd.store.library import (
    ADD_BOOK,
    BOOK,
    DELETE_AUTHOR,
    DELETE_BOOK,
    MARK_READ,
    RENAME,
    TITLE_AND_AUTHOR,
)
from tests.chatd.store.sqlite.library_writer import LibraryWriter, title_and_author


def test_a_cached_query_runs_once(writer: LibraryWriter) -> None:
    assert writer.run_batch(title_and_author, title_and_author) == ["Jane by Emma"] * 2
    assert writer.run_batch(title_and_author) == ["Jane by Emma"]
    assert writer.query_count() == 1


def test_a_read_transaction_runs_the_query_every_time(writer: LibraryWriter) -> None:
    read_transaction = ReadTransaction(writer.connection)
    assert title_and_author(read_transaction) == "Jane by Emma"
    writer.connection.execute("UPDATE books SET title = 'Lady Susan'")
    assert title_and_author(read_transaction) == "Jane by Lady Susan"


def test_a_missing_row_is_not_cached(writer: LibraryWriter) -> None:
    assert writer.run_batch(lambda tx: tx.cached(TITLE_AND_AUTHOR, 2)) == [None]
    writer.run_batch(lambda tx: tx.run(ADD_BOOK, new=2, by=1, called="Persuasion") and None)
    assert writer.run_batch(lambda tx: tx.cached(TITLE_AND_AUTHOR, 2)) == ["Jane by Persuasion"]


CHANGES: dict[str, tuple[Callable[[Transaction], object], str | None, bool]] = {
    "a column that is read": (lambda tx: tx.run(RENAME, book=1, called="Emma II").rowcount, "Jane by Emma II", True),
    "a column that is not read": (lambda tx: tx.run(MARK_READ, book=1).rowcount, "Jane by Emma", False),
    "a change through all": (lambda tx: tx.all(RENAME, book=1, called="X"), "Jane by X", True),
    "a change through one": (lambda tx: tx.one(RENAME, book=1, called="X"), "Jane by X", True),
    "a change through many": (lambda tx: tx.many(RENAME, [{"book": 1, "called": "X"}]), "Jane by X", True),
    "a deleted row": (lambda tx: tx.run(DELETE_BOOK, book=1).rowcount, None, True),
    "a row deleted by a cascade": (lambda tx: tx.run(DELETE_AUTHOR, author=1).rowcount, None, True),
    "a new row": (lambda tx: tx.run(ADD_BOOK, new=2, by=1, called="X").rowcount, "Jane by Emma", True),
    "a waiting row": (lambda tx: tx.insert_later(BOOK, (2, 1, "X")), "Jane by Emma", True),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_drops_a_result(writer: LibraryWriter, name: str) -> None:
    change, expected, runs_again = CHANGES[name]
    writer.run_batch(title_and_author)
    writer.query_count()
    assert writer.run_batch(change, title_and_author)[1] == expected
    assert writer.run_batch(title_and_author) == [expected]
    assert (writer.query_count() > 0) is runs_again


def test_a_rollback_of_the_batch_drops_its_results(writer: LibraryWriter) -> None:
    def rename_and_refuse(tx: Transaction) -> None:
        tx.run(RENAME, book=1, called="X")
        assert title_and_author(tx) == "Jane by X"
        raise Refusal(CONFLICT)

    assert writer.run_batch(rename_and_refuse) == ["CONFLICT"]
    assert writer.run_batch(title_and_author) == ["Jane by Emma"]


def test_a_rollback_to_a_savepoint_drops_results(writer: LibraryWriter) -> None:
    def rename_and_refuse(tx: Transaction) -> None:
        tx.run(RENAME, book=1, called="X")
        assert title_and_author(tx) == "Jane by X"
        raise Refusal(CONFLICT)

    assert (
        writer.run_batch(rename_and_refuse, title_and_author, rename_and_refuse, title_and_author)
        == ["CONFLICT", "Jane by Emma"] * 2
    )


def test_a_failed_commit_drops_results(writer: LibraryWriter) -> None:
    def rename(tx: Transaction) -> str | None:
        tx.run(RENAME, book=1, called="X")
        return title_and_author(tx)

    writer.run_batch(title_and_author)
    execute = writer.committer._execute

    def full(sql: str) -> sqlite3.Cursor:
        if sql == "COMMIT":
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return execute(sql)

    writer.committer._execute = full  # type: ignore[assignment]
    assert writer.run_batch(rename) == ["UNAVAILABLE"]
    writer.committer._execute = execute
    assert writer.run_batch(title_and_author) == ["Jane by Emma"]


def test_another_program_s_write_drops_all_results(writer: LibraryWriter) -> None:
    writer.run_batch(title_and_author, lambda tx: tx.run(MARK_READ, book=1).rowcount)
    with closing(sqlite3.connect(writer.path, isolation_level=None)) as other:
        other.execute("UPDATE books SET title = 'X'")
        other.execute("CREATE TRIGGER t AFTER UPDATE OF read ON books BEGIN UPDATE authors SET name = 'Y'; END")
    assert writer.run_batch(title_and_author) == ["Jane by X"]
    writer.run_batch(lambda tx: tx.run(MARK_READ, book=1) and None)
    assert writer.run_batch(title_and_author) == ["Y by X"]


def test_the_number_of_cached_results_is_limited(writer: LibraryWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TITLE_AND_AUTHOR, "max_results", 2)
    writer.run_batch(*[lambda tx, n=n: tx.run(ADD_BOOK, new=n, by=1, called="X") and None for n in (2, 3)])
    writer.run_batch(*[lambda tx, n=n: tx.cached(TITLE_AND_AUTHOR, n) for n in (1, 2, 3)])
    writer.query_count()
    writer.run_batch(lambda tx: tx.cached(TITLE_AND_AUTHOR, 3), title_and_author)
    assert writer.query_count() == 1
