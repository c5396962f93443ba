"""The flusher: at the end of each round of the loop, the broker sends what waits.

In one round, the loop waits for input and then runs every task that can run. So everything that one round publishes
leaves together, without waking a task for it. A task sends only what is too much for one round.

The loop has decided how long it will wait before the flusher runs. So the flusher ends that wait when it has woken a
task: its own, or that of a client that polls or whose socket is full.
"""

from __future__ import annotations

import trio

from chatd.realtime.broker import Broker


class Flusher(trio.abc.Instrument):
    """Flushes a broker while `run` runs."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._has_more = trio.Event()
        self._task_flushes = False
        self._woke_task = False
        self._problem: Exception | None = None

    async def run(self) -> None:
        """Flush until cancelled. The exception of a flush is raised here."""
        self._end_wait = trio.lowlevel.current_trio_token().run_sync_soon
        trio.lowlevel.add_instrument(self)
        try:
            while True:
                await self._has_more.wait()
                if self._problem is not None:
                    raise self._problem
                self._has_more = trio.Event()
                self._task_flushes = True
                while self._broker.flush_some():
                    await trio.lowlevel.checkpoint()
                self._task_flushes = False
        finally:
            trio.lowlevel.remove_instrument(self)

    def before_io_wait(self, timeout: float) -> None:
        """The tasks of this round have run."""
        if self._task_flushes:
            return
        self._woke_task = False
        try:
            if self._broker.flush_some():
                self._has_more.set()
        except Exception as problem:
            self._problem = problem
            self._has_more.set()
        if self._woke_task and timeout > 0:
            self._end_wait(do_nothing)

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        """A task was woken."""
        self._woke_task = True


def do_nothing() -> None:
    """The loop runs it, so it does not wait."""
