"""The database: one writer with group commit, two readers, one file.

    submit(unit, done) ─→ lane ─→ writer's thread: BEGIN, units, COMMIT (fsync) ─→ dones, after_batch
    query(unit, done)  ─→ lane ─→ a reader's thread ────────────────────────────→ dones, after_batch

`done` is called on the Trio thread, in commit order, after the fsync, with the unit's outcome. A unit that has been
answered with a value is on the disk; one that has been answered UNAVAILABLE is not in the database.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

import outcome
import trio

from chatd.callback import wait_for_callback
from chatd.store.sqlite import probe
from chatd.store.sqlite.batch import Committer
from chatd.store.sqlite.gil_yield import GilYield
from chatd.store.sqlite.lock import locked
from chatd.store.sqlite.open import LOG_PAGES, make_file, prepare_reader, prepare_writer
from chatd.store.sqlite.queue import Failed, Job, Outcomes, WriteQueue
from chatd.store.sqlite.reader import QueryReader
from chatd.store.sqlite.schema import Schema
from chatd.store.sqlite.thread import SqliteThread
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.telemetry.metrics import COMMIT_SECONDS, COMMIT_UNITS, COMMITS, WRITES_FAILED
from protocol.errors import UNAVAILABLE, Refusal

LOG = logging.getLogger(__name__)

T = TypeVar("T")

READ_BATCH = 16  # queries in one hop: more would make a short one wait for many
READERS = 2  # more lose to the GIL
CHECKPOINT_IDLE = 1_000  # changed rows after which the log is copied when nobody waits ...
CHECKPOINT_BUSY = 16_000  # ... and whoever waits
PROBE_SECONDS = 2.0  # between two writes that try whether the database can be written to again


def wall_clock() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


class WritingServer:
    """The writer: commits batches, and copies the log into the database file between them."""

    def __init__(self, database: Database, link: SqliteThread, committer: Committer) -> None:
        self._database = database
        self._link = link
        self._committer = committer

    async def run(self, jobs: Sequence[Job]) -> Outcomes:
        began = time.perf_counter()
        wait = max(0.0, self._database.busy_seconds - (began - jobs[0].submitted))  # the first is the oldest
        outcomes: Outcomes = await self._link.hop(self._committer.run, jobs, self._database.clock(), wait)
        self._database.committed(self._committer.position, self._committer.problem)
        COMMITS.add()
        COMMIT_UNITS.observe(len(jobs))
        COMMIT_SECONDS.observe(time.perf_counter() - began)
        if isinstance(outcomes[0], outcome.Error):  # when the disk fails, it fails for all of them
            WRITES_FAILED.add(amount=sum(is_unavailable(one) for one in outcomes))
        return outcomes

    async def rest(self) -> None:
        limit = CHECKPOINT_BUSY if self._database.waiting else CHECKPOINT_IDLE
        if self._committer.changes >= limit:
            await self._link.hop(self._committer.trim, LOG_PAGES)


class ReadingServer:
    """A reader."""

    def __init__(self, database: Database, link: SqliteThread, reader: QueryReader) -> None:
        self._database = database
        self._link = link
        self._reader = reader

    async def run(self, jobs: Sequence[Job]) -> Outcomes:
        outcomes: Outcomes = await self._link.hop(self._reader.run, jobs, self._database.clock())
        return outcomes

    async def rest(self) -> None:
        """Nothing to do."""


class Database:
    """Made by `Database.open`."""

    def __init__(self, path: Path, *, batch: int, queue: int, clock: Callable[[], int], failed: Failed) -> None:
        self.path = path
        self.clock = clock
        self.epoch = ""
        """UUID of this database: positions mean something only together with it."""
        self.position = 0
        """The last committed position; at a `done`, everything up to it has been committed."""
        self.after_batch: Callable[[], None] = _nothing
        """Called once after all the dones of one batch, of units and of queries alike."""
        self.busy_seconds = 0.0
        """How long a unit waits for another program's lock, from when it was submitted."""
        self.problem: str | None = None
        """Why nothing can be written, as far as the last writes tell; None while writes succeed."""
        self._failing = trio.Event()
        self._writes = WriteQueue("writer", queue=queue, batch=batch, after_batch=self._batch_done, failed=failed)
        self._reads = WriteQueue("readers", queue=queue, batch=READ_BATCH, after_batch=self._batch_done, failed=failed)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        path: Path,
        schema: Schema,
        *,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        batch: int = 256,
        queue: int = 10_000,
        clock: Callable[[], int] = wall_clock,
        busy_seconds: float = 4.0,
        readers: int = READERS,
        failed: Failed | None = None,
    ) -> AsyncIterator[Database]:
        """Lock, check, create or migrate the file, and serve it; at the end, everything submitted is done first.

        `failed` is told when the writer or a reader can't go on.
        """
        make_file(path)
        database = cls(path, batch=batch, queue=queue, clock=clock, failed=failed or _log_failure)
        database.busy_seconds = busy_seconds
        async with AsyncExitStack() as stack:
            stack.enter_context(locked(path.with_suffix(".lock")))
            courtesy = stack.enter_context(_courtesy())
            writer = await stack.enter_async_context(_linked(path, courtesy, busy_seconds))
            committer, database.epoch = await writer.hop(prepare_writer, writer.raw, path, schema, synchronous)
            database.position = committer.position
            database._writes.serve(WritingServer(database, writer, committer))
            stack.push_async_callback(_shielded, writer.hop, committer.close)
            for _ in range(readers):
                link = await stack.enter_async_context(_linked(path, courtesy, busy_seconds))
                reader = await link.hop(prepare_reader, link.raw)
                database._reads.serve(ReadingServer(database, link, reader))
            stack.push_async_callback(_shielded, database._drain)
            yield database

    @property
    def waiting(self) -> int:
        """Units that wait for the writer."""
        return len(self._writes)

    def submit(self, unit: Callable[[Transaction], Any], done: Callable[[outcome.Outcome[Any]], None]) -> None:
        """Have a unit of work committed; UNAVAILABLE when too many wait."""
        self._writes.submit(unit, done)

    def query(self, unit: Callable[[ReadTransaction], Any], done: Callable[[outcome.Outcome[Any]], None]) -> None:
        """Have a question answered from what is committed; UNAVAILABLE when too many wait."""
        self._reads.submit(unit, done)

    async def write(self, unit: Callable[[Transaction], T]) -> T:
        """Commit a unit of work and return its result. Cancelled once it has begun, it still ends as it would."""
        result: T = await self._writes.wait(unit)
        return result

    async def submit_and_wait(self, unit: Callable[[Transaction], T], on_commit: Callable[[T], None]) -> T:
        """Commit a unit of work, call `on_commit` with its result, and return the result.

        `on_commit` is called in the order of the commits: before the results of later units are known. It is called
        even when the caller is cancelled. Its exception is raised here.
        """

        def start(callback: Callable[[outcome.Outcome[T]], None]) -> None:
            def done(result: outcome.Outcome[T]) -> None:
                if isinstance(result, outcome.Value):
                    followed = outcome.capture(on_commit, result.value)
                    result = followed if isinstance(followed, outcome.Error) else result
                callback(result)

            self.submit(unit, done)

        finished: outcome.Outcome[T] = await wait_for_callback(start)
        return finished.unwrap()

    async def read(self, unit: Callable[[ReadTransaction], T]) -> T:
        """Answer a question from what is committed. Cancelled, it is interrupted."""
        result: T = await self._reads.wait(unit)
        return result

    def committed(self, position: int, problem: str | None) -> None:
        """A batch is over. A batch that wrote no event proves nothing about the disk: `probe` does."""
        if problem is not None:
            self.problem = problem
            self._failing.set()
        elif position > self.position:
            self.problem = None
        self.position = position

    def wait_less(self, seconds: float) -> None:
        """Wait no longer than that for another program's lock, from the next batch on."""
        self.busy_seconds = min(self.busy_seconds, seconds)

    async def keep_probing(self) -> None:
        """While writes fail, try one now and then, for as long as the server runs: so that `problem` ends by itself."""
        while True:
            await self._failing.wait()
            await trio.sleep(PROBE_SECONDS)
            if self.problem is not None:
                with suppress(Refusal):
                    await self.write(probe.write)
                    self.problem = None
            if self.problem is None:
                self._failing = trio.Event()

    def _batch_done(self) -> None:
        self.after_batch()

    async def _drain(self) -> None:
        await self._writes.close()
        await self._reads.close()


def is_unavailable(answer: outcome.Outcome[Any]) -> bool:
    return isinstance(answer, outcome.Error) and getattr(answer.error, "code", None) is UNAVAILABLE


def _nothing() -> None:
    pass


def _log_failure(part: str, problem: Exception) -> None:
    LOG.critical("the %s can't go on", part, exc_info=problem)


async def _shielded(function: Callable[..., Awaitable[Any]], *args: Any) -> None:
    with trio.CancelScope(shield=True):
        await function(*args)


@contextmanager
def _courtesy() -> Iterator[GilYield]:
    courtesy = GilYield()
    trio.lowlevel.add_instrument(courtesy)
    try:
        yield courtesy
    finally:
        trio.lowlevel.remove_instrument(courtesy)


@asynccontextmanager
async def _linked(path: Path, courtesy: GilYield, busy_seconds: float) -> AsyncIterator[SqliteThread]:
    link = SqliteThread.to(path, courtesy, busy_seconds=busy_seconds)
    await link
    try:
        yield link
    finally:
        await _shielded(link.close)
