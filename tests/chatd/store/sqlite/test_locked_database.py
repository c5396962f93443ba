"""The database while another program holds its lock."""

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

from chatd.store.sqlite.batch import Committer
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import Transaction
from protocol.errors import CONFLICT, UNAVAILABLE, Refusal
from tests.chatd.store.notes import SCHEMA, add
from tests.chatd.store.sqlite.delivered_results import Results, count


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
