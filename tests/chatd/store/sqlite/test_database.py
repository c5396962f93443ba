"""The database as its callers see it: order, refusals, cancellation, and closing without loss."""

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
from chatd.store.sqlite.database import IDLE_CHECKPOINT_ROWS, PROBE_SECONDS, Database, ReadWorker, WriteWorker
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


class Results:
    """The results that were delivered, in order; `wait` waits for a number of them."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self._wanted = 0
        self._event = trio.Event()

    def add(self, result: Any) -> None:
        self.received.append(result)
        if len(self.received) >= self._wanted:
            self._event.set()

    def done(self, name: str) -> Any:
        return lambda result: self.add((name, type(result).__name__))

    async def wait(self, number: int) -> list[Any]:
        self._wanted, self._event = number, trio.Event()
        if len(self.received) < number:
            await self._event.wait()
        return self.received


class Gate:
    """A unit that blocks the connection's thread until `open` is called."""

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


async def test_outcomes_are_delivered_in_commit_order_and_after_batch_is_called_once(database: Database) -> None:
    results = Results()
    database.call_after_batch(lambda: results.add(database.position))
    gate = Gate()
    database.submit(gate, results.done("gate"))
    await gate.entered()
    database.submit(add("a"), results.done("a"))
    database.submit(refuse(Refusal(CONFLICT)), results.done("no"))
    database.submit(add("b"), results.done("b"))
    gate.open()
    assert await results.wait(6) == [("gate", "Value"), 0, ("a", "Value"), ("no", "Error"), ("b", "Value"), 2]


async def test_readers_see_what_was_committed(database: Database) -> None:
    await database.write(add("a"))
    assert await database.read(lambda tx: tx.all(LIST)) == [(1, 1, "a")]


async def test_an_error_in_done_does_not_harm_other_units(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    def bad(_result: Outcome[Any]) -> None:
        raise ZeroDivisionError

    results = Results()
    database.call_after_batch(lambda: bad(Error(ValueError())))
    database.submit(add("a"), bad)
    database.submit(add("b"), results.done("b"))
    assert await results.wait(1) == [("b", "Value")]
    assert await database.write(add("c")) == 3
    assert "ZeroDivisionError" in caplog.text


async def test_a_full_queue_refuses_at_once(path: Path) -> None:
    async with Database.open(path, SCHEMA, queue=2) as database:
        gate, results = Gate(), Results()
        database.submit(gate, results.done("gate"))
        await gate.entered()
        database.submit(add("a"), results.done("a"))
        database.submit(add("b"), results.done("b"))
        with pytest.raises(Refusal) as info:
            database.submit(add("c"), results.done("c"))
        assert info.value.code is UNAVAILABLE
        gate.open()
        assert len(await results.wait(3)) == 3


async def test_a_batch_is_bounded(path: Path) -> None:
    async with Database.open(path, SCHEMA, batch=3) as database:
        gate, results = Gate(), Results()
        database.submit(gate, results.done("gate"))
        await gate.entered()
        database.call_after_batch(lambda: results.add("|"))
        for name in "abcd":
            database.submit(add(name), results.done(name))
        gate.open()
        names = [received[0] for received in await results.wait(8)]
    assert names == ["gate", "|", "a", "b", "c", "|", "d", "|"]


async def test_all_submitted_units_are_done_before_it_closes(path: Path) -> None:
    results = Results()
    with trio.CancelScope() as scope:
        async with Database.open(path, SCHEMA) as database:
            for name in "abc":
                database.submit(add(name), results.done(name))
            database.query(count, results.done("count"))
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert sorted(results.received) == [("a", "Value"), ("b", "Value"), ("c", "Value"), ("count", "Value")]
    with pytest.raises(Refusal):
        database.submit(add("late"), results.done("late"))
    assert not path.with_name("chatd.db-wal").exists()


async def test_numbers_continue_after_it_is_opened_again(path: Path) -> None:
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


async def test_errors_reach_the_caller(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await database.write(refuse(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        await database.read(lambda tx: 1 // 0)


async def test_a_reader_cannot_write(database: Database) -> None:
    def write(tx: ReadTransaction) -> None:
        tx.run(ADD, id=1, position=1, text="x", parent=None)

    with pytest.raises(Refusal) as info:
        await database.read(write)
    assert info.value.code is INTERNAL
    assert await database.read(count) == 0


async def test_a_query_sees_one_state_of_the_database(database: Database) -> None:
    gate = Gate()

    def twice(tx: ReadTransaction) -> tuple[int, int]:
        first = count(tx)
        gate(tx)
        return first, count(tx)

    seen: list[tuple[int, int]] = []

    async def read() -> None:
        seen.append(await database.read(twice))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await gate.entered()
        await database.write(add("a"))
        gate.open()
    assert seen == [(0, 0)]


async def test_a_cancelled_write_that_waits_is_not_run(database: Database) -> None:
    gate, results = Gate(), Results()
    database.submit(gate, results.done("gate"))
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


async def test_a_cancelled_long_read_ends_and_other_queries_succeed(database: Database) -> None:
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


async def test_a_unit_that_waited_behind_a_locked_batch_waits_only_the_rest_of_its_time(path: Path) -> None:
    async with Database.open(path, SCHEMA, busy_seconds=3.0) as database:
        results, waits = Results(), list[float]()
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
            database.submit(add("a"), results.done("a"))
            await trio.to_thread.run_sync(began.wait)
            database.submit(add("b"), results.done("b"))
            database._writes._waiting[0].submitted -= 2.5  # the batch before it has taken that long
            go.set()
            assert await results.wait(2) == [("a", "Error"), ("b", "Error")]
        other.close()
    assert 2.9 < waits[0] <= 3.0
    assert waits[1] <= 0.5


async def test_the_wait_for_a_lock_is_limited_for_all_attempts_of_a_batch(path: Path) -> None:
    """When a batch runs its units again, its wait for the lock continues."""
    async with Database.open(path, SCHEMA, busy_seconds=4.0) as database:
        committer = committer_of(database)
        settings = RecordedStatements(committer)

        def write_and_refuse(tx: Transaction) -> None:
            add("spoilt")(tx)
            committer._deadline = monotonic() + 1.0  # three seconds later
            raise Refusal(CONFLICT)

        with pytest.raises(Refusal):
            await database.write(write_and_refuse)
    waits = [int(sql.split("=")[1]) for sql in settings.seen if "busy_timeout" in sql]
    assert waits[0] == 4000
    assert 900 <= waits[1] <= 1000
    assert max(waits[1:]) <= 1000


class RecordedStatements:
    """Records the statements that a committer runs."""

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


async def test_a_renamed_data_folder_causes_no_error(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with Database.open(path, SCHEMA) as database:
        path.parent.rename(path.parent.with_name("elsewhere"))
        for _ in range(3):
            await database.write(lambda tx: [add("a")(tx) for _ in range(IDLE_CHECKPOINT_ROWS)])
        assert await database.read(count) == 3 * IDLE_CHECKPOINT_ROWS
    assert not caplog.records


@pytest.mark.parametrize("worker", [WriteWorker, ReadWorker])
async def test_a_worker_that_fails_between_batches_is_reported_and_waiting_units_are_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, worker: type[WriteWorker | ReadWorker]
) -> None:
    failed: list[tuple[str, str]] = []
    results, gate = Results(), Gate()

    def fail(_self: Any, _on_done: Any) -> bool:
        raise OSError("the folder is gone")

    monkeypatch.setattr(worker, "start_upkeep", fail)
    async with Database.open(
        path, SCHEMA, readers=1, failed=lambda part, error: failed.append((part, str(error)))
    ) as db:
        submit = db.submit if worker is WriteWorker else db.query
        submit(gate, results.done("gate"))
        await gate.entered()
        submit(count, results.done("waits"))
        gate.open()
        assert await results.wait(2) == [("gate", "Value"), ("waits", "Error")]
        with pytest.raises(Refusal):
            submit(count, results.done("late"))
    assert failed == [("writer" if worker is WriteWorker else "readers", "the folder is gone")]


def problem_of(database: Database) -> str | None:
    return database.problem


async def test_a_failed_batch_sets_the_problem_and_probes_end_it(
    path: Path, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Database.open(path, SCHEMA) as database, trio.open_nursery() as nursery:
        nursery.start_soon(database.keep_probing)
        assert problem_of(database) is None
        before = COMMITS.child().value
        await trio.sleep(100)
        assert COMMITS.child().value == before  # nothing is written while nothing fails
        statements = RecordedStatements(committer_of(database))
        execute, statements.execute = statements.execute, full_disk
        with pytest.raises(Refusal):
            await database.write(add("a"))
        assert problem_of(database) == "database or disk is full"
        attempts = []

        async def refuse_write(unit: Any) -> None:
            attempts.append(unit)
            raise unavailable()

        with monkeypatch.context() as patch:
            patch.setattr(database, "write", refuse_write)
            await trio.sleep(10.5 * PROBE_SECONDS)
        assert attempts == [probe.write] * 10
        assert problem_of(database) == "database or disk is full"
        statements.execute = execute
        while problem_of(database) is not None:  # noqa: ASYNC110
            await trio.sleep(PROBE_SECONDS)
        nursery.cancel_scope.cancel()


async def test_a_committed_event_ends_the_problem(path: Path) -> None:
    async with Database.open(path, SCHEMA) as database:
        statements = RecordedStatements(committer_of(database))
        execute, statements.execute = statements.execute, full_disk
        with pytest.raises(Refusal):
            await database.write(add("a"))
        statements.execute = execute
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


async def test_what_one_round_submits_is_one_batch(path: Path) -> None:
    async with Database.open(path, SCHEMA) as database:
        results = Results()
        before = COMMITS.child().value
        for number in range(10):
            database.submit(add(str(number)), results.done(str(number)))
        assert COMMITS.child().value == before
        assert len(await results.wait(10)) == 10
        assert COMMITS.child().value == before + 1
