"""The database as its callers see it: order, refusals, cancellation, and closing without loss."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import trio
from outcome import Error, Outcome
from sqlalchemy import text

from chatd.store.compiler import prepare
from chatd.store.sqlite.database import IDLE_CHECKPOINT_ROWS, Database, ReadWorker, WriteWorker
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.telemetry.metrics import COMMITS
from protocol.errors import CONFLICT, INTERNAL, UNAVAILABLE, Refusal
from tests.chatd.store.notes import ADD, LIST, SCHEMA, add, refuse
from tests.chatd.store.sqlite.delivered_results import Gate, Results, count

ENDLESS = prepare(text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"))


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


async def test_what_one_round_submits_is_one_batch(path: Path) -> None:
    async with Database.open(path, SCHEMA) as database:
        results = Results()
        before = COMMITS.child().value
        for number in range(10):
            database.submit(add(str(number)), results.done(str(number)))
        assert COMMITS.child().value == before
        assert len(await results.wait(10)) == 10
        assert COMMITS.child().value == before + 1
