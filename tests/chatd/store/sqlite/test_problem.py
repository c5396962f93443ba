"""The problem of a database: a failed batch sets it, and a committed batch or a probe ends it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import trio
from outcome import Value

from chatd.store.sqlite import probe
from chatd.store.sqlite.batch import Committer
from chatd.store.sqlite.database import PROBE_SECONDS, Database
from chatd.store.sqlite.faults import unavailable
from chatd.store.sqlite.probe import PROBE_BYTES
from chatd.store.sqlite.queue import Job
from chatd.telemetry.metrics import COMMITS
from protocol.errors import Refusal
from tests.chatd.store.notes import LIST, SCHEMA, add
from tests.chatd.store.sqlite.test_locked_database import RecordedStatements, committer_of


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
