"""SqliteThread: aiosqlite under Trio, and the internals of aiosqlite that it depends on."""

from __future__ import annotations

import ast
import inspect
import sqlite3
import threading
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path

import pytest
import trio
from aiosqlite import core

from chatd.store.sqlite.gil_yield import GilYield
from chatd.store.sqlite.thread import SqliteThread, Waiter


@pytest.fixture
async def thread(tmp_path: Path) -> AsyncIterator[SqliteThread]:
    async with SqliteThread.for_file(tmp_path / "x.db", GilYield()) as thread:
        assert isinstance(thread, SqliteThread)
        yield thread


def test_aiosqlite_is_the_series_that_sqlite_thread_was_written_for() -> None:
    assert version("aiosqlite").startswith("0.22.")


def test_aiosqlite_uses_asyncio_only_where_sqlite_thread_overrides_it() -> None:
    tree = ast.parse(inspect.getsource(core.Connection))
    users = {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for line in function.body
        if "asyncio." in ast.unparse(line)
    }
    assert users == {"_execute", "_connect", "stop", "iterdump"}
    assert all(name in vars(SqliteThread) for name in users - {"iterdump"})  # chatd does not use iterdump


def test_aiosqlite_uses_no_other_methods_of_a_waiter() -> None:
    source = inspect.getsource(core._connection_worker_thread)
    used = {n.attr for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Attribute)} - {"get", "debug"}
    assert used == {"get_loop", "call_soon_threadsafe"}
    assert "future, function = tx.get()" in source
    assert "if result is _STOP_RUNNING_SENTINEL" in source
    assert list(inspect.signature(core.set_result).parameters) == ["fut", "result"]
    assert {"done", "set_result", "set_exception", "get_loop", "call_soon_threadsafe"} <= set(vars(Waiter))


async def test_the_library_s_own_api_works(thread: SqliteThread) -> None:
    async with thread.execute("SELECT 1 UNION SELECT 2") as cursor:
        assert [row async for row in cursor] == [(1,), (2,)]
    assert [*map(tuple, await thread.execute_fetchall("SELECT 3"))] == [(3,)]


async def test_errors_reach_the_caller(thread: SqliteThread) -> None:
    with pytest.raises(sqlite3.OperationalError, match="nothing"):
        await thread.execute("SELECT * FROM nothing")
    assert [*map(tuple, await thread.execute_fetchall("SELECT 3"))] == [(3,)]


async def test_a_connection_that_cannot_be_opened_raises_and_leaves_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    thread = SqliteThread.for_file(tmp_path / "no" / "x.db", GilYield())
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        await thread
    await trio.to_thread.run_sync(thread._thread.join)
    assert threading.active_count() <= before + 1  # Trio keeps the worker that joined


async def test_a_running_function_ends_before_a_cancelled_caller_goes_on(thread: SqliteThread) -> None:
    ended = False

    def slow() -> None:
        nonlocal ended
        started.set()
        go.wait()
        ended = True

    started, go = threading.Event(), threading.Event()
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(thread.call, slow)
            await trio.to_thread.run_sync(started.wait)
            scope.cancel()
            assert not ended
            go.set()
    assert ended


async def test_a_closed_thread_raises(thread: SqliteThread) -> None:
    await thread.close()
    with pytest.raises(ValueError, match="no active connection"):
        await thread.execute("SELECT 1")


def test_a_result_after_the_end_of_trio_is_dropped(tmp_path: Path) -> None:
    async def abandon() -> SqliteThread:
        thread = SqliteThread.for_file(tmp_path / "x.db", GilYield())
        await thread
        thread._tx.put_nowait((Waiter(), gate.wait))  # type: ignore[arg-type]
        return thread

    gate = threading.Event()
    thread = trio.run(abandon)
    gate.set()
    assert thread.stop() is None
    thread._thread.join(5)
    assert not thread._thread.is_alive()
    assert thread._connection is None
