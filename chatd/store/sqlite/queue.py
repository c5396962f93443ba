"""A bounded queue of jobs in front of one or more connections, each served by a task of its own.

A batch is whatever waits when a connection becomes free: it forms while the one before it runs, so a lone job never
waits for company.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, Protocol

import outcome
import trio

from chatd.store.sqlite.faults import unavailable

LOG = logging.getLogger(__name__)

Outcomes = list[outcome.Outcome[Any]]
Done = Callable[[outcome.Outcome[Any]], None]
Failed = Callable[[str, Exception], None]
"""Is told which part can't go on, and why."""


class Job:
    """A unit of work and who is to be told how it went."""

    __slots__ = ("done", "hurried", "submitted", "unit")

    def __init__(self, unit: Callable[[Any], Any], done: Done) -> None:
        self.unit = unit
        self.done = done
        self.submitted = perf_counter()
        self.hurried = False
        """Nobody wants the result any more: a reader gives it up, the writer does not."""


class Worker(Protocol):
    """One connection's end of a lane."""

    async def run(self, jobs: Sequence[Job]) -> Outcomes:
        """Do the jobs on the connection's thread."""

    async def rest(self) -> None:
        """Do what can be done between two batches."""


class WriteQueue:
    """First come, first served. Everything but `wait` and `close` is synchronous.

    A server that can't go on is reported to `failed` under the lane's name. When the last one has failed, everything
    that waits is refused, and so is whatever is submitted later.
    """

    def __init__(self, name: str, *, queue: int, batch: int, after_batch: Callable[[], None], failed: Failed) -> None:
        self._name = name
        self._failed = failed
        self._waiting: deque[Job] = deque()
        self._queue = queue
        self._batch = batch
        self._after_batch = after_batch
        self._idle = trio.lowlevel.ParkingLot()
        self._serving = 0
        self._closing = False
        self._closed = trio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def submit(self, unit: Callable[[Any], Any], done: Done) -> Job:
        """Queue a unit, or refuse when too many wait or the store is closing."""
        if self._closing or len(self._waiting) >= self._queue:
            raise unavailable()
        job = Job(unit, done)
        self._waiting.append(job)
        if self._idle:
            self._idle.unpark()
        return job

    async def wait(self, unit: Callable[[Any], Any]) -> Any:
        """Queue a unit and wait for its result. Cancelled while it waits, it is not run; while it runs, it ends."""
        task = trio.lowlevel.current_task()
        giving_up: list[Callable[[], Any]] = []

        def done(result: outcome.Outcome[Any]) -> None:
            if giving_up and isinstance(result, outcome.Error):
                result = outcome.capture(giving_up[0])
            trio.lowlevel.reschedule(task, result)

        def abort(raise_cancel: Callable[[], Any]) -> trio.lowlevel.Abort:
            if self._withdraw(job):
                return trio.lowlevel.Abort.SUCCEEDED
            giving_up.append(raise_cancel)
            return trio.lowlevel.Abort.FAILED

        await trio.lowlevel.checkpoint_if_cancelled()
        job = self.submit(unit, done)
        return await trio.lowlevel.wait_task_rescheduled(abort)

    def _withdraw(self, job: Job) -> bool:
        """Take back a job that has not begun; have a reader end one that has."""
        job.hurried = True
        if job not in self._waiting:
            return False
        self._waiting.remove(job)
        return True

    def serve(self, server: Worker) -> None:
        """Let a connection serve this lane until it is closed."""
        self._serving += 1
        # A system task, since no caller's cancellation may come between a commit and telling of it.
        trio.lowlevel.spawn_system_task(self._serve, server)

    async def close(self) -> None:
        """Refuse new jobs and wait until every job that was taken is done."""
        self._closing = True
        self._idle.unpark_all()
        if self._serving:
            await self._closed.wait()

    async def _serve(self, server: Worker) -> None:
        try:
            await self._serve_until_closed(server)
        except Exception as problem:
            self._failed(self._name, problem)
        self._serving -= 1
        if not self._serving:
            self._closing = True
            self._refuse_waiting()
            self._closed.set()

    async def _serve_until_closed(self, server: Worker) -> None:
        while True:
            jobs = self._take()
            if jobs:
                self._tell(jobs, await _run(server, jobs))
                await server.rest()
            elif self._closing:
                break
            else:
                await self._idle.park()

    def _refuse_waiting(self) -> None:
        """Nothing serves this lane any more: what waits (nothing, unless a server failed) is refused."""
        jobs = list(self._waiting)
        self._waiting.clear()
        if jobs:
            self._tell(jobs, [outcome.Error(unavailable()) for _ in jobs])

    def _take(self) -> Sequence[Job]:
        """The next batch: at most this server's share of what waits."""
        waiting = self._waiting
        free = 1 + len(self._idle)
        count = min(self._batch, -(-len(waiting) // free))
        return [waiting.popleft() for _ in range(count)]

    def _tell(self, jobs: Sequence[Job], outcomes: Outcomes) -> None:
        for job, result in zip(jobs, outcomes, strict=True):
            try:
                job.done(result)
            except Exception:
                LOG.exception("what follows a unit of work failed")
        try:
            self._after_batch()
        except Exception:
            LOG.exception("what follows a batch failed")


async def _run(server: Worker, jobs: Sequence[Job]) -> Outcomes:
    try:
        return await server.run(jobs)
    except Exception:
        LOG.exception("a batch failed as a whole")
        return [outcome.Error(unavailable()) for _ in jobs]
