"""The database as its users see it: order, refusals, cancellation, and that closing loses nothing."""

from __future__ import annotations

import gc
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import trio
from outcome import Error, Outcome, Value
from sqlalchemy import text

from chatd.store.sqlite import probe
from chatd.store.sqlite.batch import Committer
from chatd.store.sqlite.database import CHECKPOINT_IDLE, PROBE_SECONDS, Database, ReadingServer, WritingServer
from chatd.store.sqlite.faults import unavailable
from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.probe import PROBE_BYTES
from chatd.store.sqlite.queue import Job
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.telemetry.metrics import COMMITS
from protocol.errors import CONFLICT, INTERNAL, UNAVAILABLE, Refusal
from tests.chatd.store.notes import ADD, COUNT, LIST, SCHEMA, add, refuse

ENDLESS = Prepared(text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"))


def count(tx: ReadTransaction) -> int:
    row = tx.one(COUNT)
    assert row is not None
    return int(row[0])


class Told:
    """What was told, in order; `wait` until it was so much."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self._wanted = 0
        self._event = trio.Event()

    def hear(self, what: Any) -> None:
        self.heard.append(what)
        if len(self.heard) >= self._wanted:
            self._event.set()

    def done(self, name: str) -> Any:
        return lambda result: self.hear((name, type(result).__name__))

    async def wait(self, number: int) -> list[Any]:
        self._wanted, self._event = number, trio.Event()
        if len(self.heard) < number:
            await self._event.wait()
        return self.heard


class Gate:
    """A unit that holds the connection's thread until it is opened."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self._go = threading.Event()

    def __call__(self, _tx: ReadTransaction) -> str:
        self.began.set()
        self._go.wait(10)
        return "through"

    async def entered(self) -> None:
        await trio.to_thread.run_sync(self.began.wait)

    def open(self) -> None:
        self._go.set()


async def test_dones_come_in_commit_order_and_after_batch_once(database: Database) -> None:
    told = Told()
    database.call_after_batch(lambda: told.hear(database.position))
    gate = Gate()
    database.submit(gate, told.done("gate"))
    await gate.entered()
    database.submit(add("a"), told.done("a"))
    database.submit(refuse(Refusal(CONFLICT)), told.done("no"))
    database.submit(add("b"), told.done("b"))
    gate.open()
    assert await told.wait(6) == [("gate", "Value"), 0, ("a", "Value"), ("no", "Error"), ("b", "Value"), 2]


async def test_what_was_told_can_be_read_by_others(database: Database) -> None:
    await database.write(add("a"))
    assert await database.read(lambda tx: tx.all(LIST)) == [(1, 1, "a")]


async def test_a_done_that_raises_harms_nobody(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    def bad(_result: Outcome[Any]) -> None:
        raise ZeroDivisionError

    told = Told()
    database.call_after_batch(lambda: bad(Error(ValueError())))
    database.submit(add("a"), bad)
    database.submit(add("b"), told.done("b"))
    assert await told.wait(1) == [("b", "Value")]
    assert await database.write(add("c")) == 3
    assert "ZeroDivisionError" in caplog.text


async def test_a_full_queue_refuses_at_once(path: Path) -> None:
    async with Database.open(path, SCHEMA, queue=2) as database:
        gate, told = Gate(), Told()
        database.submit(gate, told.done("gate"))
        await gate.entered()
        database.submit(add("a"), told.done("a"))
        database.submit(add("b"), told.done("b"))
        with pytest.raises(Refusal) as info:
            database.submit(add("c"), told.done("c"))
        assert info.value.code is UNAVAILABLE
        gate.open()
        assert len(await told.wait(3)) == 3


async def test_a_batch_is_bounded(path: Path) -> None:
    async with Database.open(path, SCHEMA, batch=3) as database:
        gate, told = Gate(), Told()
        database.submit(gate, told.done("gate"))
        await gate.entered()
        database.call_after_batch(lambda: told.hear("|"))
        for name in "abcd":
            database.submit(add(name), told.done(name))
        gate.open()
        names = [what[0] for what in await told.wait(8)]
    assert names == ["gate", "|", "a", "b", "c", "|", "d", "|"]


async def test_everything_submitted_is_done_before_it_closes(path: Path) -> None:
    told = Told()
    with trio.CancelScope() as scope:
        async with Database.open(path, SCHEMA) as database:
            for name in "abc":
                database.submit(add(name), told.done(name))
            database.query(count, told.done("count"))
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert sorted(told.heard) == [("a", "Value"), ("b", "Value"), ("c", "Value"), ("count", "Value")]
    with pytest.raises(Refusal):
        database.submit(add("late"), told.done("late"))
    assert not path.with_name("chatd.db-wal").exists()


async def test_it_goes_on_counting_after_it_was_opened_again(path: Path) -> None:
    async with Database.open(path, SCHEMA) as database:
        epoch = database.epoch
        for name in "ab":
            await database.write(add(name))
    async with Database.open(path, SCHEMA) as database:
        assert (database.epoch, database.position) == (epoch, 2)
        assert await database.write(add("c")) == 3
        assert database.position == 3


async def test_units_get_the_clock(path: Path) -> None:
    async with Database.open(path, SCHEMA, clock=lambda: 1234) as database:
        assert await database.write(lambda tx: tx.now) == 1234
        assert await database.read(lambda tx: tx.now) == 1234


async def test_errors_reach_the_waiter(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await database.write(refuse(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        await database.read(lambda tx: 1 // 0)


async def test_a_reader_cannot_write(database: Database) -> None:
    def sneak(tx: ReadTransaction) -> None:
        tx.run(ADD, id=1, position=1, text="x", parent=None)

    with pytest.raises(Refusal) as info:
        await database.read(sneak)
    assert info.value.code is INTERNAL
    assert await database.read(count) == 0


async def test_a_reader_sees_one_moment(database: Database) -> None:
    gate = Gate()

    def twice(tx: ReadTransaction) -> tuple[int, int]:
        first = count(tx)
        gate(tx)
        return first, count(tx)

    seen: list[tuple[int, int]] = []

    async def look() -> None:
        seen.append(await database.read(twice))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(look)
        await gate.entered()
        await database.write(add("a"))
        gate.open()
    assert seen == [(0, 0)]


async def test_a_cancelled_write_that_waits_is_not_run(database: Database) -> None:
    gate, told = Gate(), Told()
    database.submit(gate, told.done("gate"))
    await gate.entered()
    with trio.CancelScope() as scope:
        scope.cancel()
        await database.write(add("never"))
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(database.write, add("never"))
            await trio.testing.wait_all_tasks_blocked()
            scope.cancel()
    gate.open()
    assert await database.write(add("a")) == 1
    assert await database.read(count) == 1


async def test_a_cancelled_write_that_runs_is_committed(database: Database) -> None:
    gate = Gate()

    def slow(tx: Transaction) -> int:
        gate(tx)
        return add("a")(tx)

    got: list[int] = []

    async def write() -> None:
        got.append(await database.write(slow))

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            await gate.entered()
            scope.cancel()
            gate.open()
    assert got == [1]


async def test_a_cancelled_long_read_ends_and_its_neighbours_are_answered(database: Database) -> None:
    began = threading.Event()

    def endless(tx: ReadTransaction) -> Any:
        began.set()
        return tx.one(ENDLESS)

    for _ in range(3):
        began.clear()
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(database.read, endless)
                nursery.start_soon(database.read, endless)
                nursery.start_soon(database.read, endless)
                await trio.to_thread.run_sync(began.wait)
                scope.cancel()
        assert scope.cancelled_caught
        assert await database.read(count) == 0


async def test_the_loop_goes_on_while_another_program_holds_the_lock(database: Database, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        with pytest.raises(Refusal) as info:
            await database.write(add("a"))
        assert info.value.code is UNAVAILABLE
        assert await database.read(count) == 0
    other.execute("ROLLBACK")
    other.close()
    assert await database.write(add("a")) == 1


async def test_what_waited_behind_a_locked_batch_does_not_wait_for_the_lock_anew(path: Path) -> None:
    async with Database.open(path, SCHEMA, busy_seconds=3.0) as database:
        told, waits = Told(), list[float]()
        began, go, run = threading.Event(), threading.Event(), Committer.run

        def slow(self: Committer, jobs: Any, now: int, wait: float) -> Any:
            waits.append(wait)
            began.set()
            go.wait(10)
            return run(self, jobs, now, 0.0)

        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Committer, "run", slow)
            database.submit(add("a"), told.done("a"))
            await trio.to_thread.run_sync(began.wait)
            database.submit(add("b"), told.done("b"))
            database._writes._waiting[0].submitted -= 2.5  # the batch before it has taken that long
            go.set()
            assert await told.wait(2) == [("a", "Error"), ("b", "Error")]
        other.close()
    assert 2.9 < waits[0] <= 3.0
    assert waits[1] <= 0.5


async def test_a_lock_is_waited_for_once_however_often_a_batch_begins(path: Path) -> None:
    """The units of a batch that was spoilt are run again; its wait goes on where it was."""
    async with Database.open(path, SCHEMA, busy_seconds=4.0) as database:
        committer = committer_of(database)
        settings = Listening(committer)

        def spoil(tx: Transaction) -> None:
            add("spoilt")(tx)
            committer._until = monotonic() + 1.0  # three seconds later
            raise Refusal(CONFLICT)

        with pytest.raises(Refusal):
            await database.write(spoil)
    waits = [int(sql.split("=")[1]) for sql in settings.seen if "busy_timeout" in sql]
    assert waits[0] == 4000
    assert 900 <= waits[1] <= 1000
    assert max(waits[1:]) <= 1000


class Listening:
    """What a committer says to SQLite."""

    def __init__(self, committer: Committer) -> None:
        self.seen: list[str] = []
        self.execute: Callable[[str], Any] = committer._execute
        committer._execute = self  # type: ignore[assignment]

    def __call__(self, sql: str) -> Any:
        self.seen.append(sql)
        return self.execute(sql)


def committer_of(database: Database) -> Committer:
    found: list[Committer] = [one for one in gc.get_objects() if isinstance(one, Committer) and is_open(one)]
    assert len(found) == 1
    return found[0]


def is_open(committer: Committer) -> bool:
    try:
        committer._connection.total_changes  # noqa: B018
    except sqlite3.ProgrammingError:
        return False
    return True


async def test_a_data_folder_that_is_renamed_harms_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with Database.open(path, SCHEMA) as database:
        path.parent.rename(path.parent.with_name("elsewhere"))
        for _ in range(3):
            await database.write(lambda tx: [add("a")(tx) for _ in range(CHECKPOINT_IDLE)])
        assert await database.read(count) == 3 * CHECKPOINT_IDLE
    assert not caplog.records


@pytest.mark.parametrize("server", [WritingServer, ReadingServer])
async def test_a_server_that_fails_between_two_batches_is_reported_and_what_waits_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, server: type[WritingServer | ReadingServer]
) -> None:
    failed: list[tuple[str, str]] = []
    told, gate = Told(), Gate()

    async def break_down(_self: Any) -> None:
        raise OSError("the folder is gone")

    monkeypatch.setattr(server, "rest", break_down)
    async with Database.open(
        path, SCHEMA, readers=1, failed=lambda *said: failed.append((said[0], str(said[1])))
    ) as db:
        submit = db.submit if server is WritingServer else db.query
        submit(gate, told.done("gate"))
        await gate.entered()
        submit(count, told.done("waits"))
        gate.open()
        assert await told.wait(2) == [("gate", "Value"), ("waits", "Error")]
        with pytest.raises(Refusal):
            submit(count, told.done("late"))
    assert failed == [("writer" if server is WritingServer else "readers", "the folder is gone")]


def problem_of(database: Database) -> str | None:
    return database.problem


async def test_whether_it_can_be_written_to_is_known_from_the_last_batch_and_then_tried(
    path: Path, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Database.open(path, SCHEMA) as database, trio.open_nursery() as nursery:
        nursery.start_soon(database.keep_probing)
        assert problem_of(database) is None
        before = COMMITS.child().value
        await trio.sleep(100)
        assert COMMITS.child().value == before  # nothing is written while nothing fails
        listening = Listening(committer_of(database))
        execute, listening.execute = listening.execute, full_disk
        with pytest.raises(Refusal):
            await database.write(add("a"))
        assert problem_of(database) == "database or disk is full"
        tried = []

        async def in_vain(unit: Any) -> None:
            tried.append(unit)
            raise unavailable()

        with monkeypatch.context() as patch:
            patch.setattr(database, "write", in_vain)
            await trio.sleep(10.5 * PROBE_SECONDS)
        assert tried == [probe.write] * 10
        assert problem_of(database) == "database or disk is full"
        listening.execute = execute
        while problem_of(database) is not None:  # noqa: ASYNC110
            await trio.sleep(PROBE_SECONDS)
        nursery.cancel_scope.cancel()


async def test_an_event_that_is_committed_shows_that_writes_succeed(path: Path) -> None:
    async with Database.open(path, SCHEMA) as database:
        listening = Listening(committer_of(database))
        execute, listening.execute = listening.execute, full_disk
        with pytest.raises(Refusal):
            await database.write(add("a"))
        listening.execute = execute
        await database.write(lambda tx: tx.all(LIST))
        assert problem_of(database) is not None  # reading in the writer shows nothing
        await database.write(add("a"))
        assert problem_of(database) is None


def full_disk(sql: str) -> Any:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error


def test_a_probe_needs_room_on_the_disk_and_leaves_nothing(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON; CREATE TABLE meta (key, value)")
    committer = Committer(connection, {"position": 0})
    log = tmp_path / "x.db-wal"
    before = log.stat().st_size
    assert isinstance(committer.run([Job(probe.write, lambda _: None)], 1000)[0], Value)
    assert log.stat().st_size - before > PROBE_BYTES
    assert connection.execute("SELECT count(*) FROM meta").fetchone() == (0,)
    connection.close()
