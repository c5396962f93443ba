"""What a transaction spares SQLite: answers that it remembers, rows that wait; and that nobody can tell."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chatd.store.sqlite import query_cache
from chatd.store.sqlite.batch import Committer
from chatd.store.sqlite.prepared import RowInsert
from chatd.store.sqlite.queue import Job
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.errors import CONFLICT, Refusal
from tests.chatd.store.library import (
    ADD_AUTHOR,
    ADD_BOOK,
    AUTHOR,
    BOOK,
    BURN,
    BURY,
    BY_TITLE,
    LAST,
    LOAN,
    MARK_READ,
    NAMES,
    RENAME,
    SPINE,
    TITLES,
    books,
    library,
)
from tests.chatd.store.sqlite.test_batch import values


class Desk:
    """A writer at the library, and the statements that SQLite was given."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = library(path)
        self.committer = Committer(self.connection, {"position": 0})
        self.seen: list[str] = []

    def does(self, *units: Callable[[Transaction], object]) -> list[object]:
        """What a batch of units comes to."""
        self.connection.set_trace_callback(self.seen.append)
        outcomes = values(self.committer.run([Job(unit, lambda _: None) for unit in units], 1000))
        self.connection.set_trace_callback(None)
        return outcomes

    def asked(self) -> int:
        """How often the spine was asked for, since this was asked last."""
        found = sum("authors.name" in sql and "JOIN" in sql and "EXPLAIN" not in sql for sql in self.seen)
        self.seen.clear()
        return found

    def inserts(self) -> int:
        return sum(sql.startswith("INSERT INTO books") for sql in self.seen)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "x.db")
    yield desk
    desk.connection.close()


def spine(tx: ReadTransaction) -> str | None:
    return tx.cached(SPINE, 1)


# Answers that are remembered


def test_a_question_is_asked_once(desk: Desk) -> None:
    assert desk.does(spine, spine) == ["Jane by Emma"] * 2
    assert desk.does(spine) == ["Jane by Emma"]
    assert desk.asked() == 1


def test_a_reading_asks_every_time(desk: Desk) -> None:
    reading = ReadTransaction(desk.connection)
    assert spine(reading) == "Jane by Emma"
    desk.connection.execute("UPDATE books SET title = 'Lady Susan'")
    assert spine(reading) == "Jane by Lady Susan"


def test_nothing_is_not_remembered(desk: Desk) -> None:
    assert desk.does(lambda tx: tx.cached(SPINE, 2)) == [None]
    desk.does(lambda tx: tx.run(ADD_BOOK, new=2, by=1, called="Persuasion") and None)
    assert desk.does(lambda tx: tx.cached(SPINE, 2)) == ["Jane by Persuasion"]


CHANGES: dict[str, tuple[Callable[[Transaction], object], str | None, bool]] = {
    "a column that is read": (lambda tx: tx.run(RENAME, book=1, called="Emma II").rowcount, "Jane by Emma II", True),
    "a column that is not": (lambda tx: tx.run(MARK_READ, book=1).rowcount, "Jane by Emma", False),
    "the same by another way": (lambda tx: tx.all(RENAME, book=1, called="X"), "Jane by X", True),
    "and by another": (lambda tx: tx.one(RENAME, book=1, called="X"), "Jane by X", True),
    "many": (lambda tx: tx.many(RENAME, [{"book": 1, "called": "X"}]), "Jane by X", True),
    "a row goes": (lambda tx: tx.run(BURN, book=1).rowcount, None, True),
    "a row goes with another": (lambda tx: tx.run(BURY, author=1).rowcount, None, True),
    "a row comes": (lambda tx: tx.run(ADD_BOOK, new=2, by=1, called="X").rowcount, "Jane by Emma", True),
    "a row waits": (lambda tx: tx.insert_later(BOOK, (2, 1, "X")), "Jane by Emma", True),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_forgets_an_answer(desk: Desk, name: str) -> None:
    change, then, asked_again = CHANGES[name]
    desk.does(spine)
    desk.asked()
    assert desk.does(change, spine)[1] == then
    assert desk.does(spine) == [then]
    assert (desk.asked() > 0) is asked_again


def test_a_rollback_of_the_batch_forgets_what_was_learnt_in_it(desk: Desk) -> None:
    def rename_and_refuse(tx: Transaction) -> None:
        tx.run(RENAME, book=1, called="X")
        assert spine(tx) == "Jane by X"
        raise Refusal(CONFLICT)

    assert desk.does(rename_and_refuse) == ["CONFLICT"]
    assert desk.does(spine) == ["Jane by Emma"]


def test_a_rollback_to_a_savepoint_does_too(desk: Desk) -> None:
    def rename_and_refuse(tx: Transaction) -> None:
        tx.run(RENAME, book=1, called="X")
        assert spine(tx) == "Jane by X"
        raise Refusal(CONFLICT)

    assert desk.does(rename_and_refuse, spine, rename_and_refuse, spine) == ["CONFLICT", "Jane by Emma"] * 2


def test_a_commit_that_fails_does_too(desk: Desk) -> None:
    def rename(tx: Transaction) -> str | None:
        tx.run(RENAME, book=1, called="X")
        return spine(tx)

    desk.does(spine)
    execute = desk.committer._execute

    def full(sql: str) -> sqlite3.Cursor:
        if sql == "COMMIT":
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return execute(sql)

    desk.committer._execute = full  # type: ignore[assignment]
    assert desk.does(rename) == ["UNAVAILABLE"]
    desk.committer._execute = execute
    assert desk.does(spine) == ["Jane by Emma"]


def test_another_program_s_write_forgets_everything(desk: Desk) -> None:
    desk.does(spine, lambda tx: tx.run(MARK_READ, book=1).rowcount)
    with closing(sqlite3.connect(desk.path, isolation_level=None)) as other:
        other.execute("UPDATE books SET title = 'X'")
        other.execute("CREATE TRIGGER t AFTER UPDATE OF read ON books BEGIN UPDATE authors SET name = 'Y'; END")
    assert desk.does(spine) == ["Jane by X"]
    desk.does(lambda tx: tx.run(MARK_READ, book=1) and None)
    assert desk.does(spine) == ["Y by X"]


def test_no_more_is_remembered_than_there_is_room_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_cache, "MAX_RESULTS_PER_QUERY", 2)
    desk.does(*[lambda tx, n=n: tx.run(ADD_BOOK, new=n, by=1, called="X") and None for n in (2, 3)])
    desk.does(*[lambda tx, n=n: tx.cached(SPINE, n) for n in (1, 2, 3)])
    desk.asked()
    desk.does(lambda tx: tx.cached(SPINE, 3), spine)
    assert desk.asked() == 1


# Rows that wait


def titles(tx: Transaction) -> list[str]:
    return [title for (title,) in tx.all(TITLES)]


def adds(*rows: tuple[int, int, str]) -> Callable[[Transaction], None]:
    def unit(tx: Transaction) -> None:
        for row in rows:
            tx.insert_later(BOOK, row)

    return unit


def test_rows_of_many_units_are_written_before_the_commit(desk: Desk) -> None:
    desk.does(adds((2, 1, "a")), adds((3, 1, "b"), (4, 1, "c")))
    assert desk.does(titles) == [["Emma", "a", "b", "c"]]
    assert desk.committer.changes == 3
    assert not desk.committer._transaction._row_order


def test_whoever_asks_sees_them(desk: Desk) -> None:
    def add_and_ask(tx: Transaction) -> list[str]:
        tx.insert_later(BOOK, (2, 1, "a"))
        tx.insert_later(BOOK, (3, 1, "b"))
        return titles(tx)

    assert desk.does(add_and_ask, adds((4, 1, "c")), titles) == [["Emma", "a", "b"], None, ["Emma", "a", "b", "c"]]


def test_whoever_asks_for_something_else_leaves_them_waiting(desk: Desk) -> None:
    def add_and_ask(tx: Transaction) -> int:
        desk.seen.clear()
        tx.insert_later(BOOK, (2, 1, "a"))
        tx.all(NAMES)
        return desk.inserts()

    assert desk.does(add_and_ask) == [0]
    assert desk.inserts() == 1


def test_whoever_changes_them_finds_them(desk: Desk) -> None:
    def add_and_burn(tx: Transaction) -> int:
        tx.insert_later(BOOK, (2, 1, "a"))
        return tx.run(BURN, book=2).rowcount

    assert desk.does(add_and_burn, titles) == [1, ["Emma"]]


def test_what_they_refer_to_does_not_go_behind_their_back(desk: Desk) -> None:
    def add_and_bury(tx: Transaction) -> None:
        tx.insert_later(BOOK, (2, 1, "a"))
        tx.run(BURY, author=1)

    assert desk.does(add_and_bury, titles) == [None, []]


def test_what_they_refer_to_does_not_come_behind_their_back(desk: Desk) -> None:
    def too_early(tx: Transaction) -> None:
        tx.insert_later(BOOK, (2, 2, "a"))
        tx.run(ADD_AUTHOR, new=2, called="Emily")

    assert desk.does(too_early, titles) == ["INTERNAL", ["Emma"]]


def test_rows_come_after_those_that_they_refer_to(desk: Desk) -> None:
    def author_and_book(tx: Transaction) -> None:
        tx.insert_later(BOOK, (2, 1, "a"))
        tx.insert_later(AUTHOR, (2, "Emily"))
        tx.insert_later(BOOK, (3, 2, "b"))
        tx.insert_later(LOAN, (1, 3))

    runs: list[int] = []
    assert desk.does(author_and_book, lambda tx: runs.append(1), titles) == [None, None, ["Emma", "a", "b"]]
    assert runs == [1]  # together: nothing had to be tried again


def test_a_row_that_cannot_be_written_is_its_own_unit_s_fault(desk: Desk) -> None:
    outcomes = desk.does(adds((2, 1, "a")), adds((3, 99, "no such author")), adds((4, 1, "b")))
    assert outcomes == [None, "INTERNAL", None]
    assert desk.does(titles) == [["Emma", "a", "b"]]


def test_even_when_another_unit_stumbles_over_it(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    outcomes = desk.does(adds((2, 1, "a")), adds((3, 99, "no such author")), titles, adds((4, 1, "b")))
    assert outcomes == [None, "INTERNAL", ["Emma", "a"], None]
    assert len(caplog.records) == 1


def test_even_when_that_unit_takes_the_error_for_its_own(desk: Desk) -> None:
    def forgiving(tx: Transaction) -> str:
        try:
            tx.run(ADD_AUTHOR, new=2, called="Emily")
        except sqlite3.IntegrityError:
            return "there is an Emily"
        return "welcome"

    outcomes = desk.does(adds((3, 99, "no such author")), forgiving)
    assert outcomes == ["INTERNAL", "welcome"]


def test_a_unit_cannot_forgive_itself(desk: Desk) -> None:
    def forgiving(tx: Transaction) -> None:
        tx.insert_later(BOOK, (2, 99, "no such author"))
        with pytest.raises(sqlite3.IntegrityError):
            tx.all(TITLES)

    assert desk.does(forgiving, adds((2, 1, "a"))) == ["INTERNAL", None]
    assert desk.does(titles) == [["Emma", "a"]]


def test_a_value_that_sqlite_cannot_hold_is_its_own_unit_s_fault(desk: Desk) -> None:
    assert desk.does(adds((2, 1, "a")), adds((2**70, 1, "b"))) == [None, "OverflowError"]
    assert desk.does(titles) == [["Emma", "a"]]


def test_a_unit_that_fails_leaves_nothing_waiting_and_spoils_nothing(desk: Desk) -> None:
    runs: list[int] = []

    def add_and_refuse(tx: Transaction) -> None:
        tx.insert_later(BOOK, (3, 1, "b"))
        tx.insert_later(LOAN, (1, 3))
        raise Refusal(CONFLICT)

    def counted(tx: Transaction) -> None:
        runs.append(1)
        tx.insert_later(BOOK, (2, 1, "a"))

    assert desk.does(counted, add_and_refuse, adds((3, 1, "c"))) == [None, "CONFLICT", None]
    assert desk.does(titles) == [["Emma", "a", "c"]]
    assert runs == [1]


def test_a_unit_that_fails_after_its_rows_were_written_is_taken_back(desk: Desk) -> None:
    def add_ask_and_refuse(tx: Transaction) -> None:
        tx.insert_later(BOOK, (3, 1, "b"))
        titles(tx)
        raise Refusal(CONFLICT)

    assert desk.does(adds((2, 1, "a")), add_ask_and_refuse, adds((4, 1, "c"))) == [None, "CONFLICT", None]
    assert desk.does(titles) == [["Emma", "a", "c"]]


def test_even_when_others_were_written_just_before(desk: Desk) -> None:
    def ask_add_ask_and_refuse(tx: Transaction) -> None:
        titles(tx)
        tx.insert_later(BOOK, (3, 1, "b"))
        titles(tx)
        raise Refusal(CONFLICT)

    two = adds((2, 1, "a"), (5, 1, "d"))
    assert desk.does(two, ask_add_ask_and_refuse, adds((4, 1, "c"))) == [None, "CONFLICT", None]
    assert desk.does(titles) == [["Emma", "a", "c", "d"]]


def test_a_unit_that_fails_after_it_had_others_rows_written_spoils_nothing(desk: Desk) -> None:
    runs: list[int] = []

    def ask_and_refuse(tx: Transaction) -> None:
        runs.append(len(titles(tx)))
        raise Refusal(CONFLICT)

    assert desk.does(adds((2, 1, "a")), ask_and_refuse, adds((3, 1, "c")), ask_and_refuse) == [
        None,
        "CONFLICT",
        None,
        "CONFLICT",
    ]
    assert runs == [2, 3]
    assert desk.does(titles) == [["Emma", "a", "c"]]


def test_an_answer_is_not_remembered_over_a_line_whose_rows_were_taken_back(desk: Desk) -> None:
    def add_and_refuse(tx: Transaction) -> None:
        tx.insert_later(BOOK, (2, 1, "a"))
        raise Refusal(CONFLICT)

    def last(tx: Transaction) -> int | None:
        return tx.cached(LAST, 1)

    assert desk.does(add_and_refuse, last, adds((2, 1, "a")), last) == ["CONFLICT", 1, None, 2]


def test_a_disk_that_is_full_refuses_the_batch(desk: Desk) -> None:
    pages = desk.connection.execute("PRAGMA page_count").fetchone()[0]
    desk.connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    assert desk.does(adds((2, 1, "x" * 50_000)), titles) == ["UNAVAILABLE"] * 2
    assert desk.does(adds((2, 1, "x" * 50_000))) == ["UNAVAILABLE"]
    assert desk.does(adds((2, 1, "a")), titles) == [None, ["Emma", "a"]]


def test_a_named_row_is_found_while_it_waits_and_after(desk: Desk) -> None:
    runs: list[int] = []

    def once(tx: Transaction) -> bool:
        runs.append(1)
        if tx.one_unless_pending("a", BY_TITLE, called="a"):
            return False
        tx.insert_later(BOOK, (2, 1, "a"), "a")
        return True

    def refused(tx: Transaction) -> None:
        assert once(tx)
        raise Refusal(CONFLICT)

    assert desk.does(refused, once, once) == ["CONFLICT", True, False]
    assert len(runs) == 3  # together: nothing had to be tried again
    assert desk.does(once) == [False]


def test_an_unnamed_question_leaves_them_waiting(desk: Desk) -> None:
    def other(tx: Transaction) -> object:
        desk.seen.clear()
        tx.insert_later(BOOK, (2, 1, "a"), "a")
        return tx.one_unless_pending("b", BY_TITLE, called="b"), desk.inserts()

    assert desk.does(other) == [(None, 0)]

    def the_same(tx: Transaction) -> object:
        desk.seen.clear()
        tx.insert_later(BOOK, (3, 1, "b"))
        return tx.one_unless_pending("a", BY_TITLE, called="a"), desk.inserts()

    assert desk.does(the_same) == [((2,), 0)]


def test_columns_are_named_in_the_table_s_order() -> None:
    with pytest.raises(TypeError, match=r"\['id', 'title'\]"):
        RowInsert(books, "title id").sql  # noqa: B018
