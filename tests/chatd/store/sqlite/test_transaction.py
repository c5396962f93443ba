"""Waiting rows: a transaction writes inserted rows later, without a difference that a unit could see."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from chatd.store.compiler import prepare_rows
from chatd.store.sqlite.transaction import Transaction
from protocol.errors import CONFLICT, Refusal
from tests.chatd.store.library import (
    ADD_AUTHOR,
    AUTHOR,
    BOOK,
    BOOK_BY_TITLE,
    DELETE_AUTHOR,
    DELETE_BOOK,
    LAST_BOOK,
    LOAN,
    NAMES,
    TITLES,
    books,
)
from tests.chatd.store.sqlite.library_writer import LibraryWriter


def titles(tx: Transaction) -> list[str]:
    return [title for (title,) in tx.all(TITLES)]


def adds(*rows: tuple[int, int, str]) -> Callable[[Transaction], None]:
    def unit(tx: Transaction) -> None:
        for row in rows:
            tx.insert_later(BOOK, row)

    return unit


def test_rows_of_many_units_are_written_before_the_commit(writer: LibraryWriter) -> None:
    writer.run_batch(adds((2, 1, "a")), adds((3, 1, "b"), (4, 1, "c")))
    assert writer.run_batch(titles) == [["Emma", "a", "b", "c"]]
    assert writer.committer.changes == 3
    assert not writer.committer._transaction._row_order


def test_a_query_of_their_table_sees_waiting_rows(writer: LibraryWriter) -> None:
    def add_and_query(tx: Transaction) -> list[str]:
        tx.insert_later(BOOK, (2, 1, "a"))
        tx.insert_later(BOOK, (3, 1, "b"))
        return titles(tx)

    assert writer.run_batch(add_and_query, adds((4, 1, "c")), titles) == [
        ["Emma", "a", "b"],
        None,
        ["Emma", "a", "b", "c"],
    ]


def test_a_query_of_another_table_leaves_rows_waiting(writer: LibraryWriter) -> None:
    def add_and_query(tx: Transaction) -> int:
        writer.statements.clear()
        tx.insert_later(BOOK, (2, 1, "a"))
        tx.all(NAMES)
        return writer.insert_count()

    assert writer.run_batch(add_and_query) == [0]
    assert writer.insert_count() == 1


def test_a_change_of_their_table_finds_waiting_rows(writer: LibraryWriter) -> None:
    def add_and_delete_book(tx: Transaction) -> int:
        tx.insert_later(BOOK, (2, 1, "a"))
        return tx.run(DELETE_BOOK, book=2).rowcount

    assert writer.run_batch(add_and_delete_book, titles) == [1, ["Emma"]]


def test_waiting_rows_are_written_before_a_delete_of_what_they_refer_to(writer: LibraryWriter) -> None:
    def add_and_delete_author(tx: Transaction) -> None:
        tx.insert_later(BOOK, (2, 1, "a"))
        tx.run(DELETE_AUTHOR, author=1)

    assert writer.run_batch(add_and_delete_author, titles) == [None, []]


def test_waiting_rows_are_written_before_an_insert_of_what_they_refer_to(writer: LibraryWriter) -> None:
    def too_early(tx: Transaction) -> None:
        tx.insert_later(BOOK, (2, 2, "a"))
        tx.run(ADD_AUTHOR, new=2, called="Emily")

    assert writer.run_batch(too_early, titles) == ["INTERNAL", ["Emma"]]


def test_rows_are_written_after_the_rows_that_they_refer_to(writer: LibraryWriter) -> None:
    def author_and_book(tx: Transaction) -> None:
        tx.insert_later(BOOK, (2, 1, "a"))
        tx.insert_later(AUTHOR, (2, "Emily"))
        tx.insert_later(BOOK, (3, 2, "b"))
        tx.insert_later(LOAN, (1, 3))

    runs: list[int] = []
    assert writer.run_batch(author_and_book, lambda tx: runs.append(1), titles) == [None, None, ["Emma", "a", "b"]]
    assert runs == [1]  # together: nothing had to be tried again


def test_a_row_that_cannot_be_written_fails_only_its_own_unit(writer: LibraryWriter) -> None:
    outcomes = writer.run_batch(adds((2, 1, "a")), adds((3, 99, "no such author")), adds((4, 1, "b")))
    assert outcomes == [None, "INTERNAL", None]
    assert writer.run_batch(titles) == [["Emma", "a", "b"]]


def test_also_when_the_write_happens_in_another_unit(writer: LibraryWriter, caplog: pytest.LogCaptureFixture) -> None:
    outcomes = writer.run_batch(adds((2, 1, "a")), adds((3, 99, "no such author")), titles, adds((4, 1, "b")))
    assert outcomes == [None, "INTERNAL", ["Emma", "a"], None]
    assert len(caplog.records) == 1


def test_also_when_that_unit_catches_the_error(writer: LibraryWriter) -> None:
    def catch_error(tx: Transaction) -> str:
        try:
            tx.run(ADD_AUTHOR, new=2, called="Emily")
        except sqlite3.IntegrityError:
            return "there is an Emily"
        return "welcome"

    outcomes = writer.run_batch(adds((3, 99, "no such author")), catch_error)
    assert outcomes == ["INTERNAL", "welcome"]


def test_a_unit_that_catches_the_error_of_its_own_row_fails(writer: LibraryWriter) -> None:
    def catch_error(tx: Transaction) -> None:
        tx.insert_later(BOOK, (2, 99, "no such author"))
        with pytest.raises(sqlite3.IntegrityError):
            tx.all(TITLES)

    assert writer.run_batch(catch_error, adds((2, 1, "a"))) == ["INTERNAL", None]
    assert writer.run_batch(titles) == [["Emma", "a"]]


def test_a_value_that_sqlite_cannot_hold_fails_only_its_own_unit(writer: LibraryWriter) -> None:
    assert writer.run_batch(adds((2, 1, "a")), adds((2**70, 1, "b"))) == [None, "OverflowError"]
    assert writer.run_batch(titles) == [["Emma", "a"]]


def test_a_failed_unit_leaves_no_waiting_rows_and_harms_no_other(writer: LibraryWriter) -> None:
    runs: list[int] = []

    def add_and_refuse(tx: Transaction) -> None:
        tx.insert_later(BOOK, (3, 1, "b"))
        tx.insert_later(LOAN, (1, 3))
        raise Refusal(CONFLICT)

    def counted(tx: Transaction) -> None:
        runs.append(1)
        tx.insert_later(BOOK, (2, 1, "a"))

    assert writer.run_batch(counted, add_and_refuse, adds((3, 1, "c"))) == [None, "CONFLICT", None]
    assert writer.run_batch(titles) == [["Emma", "a", "c"]]
    assert runs == [1]


def test_a_unit_that_fails_after_its_rows_were_written_is_undone(writer: LibraryWriter) -> None:
    def add_query_and_refuse(tx: Transaction) -> None:
        tx.insert_later(BOOK, (3, 1, "b"))
        titles(tx)
        raise Refusal(CONFLICT)

    assert writer.run_batch(adds((2, 1, "a")), add_query_and_refuse, adds((4, 1, "c"))) == [None, "CONFLICT", None]
    assert writer.run_batch(titles) == [["Emma", "a", "c"]]


def test_also_when_other_rows_were_written_just_before(writer: LibraryWriter) -> None:
    def query_add_query_and_refuse(tx: Transaction) -> None:
        titles(tx)
        tx.insert_later(BOOK, (3, 1, "b"))
        titles(tx)
        raise Refusal(CONFLICT)

    two = adds((2, 1, "a"), (5, 1, "d"))
    assert writer.run_batch(two, query_add_query_and_refuse, adds((4, 1, "c"))) == [None, "CONFLICT", None]
    assert writer.run_batch(titles) == [["Emma", "a", "c", "d"]]


def test_a_unit_that_fails_after_other_rows_were_written_harms_no_other(writer: LibraryWriter) -> None:
    runs: list[int] = []

    def query_and_refuse(tx: Transaction) -> None:
        runs.append(len(titles(tx)))
        raise Refusal(CONFLICT)

    assert writer.run_batch(adds((2, 1, "a")), query_and_refuse, adds((3, 1, "c")), query_and_refuse) == [
        None,
        "CONFLICT",
        None,
        "CONFLICT",
    ]
    assert runs == [2, 3]
    assert writer.run_batch(titles) == [["Emma", "a", "c"]]


def test_a_cached_result_is_dropped_by_rows_that_join_an_emptied_list(writer: LibraryWriter) -> None:
    def add_and_refuse(tx: Transaction) -> None:
        tx.insert_later(BOOK, (2, 1, "a"))
        raise Refusal(CONFLICT)

    def last(tx: Transaction) -> int | None:
        return tx.cached(LAST_BOOK, 1)

    assert writer.run_batch(add_and_refuse, last, adds((2, 1, "a")), last) == ["CONFLICT", 1, None, 2]


def test_a_full_disk_refuses_the_batch(writer: LibraryWriter) -> None:
    pages = writer.connection.execute("PRAGMA page_count").fetchone()[0]
    writer.connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    assert writer.run_batch(adds((2, 1, "x" * 50_000)), titles) == ["UNAVAILABLE"] * 2
    assert writer.run_batch(adds((2, 1, "x" * 50_000))) == ["UNAVAILABLE"]
    assert writer.run_batch(adds((2, 1, "a")), titles) == [None, ["Emma", "a"]]


def test_a_named_row_is_found_while_it_waits_and_after(writer: LibraryWriter) -> None:
    runs: list[int] = []

    def once(tx: Transaction) -> bool:
        runs.append(1)
        if tx.one_unless_pending("a", BOOK_BY_TITLE, called="a"):
            return False
        tx.insert_later(BOOK, (2, 1, "a"), "a")
        return True

    def refused(tx: Transaction) -> None:
        assert once(tx)
        raise Refusal(CONFLICT)

    assert writer.run_batch(refused, once, once) == ["CONFLICT", True, False]
    assert len(runs) == 3  # together: nothing had to be tried again
    assert writer.run_batch(once) == [False]


def test_a_query_for_another_name_leaves_rows_waiting(writer: LibraryWriter) -> None:
    def other(tx: Transaction) -> object:
        writer.statements.clear()
        tx.insert_later(BOOK, (2, 1, "a"), "a")
        return tx.one_unless_pending("b", BOOK_BY_TITLE, called="b"), writer.insert_count()

    assert writer.run_batch(other) == [(None, 0)]

    def the_same(tx: Transaction) -> object:
        writer.statements.clear()
        tx.insert_later(BOOK, (3, 1, "b"))
        return tx.one_unless_pending("a", BOOK_BY_TITLE, called="a"), writer.insert_count()

    assert writer.run_batch(the_same) == [((2,), 0)]


def test_columns_are_named_in_the_table_s_order() -> None:
    with pytest.raises(TypeError, match=r"\['id', 'title'\]"):
        prepare_rows(books, "title id").sql  # noqa: B018
