"""One SQLite connection with a thread of its own, for Trio: aiosqlite with another way to wake the waiting task.

aiosqlite's thread uses three methods of a waiter: `get_loop().call_soon_threadsafe`, `set_result` and
`set_exception`. `Waiter` has them for a Trio task, and `Callback` for a function on the Trio thread. So the library's
thread, queue and whole API stay as they are.
Only `_execute`, `_connect` and `stop` make a waiter; tests/chatd/store/sqlite/test_thread.py fails when a new
aiosqlite makes one elsewhere. (`iterdump` makes one too. It does not work here, and chatd does not use it.)

A function that was passed to the thread always ends before its caller goes on (`Abort.FAILED`). Otherwise, a cancelled
task could leave a connection that is still in use. The reader itself ends a long read (reader.py).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

import outcome
import trio
from aiosqlite import core

from chatd.store.sqlite.gil_yield import GilYield

MAX_CACHED_STATEMENTS = 512  # that a connection keeps compiled; chatd has fewer


class Waiter:
    """Takes the place of aiosqlite's asyncio future. At most one Trio task waits for it."""

    __slots__ = ("_outcome", "_task", "_token")

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._task: trio.lowlevel.Task | None = None
        self._outcome: outcome.Outcome[Any] | None = None

    def get_loop(self) -> Waiter:
        return self

    def call_soon_threadsafe(self, function: Callable[..., Any], *args: Any) -> None:
        with contextlib.suppress(trio.RunFinishedError):  # no task is left that waits
            self._token.run_sync_soon(function, *args)

    def done(self) -> bool:
        return self._outcome is not None

    def set_result(self, value: Any) -> None:
        self._settle(outcome.Value(value))

    def set_exception(self, error: BaseException) -> None:
        self._settle(outcome.Error(error))

    def _settle(self, result: outcome.Outcome[Any]) -> None:
        self._outcome = result
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._wait().__await__()

    async def _wait(self) -> Any:
        if self._outcome is None:
            self._task = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(_cannot_abort)
        assert self._outcome is not None
        return self._outcome.unwrap()


class Callback:
    """Takes the place of aiosqlite's future where no task waits: a function receives the outcome on the Trio thread.

    The function must not raise.
    """

    __slots__ = ("_gil_yield", "_on_outcome", "_token")

    def __init__(
        self,
        token: trio.lowlevel.TrioToken,
        gil_yield: GilYield,
        on_outcome: Callable[[outcome.Outcome[Any]], None],
    ) -> None:
        self._token = token
        self._gil_yield = gil_yield
        self._on_outcome = on_outcome

    def get_loop(self) -> Callback:
        return self

    def call_soon_threadsafe(self, function: Callable[..., Any], *args: Any) -> None:
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(function, *args)

    def done(self) -> bool:
        return False

    def set_result(self, value: Any) -> None:
        self._gil_yield.call_ended()
        self._on_outcome(outcome.Value(value))

    def set_exception(self, error: BaseException) -> None:
        self._gil_yield.call_ended()
        self._on_outcome(outcome.Error(error))


def _cannot_abort(_raise_cancel: Any) -> trio.lowlevel.Abort:
    return trio.lowlevel.Abort.FAILED


class SqliteThread(core.Connection):
    """aiosqlite's connection, awaitable from Trio tasks: `async with SqliteThread.for_file(path, GilYield()) as …`."""

    gil_yield: GilYield
    token: trio.lowlevel.TrioToken

    @classmethod
    def for_file(cls, path: Path | str, gil_yield: GilYield, *, busy_seconds: float = 4.0) -> SqliteThread:
        """A connection to the database file; the caller begins and ends transactions (`isolation_level=None`)."""
        connector = partial(
            sqlite3.connect,
            path,
            timeout=busy_seconds,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=MAX_CACHED_STATEMENTS,
        )
        thread = cls(connector, iter_chunk_size=64)
        thread.gil_yield = gil_yield
        thread.token = trio.lowlevel.current_trio_token()
        return thread

    async def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function on the connection's thread; it may use `sqlite_connection`. Can't be cancelled."""
        self.gil_yield.call_began()
        try:
            return await self._execute(function, *args)
        finally:
            self.gil_yield.call_ended()

    def start(self, function: Callable[[], Any], on_outcome: Callable[[outcome.Outcome[Any]], None]) -> None:
        """Run a function on the connection's thread. `on_outcome` is called on the Trio thread, and must not raise."""
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        self.gil_yield.call_began()
        self._tx.put_nowait((Callback(self.token, self.gil_yield, on_outcome), function))  # type: ignore[arg-type]

    @property
    def sqlite_connection(self) -> sqlite3.Connection:
        """The sqlite3 connection itself, for functions that run on its thread."""
        return self._conn

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        waiter = Waiter()
        self._tx.put_nowait((waiter, partial(fn, *args, **kwargs)))  # type: ignore[arg-type]
        return await waiter

    async def _connect(self) -> SqliteThread:
        if self._connection is None:
            waiter = Waiter()
            self._tx.put_nowait((waiter, self._connector))  # type: ignore[arg-type]
            try:
                self._connection = await waiter
            except BaseException:
                self.stop()
                raise
        return self

    def stop(self) -> Waiter | None:  # type: ignore[override]
        """Close the connection and end its thread. Also works outside Trio, for the garbage collector."""
        self._running = False

        def close_and_stop() -> object:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            return core._STOP_RUNNING_SENTINEL

        waiter = Waiter() if trio.lowlevel.in_trio_run() else None
        self._tx.put_nowait((waiter, close_and_stop))  # type: ignore[arg-type]
        return waiter
