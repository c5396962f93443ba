"""A bounded queue of jobs before one or more connections.

A batch begins at the end of a round of the loop, with all that waits when a connection is free. So the messages that
were read in one round are committed together, and a single job waits for no other. While a batch runs, the next one
forms; it begins as soon as the results of the batch before it are delivered.

No task is woken for a batch: `start_waiting` and the thread's callback are plain calls on the Trio thread.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
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

    def start(self, jobs: Sequence[Job], on_outcomes: Callable[[Outcomes], None]) -> None:
        """Run the jobs on the connection's thread. `on_outcomes` is called later, on the Trio thread."""

    def start_upkeep(self, on_done: Callable[[], None]) -> bool:
        """Begin the work that is due between two batches; return whether there is any. `on_done` is called later."""


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
        self._idle: list[Worker] = []
        self._workers = 0
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

    def add_worker(self, worker: Worker) -> None:
        """Let a worker run this queue's jobs until the queue is closed."""
        self._workers += 1
        self._idle.append(worker)

    async def close(self) -> None:
        """Refuse new jobs and wait until every accepted job is done."""
        self._closing = True
        if self._waiting or len(self._idle) < self._workers:
            await self._closed.wait()

    def start_waiting(self) -> None:
        """Give the idle workers what waits. Call it at the end of each round of the loop. It wakes no task."""
        while self._waiting and self._idle:
            self._start(self._idle.pop())

    def _start(self, worker: Worker) -> None:
        jobs = self._next_batch()
        try:
            worker.start(jobs, partial(self._finish, worker, jobs))
        except Exception as problem:
            token = trio.lowlevel.current_trio_token()
            token.run_sync_soon(self._finish, worker, jobs, refused_batch(jobs, problem))

    def _finish(self, worker: Worker, jobs: Sequence[Job], outcomes: Outcomes) -> None:
        """A batch has run: deliver its outcomes, and let the worker go on."""
        try:
            self._deliver(jobs, outcomes)
            if not worker.start_upkeep(partial(self._go_on, worker)):
                self._go_on(worker)
        except Exception as problem:
            self._remove(worker, problem)

    def _go_on(self, worker: Worker) -> None:
        """The worker is free."""
        if self._waiting:
            self._start(worker)
            return
        self._idle.append(worker)
        if self._closing and len(self._idle) == self._workers:
            self._closed.set()

    def _remove(self, worker: Worker, problem: Exception) -> None:
        """The worker can't go on."""
        self._failed(self._name, problem)
        self._workers -= 1
        if not self._workers:
            self._closing = True
            jobs = list(self._waiting)
            self._waiting.clear()
            self._deliver(jobs, [outcome.Error(unavailable()) for _ in jobs])
            self._closed.set()

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


def refused_batch(jobs: Sequence[Job], problem: BaseException) -> Outcomes:
    """The outcomes of a batch that the connection's thread could not run."""
    LOG.error("a batch failed as a whole", exc_info=problem)
    return [outcome.Error(unavailable()) for _ in jobs]


class BatchStarter(trio.abc.Instrument):
    """Starts what waits in some queues at the end of each round of the loop."""

    def __init__(self, *queues: WriteQueue) -> None:
        self._queues = queues

    def before_io_wait(self, timeout: float) -> None:
        for queue in self._queues:
            queue.start_waiting()
