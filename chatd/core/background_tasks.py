"""Tasks that belong to no connection and that one client's request starts, such as an event stream over HTTP."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import trio

from chatd.telemetry.log import log
from chatd.telemetry.metrics import CONNECTIONS_FAILED

Task: TypeAlias = Callable[[], Awaitable[None]]


class BackgroundTasks:
    """`start` may be called at any time. The tasks run while `run` does, and are cancelled with it."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[Task](math.inf)

    def start(self, task: Task) -> None:
        self._send.send_nowait(task)

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            async for task in self._receive:
                nursery.start_soon(_guard, task)


async def _guard(task: Task) -> None:
    """A failure of one client's task ends that task only."""
    try:
        await task()
    except Exception as problem:
        report_failed_connection(problem)


def report_failed_connection(problem: BaseException) -> None:
    """Count and log an exception that ended a connection."""
    CONNECTIONS_FAILED.add()
    log.fault("a connection failed", problem)
