"""A bounded queue of jobs before one or more connections. A task of its own serves each connection.

A batch is all that waits when a connection becomes free. It forms while the batch before it runs, so a single job
never waits for others to join it.
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
"""Called with the name of the part that can't go on, and the error."""


class Job:
    """A unit of work, and the function that receives its outcome."""

    __slots__ = ("done", "is_cancelled", "submitted", "unit")

    def __init__(self, unit: Callable[[Any], Any], done: Done) -> None:
        self.unit = unit
        self.done = done
        self.submitted = perf_counter()
        self.is_cancelled = False
        """The caller was cancelled. A reader then ends the unit; the writer finishes it."""


class Worker(Protocol):
    """Runs the jobs of a queue on one connection."""

    async def run(self, jobs: Sequence[Job]) -> Outcomes:
        """Run the jobs on the connection's thread."""

    async def between_batches(self) -> None:
        """Do the work that is due between two batches."""


class WriteQueue:
    """Runs jobs in the order in which they were submitted; the readers' queries wait in such a queue too.

    A worker that can't go on is reported to `failed` under the queue's name. When the last worker has failed, the
    queue refuses all waiting jobs, and every job that is submitted later.
    """

    def __init__(self, name: str, *, queue: int, batch: int, after_batch: Callable[[], None], failed: Failed) -> None:
        self._name = name
        self._failed = failed
        self._waiting: deque[Job] = deque()
        self._max_waiting = queue
        self._max_batch = batch
        self._after_batch = after_batch
        self._idle = trio.lowlevel.ParkingLot()
        self._serving = 0
        self._closing = False
        self._closed = trio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def submit(self, unit: Callable[[Any], Any], done: Done) -> Job:
        """Queue a unit; Refusal (UNAVAILABLE) when too many units wait or the store is closing."""
        if self._closing or len(self._waiting) >= self._max_waiting:
            raise unavailable()
        job = Job(unit, done)
        self._waiting.append(job)
        if self._idle:
            self._idle.unpark()
        return job

    async def submit_and_wait(self, unit: Callable[[Any], Any]) -> Any:
        """Queue a unit and wait for its result.

        When the caller is cancelled, a unit that still waits is not run. A unit that runs is finished first.
        """
        task = trio.lowlevel.current_task()
        cancellations: list[Callable[[], Any]] = []

        def done(result: outcome.Outcome[Any]) -> None:
            if cancellations and isinstance(result, outcome.Error):
                result = outcome.capture(cancellations[0])
            trio.lowlevel.reschedule(task, result)

        def abort(raise_cancel: Callable[[], Any]) -> trio.lowlevel.Abort:
            if self._withdraw(job):
                return trio.lowlevel.Abort.SUCCEEDED
            cancellations.append(raise_cancel)
            return trio.lowlevel.Abort.FAILED

        await trio.lowlevel.checkpoint_if_cancelled()
        job = self.submit(unit, done)
        return await trio.lowlevel.wait_task_rescheduled(abort)

    def _withdraw(self, job: Job) -> bool:
        """Remove a job that has not begun; a reader ends a job that has begun. Return whether it was removed."""
        job.is_cancelled = True
        if job not in self._waiting:
            return False
        self._waiting.remove(job)
        return True

    def serve(self, worker: Worker) -> None:
        """Let a worker run this queue's jobs until the queue is closed."""
        self._serving += 1
        # A system task: no caller's cancellation may prevent the delivery of outcomes after a commit.
        trio.lowlevel.spawn_system_task(self._serve, worker)

    async def close(self) -> None:
        """Refuse new jobs and wait until every accepted job is done."""
        self._closing = True
        self._idle.unpark_all()
        if self._serving:
            await self._closed.wait()

    async def _serve(self, worker: Worker) -> None:
        try:
            await self._serve_until_closed(worker)
        except Exception as problem:
            self._failed(self._name, problem)
        self._serving -= 1
        if not self._serving:
            self._closing = True
            self._refuse_waiting()
            self._closed.set()

    async def _serve_until_closed(self, worker: Worker) -> None:
        while True:
            jobs = self._next_batch()
            if jobs:
                self._deliver(jobs, await _run(worker, jobs))
                await worker.between_batches()
            elif self._closing:
                break
            else:
                await self._idle.park()

    def _refuse_waiting(self) -> None:
        """No worker is left: refuse the jobs that wait. There are none, unless a worker failed."""
        jobs = list(self._waiting)
        self._waiting.clear()
        if jobs:
            self._deliver(jobs, [outcome.Error(unavailable()) for _ in jobs])

    def _next_batch(self) -> Sequence[Job]:
        """The next batch: at most this worker's share of the waiting jobs."""
        waiting = self._waiting
        free = 1 + len(self._idle)
        count = min(self._max_batch, -(-len(waiting) // free))
        return [waiting.popleft() for _ in range(count)]

    def _deliver(self, jobs: Sequence[Job], outcomes: Outcomes) -> None:
        for job, result in zip(jobs, outcomes, strict=True):
            try:
                job.done(result)
            except Exception:
                LOG.exception("the callback of a unit of work failed")
        try:
            self._after_batch()
        except Exception:
            LOG.exception("the callback after a batch failed")


async def _run(worker: Worker, jobs: Sequence[Job]) -> Outcomes:
    try:
        return await worker.run(jobs)
    except Exception:
        LOG.exception("a batch failed as a whole")
        return [outcome.Error(unavailable()) for _ in jobs]
