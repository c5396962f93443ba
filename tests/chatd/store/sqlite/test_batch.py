"""Group commit: the order of units, and what the failure of one unit means for the others."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outcome import Error, Outcome, Value
from sqlalchemy.schema import CreateTable

from chatd.store.sqlite.batch import Committer
from chatd.store.sqlite.queue import Job
from chatd.store.sqlite.transaction import Transaction
from protocol.errors import CONFLICT, INTERNAL, UNAVAILABLE, Refusal
from tests.chatd.store.notes import ADD, LIST, add, metadata, refuse

NO = Refusal(CONFLICT)


OPEN: list[sqlite3.Connection] = []


@pytest.fixture(autouse=True)
def _closed_afterwards() -> Iterator[None]:
    yield
    close_all()


def close_all() -> None:
    while OPEN:
        OPEN.pop().close()


def committer(path: Path | str = ":memory:") -> Committer:
    connection = sqlite3.connect(path, isolation_level=None, timeout=0)
    OPEN.append(connection)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    for table in metadata.sorted_tables:
        connection.execute(str(CreateTable(table, if_not_exists=True)))
    connection.execute("PRAGMA foreign_keys = ON")
    return Committer(connection, {"note": 0, "position": 0})


def run(committer: Committer, *units: Any) -> list[Outcome[Any]]:
    return committer.run([Job(unit, lambda _: None) for unit in units], 1000)


def values(outcomes: list[Outcome[Any]]) -> list[Any]:
    return [o.value if isinstance(o, Value) else _error(o) for o in outcomes]


def _error(o: Outcome[Any]) -> str:
    assert isinstance(o, Error)
    return o.error.code.code if isinstance(o.error, Refusal) else type(o.error).__name__


def stored(committer: Committer) -> list[tuple[int, int, str]]:
    return [tuple(row) for row in committer._connection.execute(LIST.sql)]


def test_units_are_committed_in_their_order() -> None:
    c = committer()
    assert values(run(c, add("a"), add("b"), add("c"))) == [1, 2, 3]
    assert stored(c) == [(1, 1, "a"), (2, 2, "b"), (3, 3, "c")]
    assert c.position == 3


@pytest.mark.parametrize("bad", [refuse(NO), add("bad", fail=NO)], ids=["before writing", "after writing"])
def test_a_failed_unit_harms_only_itself_and_leaves_no_hole(bad: Any) -> None:
    c = committer()
    assert values(run(c, add("a"), bad, add("b"))) == [1, "CONFLICT", 2]
    assert stored(c) == [(1, 1, "a"), (2, 2, "b")]
    assert c.position == 2


def test_a_batch_runs_again_only_when_something_was_written() -> None:
    runs = []

    def counted(tx: Transaction) -> None:
        runs.append(tx.now)

    run(committer(), counted, refuse(NO))
    assert runs == [1000]
    run(committer(), counted, add("bad", fail=NO))
    assert runs == [1000, 1000, 1000]


def test_a_broken_deferred_constraint_harms_only_its_unit(caplog: pytest.LogCaptureFixture) -> None:
    c = committer()
    assert values(run(c, add("a"), add("orphan", parent=99), add("b"))) == [1, "INTERNAL", 2]
    assert stored(c) == [(1, 1, "a"), (2, 2, "b")]
    assert "deferred" in caplog.text


def test_a_programming_error_is_internal_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def wrong(tx: Transaction) -> None:
        tx.run(ADD, id=1, position=1, text=None, parent=None)

    outcomes = run(committer(), wrong, add("a"))
    assert values(outcomes) == ["INTERNAL", 1]
    assert isinstance(outcomes[0], Error)
    assert outcomes[0].error.code is INTERNAL  # type: ignore[attr-defined]
    assert "NOT NULL" in caplog.text


def test_other_errors_reach_the_caller_unchanged() -> None:
    assert values(run(committer(), add("x", fail=KeyError("x")), refuse(SystemExit(3)))) == ["KeyError", "SystemExit"]


def test_locked_by_another_connection_refuses_the_batch_and_recovers(tmp_path: Path) -> None:
    c = committer(tmp_path / "x.db")
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert values(run(c, add("a"), add("b"))) == ["UNAVAILABLE"] * 2
    other.execute("ROLLBACK")
    assert values(run(c, add("c"))) == [1]
    other.close()


def test_disk_full_refuses_the_batch_and_recovers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    c = committer(tmp_path / "x.db")
    run(c, add("a"))
    pages = c._connection.execute("PRAGMA page_count").fetchone()[0]
    c._connection.execute(f"PRAGMA max_page_count = {pages + 1}").fetchall()
    outcomes = run(c, add("b"), add("x" * 20_000), add("c"))
    assert values(outcomes) == ["UNAVAILABLE"] * 3
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
    assert not c._connection.in_transaction
    assert values(run(c, add("d"))) == [2]
    c._connection.execute("PRAGMA max_page_count = 1000").fetchall()
    assert values(run(c, add("x" * 20_000))) == [3]
    assert c.position == 3


class FailingStatements:
    """Records the statements of a committer, and makes chosen ones fail."""

    def __init__(self, c: Committer) -> None:
        self.fail: dict[str, int] = {}
        self.seen: list[str] = []
        self._execute = c._execute
        c._execute = self  # type: ignore[assignment]

    def __call__(self, sql: str) -> Any:
        self.seen.append(sql)
        if sql in self.fail:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = self.fail[sql]
            raise error
        return self._execute(sql)


def test_after_a_failed_fsync_nothing_is_written_until_the_log_is_empty(tmp_path: Path) -> None:
    c = committer(tmp_path / "x.db")
    run(c, add("a"))
    empty = "PRAGMA wal_checkpoint(TRUNCATE)"
    failing = FailingStatements(c)
    failing.fail = {"COMMIT": sqlite3.SQLITE_IOERR_FSYNC, empty: sqlite3.SQLITE_IOERR_FSYNC}
    assert values(run(c, add("b"))) == ["UNAVAILABLE"]
    failing.fail.pop("COMMIT")
    assert values(run(c, add("c"))) == ["UNAVAILABLE"]
    assert "COMMIT" not in failing.seen[failing.seen.index(empty) :]
    failing.fail.clear()
    failing.seen.clear()
    assert values(run(c, add("d"))) == [2]
    assert failing.seen == [empty, "BEGIN IMMEDIATE", "COMMIT"]
    assert stored(c) == [(1, 1, "a"), (2, 2, "d")]


def test_after_a_failed_write_the_next_batch_succeeds(tmp_path: Path) -> None:
    c = committer(tmp_path / "x.db")
    failing = FailingStatements(c)
    failing.fail = {"COMMIT": sqlite3.SQLITE_IOERR_WRITE}
    outcomes = run(c, add("b"), refuse(NO))
    assert values(outcomes) == ["UNAVAILABLE"] * 2
    assert isinstance(outcomes[0], Error)
    assert outcomes[0].error.code is UNAVAILABLE  # type: ignore[attr-defined]
    failing.fail.clear()
    assert values(run(c, add("c"))) == [1]


def test_a_batch_without_writes_does_not_change_the_log(tmp_path: Path) -> None:
    c = committer(tmp_path / "x.db")
    run(c, add("a"))
    log = tmp_path / "x.db-wal"
    size = log.stat().st_size
    run(c, lambda tx: tx.all(LIST), refuse(NO))
    assert log.stat().st_size == size


def test_a_checkpoint_empties_the_log(tmp_path: Path) -> None:
    c = committer(tmp_path / "x.db")
    run(c, *[add("a") for _ in range(50)])
    assert c.changes == 50
    c.trim(max_pages=0)
    assert (c.changes, (tmp_path / "x.db-wal").stat().st_size) == (0, 0)


KINDS = st.sampled_from(["write", "read", "refuse", "write and refuse", "orphan", "sqlite"])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(KINDS, min_size=1, max_size=8), max_size=6))
def test_any_batches_against_a_model(batches: list[list[str]]) -> None:
    """The units that succeed, and only these, are stored in order and numbered without holes."""
    c = committer()
    model: list[tuple[int, int, str]] = []
    units: dict[str, Callable[[str], Any]] = {
        "write": lambda name: add(name),
        "read": lambda name: lambda tx: len(tx.all(LIST)),
        "refuse": lambda name: refuse(NO),
        "write and refuse": lambda name: add(name, fail=NO),
        "orphan": lambda name: add(name, parent=1_000_000),
        "sqlite": lambda name: lambda tx: tx.run(ADD, id=-1, position=None, text=name, parent=None),
    }
    for number, kinds in enumerate(batches):
        outcomes = run(c, *[units[kind](f"{number}.{i}") for i, kind in enumerate(kinds)])
        for i, (kind, got) in enumerate(zip(kinds, values(outcomes), strict=True)):
            if kind == "write":
                model.append((len(model) + 1, len(model) + 1, f"{number}.{i}"))
                assert got == len(model)
            elif kind == "read":
                assert got == len(model)
            else:
                assert got == {"refuse": "CONFLICT", "write and refuse": "CONFLICT"}.get(kind, "INTERNAL")
        assert stored(c) == model
        assert c.position == len(model)
