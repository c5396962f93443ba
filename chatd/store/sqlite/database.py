"""The database: one writer with group commit, two readers, one file.

    submit(unit, done) ─→ queue ─→ writer's thread: BEGIN, units, COMMIT (fsync) ─→ each done, after_batch
    query(unit, done)  ─→ queue ─→ a reader's thread ────────────────────────────→ each done, after_batch

`done` is called on the Trio thread, in commit order, after the fsync, with the unit's outcome. When the outcome is a
value, the unit's changes are on the disk. When it is UNAVAILABLE, they are not in the database.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import outcome
import trio

from chatd.store.schema import Schema
from chatd.store.sqlite import probe
from chatd.store.sqlite.batch import Committer
from chatd.store.sqlite.callback import wait_for_callback
from chatd.store.sqlite.gil_yield import GilYield
from chatd.store.sqlite.lock import hold_lock
from chatd.store.sqlite.open import MAX_LOG_PAGES, make_file, prepare_reader, prepare_writer
from chatd.store.sqlite.queue import BatchStarter, Failed, Job, Outcomes, WriteQueue, refused_batch
from chatd.store.sqlite.reader import QueryReader
from chatd.store.sqlite.search_index import SearchIndex
from chatd.store.sqlite.thread import SqliteThread
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.telemetry.metrics import COMMIT_SECONDS, COMMIT_UNITS, COMMITS, WRITES_FAILED
from protocol.errors import UNAVAILABLE, Refusal

LOG = logging.getLogger(__name__)

T = TypeVar("T")
InstrumentType = TypeVar("InstrumentType", bound=trio.abc.Instrument)

MAX_READ_BATCH = 16
"""Queries that one call of a thread runs. With more, a short query would wait for many others."""
READERS = 2
"""Threads that read. More are slower, because of the GIL."""
IDLE_CHECKPOINT_ROWS = 1_000
"""After so many changed rows, the log is copied when no unit waits."""
BUSY_CHECKPOINT_ROWS = 16_000
"""After so many changed rows, the log is copied in any case."""
PROBE_SECONDS = 2.0
"""Time between two writes that try whether the database can be written to again."""


def wall_clock() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


class WriteWorker:
    """The writer: commits batches, and copies the log into the database file between batches."""

    def __init__(self, database: Database, thread: SqliteThread, committer: Committer) -> None:
        self._database = database
        self._thread = thread
        self._committer = committer

    def start(self, jobs: Sequence[Job], on_outcomes: Callable[[Outcomes], None]) -> None:
        """Commit the jobs as one batch."""
        started = time.perf_counter()
        wait = max(0.0, self._database.busy_seconds - (started - jobs[0].submitted))  # the first is the oldest
        batch = partial(self._committer.run, jobs, self._database.clock(), wait)
        self._thread.start(batch, partial(self._record, jobs, started, on_outcomes))

    def _record(
        self,
        jobs: Sequence[Job],
        started: float,
        on_outcomes: Callable[[Outcomes], None],
        result: outcome.Outcome[Outcomes],
    ) -> None:
        outcomes = result.value if isinstance(result, outcome.Value) else refused_batch(jobs, error_of(result))
        self._database.record_batch(self._committer.position, self._committer.problem)
        COMMITS.add()
        COMMIT_UNITS.observe(len(jobs))
        COMMIT_SECONDS.observe(time.perf_counter() - started)
        if isinstance(outcomes[0], outcome.Error):  # when the disk fails, it fails for all units
            WRITES_FAILED.add(amount=sum(is_unavailable(one) for one in outcomes))
        on_outcomes(outcomes)

    def start_upkeep(self, on_done: Callable[[], None]) -> bool:
        """Copy the log if enough rows have changed since the last copy."""
        limit = BUSY_CHECKPOINT_ROWS if self._database.waiting else IDLE_CHECKPOINT_ROWS
        if self._committer.changes < limit:
            return False
        self._thread.start(partial(self._committer.trim, MAX_LOG_PAGES), lambda result: on_done())
        return True


class ReadWorker:
    """A reader: runs queries."""

    def __init__(self, database: Database, thread: SqliteThread, reader: QueryReader) -> None:
        self._database = database
        self._thread = thread
        self._reader = reader

    def start(self, jobs: Sequence[Job], on_outcomes: Callable[[Outcomes], None]) -> None:
        """Run the queries."""

        def hand_on(result: outcome.Outcome[Outcomes]) -> None:
            on_outcomes(result.value if isinstance(result, outcome.Value) else refused_batch(jobs, error_of(result)))

        self._thread.start(partial(self._reader.run, jobs, self._database.clock()), hand_on)

    def start_upkeep(self, on_done: Callable[[], None]) -> bool:
        """A reader has nothing to do between batches."""
        return False


class Database:
    """A served database file. Made by `Database.open`; all methods are called on the Trio thread."""

    def __init__(self, path: Path, *, batch: int, queue: int, clock: Callable[[], int], failed: Failed) -> None:
        self.path = path
        self.clock = clock
        self.epoch = ""
        """UUID of this database. A position is only valid together with its epoch."""
        self.position = 0
        """The last committed position. While a `done` runs, everything up to this position is committed."""
        self._after_batch: list[Callable[[], None]] = []
        self.busy_seconds = 0.0
        """How long a unit waits for another program's lock, counted from its submission."""
        self.problem: str | None = None
        """Why the last writes failed; None while writes succeed."""
        self._failing = trio.Event()
        self._writes = WriteQueue("writer", queue=queue, batch=batch, after_batch=self._batch_done, failed=failed)
        self._reads = WriteQueue(
            "readers", queue=queue, batch=MAX_READ_BATCH, after_batch=self._batch_done, failed=failed
        )

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
        search: SearchIndex | None = None,
        failed: Failed | None = None,
    ) -> AsyncIterator[Database]:
        """Lock, check, create or migrate the file, and serve it. On exit, all submitted units are finished first.

        `search` is the search index, which the readers attach. `failed` is called when the writer or a reader can't go
        on.
        """
        make_file(path)
        database = cls(path, batch=batch, queue=queue, clock=clock, failed=failed or _log_failure)
        database.busy_seconds = busy_seconds
        async with AsyncExitStack() as stack:
            stack.enter_context(hold_lock(path.with_suffix(".lock")))
            gil_yield = stack.enter_context(_installed(GilYield()))
            writer = await stack.enter_async_context(_opened_thread(path, gil_yield, busy_seconds))
            committer, database.epoch = await writer.call(
                prepare_writer, writer.sqlite_connection, path, schema, synchronous
            )
            database.position = committer.position
            database._writes.add_worker(WriteWorker(database, writer, committer))
            stack.push_async_callback(_shielded, writer.call, committer.close)
            if search is not None:
                await writer.call(search.open)
                stack.push_async_callback(_shielded, writer.call, search.close)
            for _ in range(readers):
                thread = await stack.enter_async_context(_opened_thread(path, gil_yield, busy_seconds))
                reader = await thread.call(prepare_reader, thread.sqlite_connection, search)
                database._reads.add_worker(ReadWorker(database, thread, reader))
            stack.enter_context(_installed(BatchStarter(database._writes, database._reads)))
            stack.push_async_callback(_shielded, database._drain)
            yield database

    @property
    def waiting(self) -> int:
        """How many units wait for the writer."""
        return len(self._writes)

    def submit(self, unit: Callable[[Transaction], Any], done: Callable[[outcome.Outcome[Any]], None]) -> None:
        """Queue a unit of work for the next commit; UNAVAILABLE when too many units wait."""
        self._writes.submit(unit, done)

    def query(self, unit: Callable[[ReadTransaction], Any], done: Callable[[outcome.Outcome[Any]], None]) -> None:
        """Queue a query of the committed data; UNAVAILABLE when too many queries wait."""
        self._reads.submit(unit, done)

    async def write(self, unit: Callable[[Transaction], T]) -> T:
        """Commit a unit of work and return its result. A unit that has begun is finished, also when cancelled."""
        result: T = await self._writes.submit_and_wait(unit)
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
        """Return the result of a query of the committed data. When cancelled, the query is interrupted."""
        result: T = await self._reads.submit_and_wait(unit)
        return result

    def record_batch(self, position: int, problem: str | None) -> None:
        """Note the outcome of a batch. A batch without an event does not show that writes succeed: `probe` does."""
        if problem is not None:
            self.problem = problem
            self._failing.set()
        elif position > self.position:
            self.problem = None
        self.position = position

    def limit_lock_wait(self, seconds: float) -> None:
        """Wait at most so long for another program's lock, from the next batch on."""
        self.busy_seconds = min(self.busy_seconds, seconds)

    async def keep_probing(self) -> None:
        """While writes fail, try a write every PROBE_SECONDS, so that `problem` ends by itself. Never returns."""
        while True:
            await self._failing.wait()
            await trio.sleep(PROBE_SECONDS)
            if self.problem is not None:
                with suppress(Refusal):
                    await self.write(probe.write)
                    self.problem = None
            if self.problem is None:
                self._failing = trio.Event()

    def call_after_batch(self, handler: Callable[[], None]) -> None:
        """Call the handler once after all the dones of each batch, of units and of queries alike."""
        self._after_batch.append(handler)

    def _batch_done(self) -> None:
        for handler in self._after_batch:
            handler()

    async def _drain(self) -> None:
        await self._writes.close()
        await self._reads.close()


def error_of(result: outcome.Outcome[Any]) -> BaseException:
    assert isinstance(result, outcome.Error)
    return result.error


def is_unavailable(result: outcome.Outcome[Any]) -> bool:
    return isinstance(result, outcome.Error) and getattr(result.error, "code", None) is UNAVAILABLE


def _log_failure(part: str, problem: Exception) -> None:
    LOG.critical("the %s can't go on", part, exc_info=problem)


async def _shielded(function: Callable[..., Awaitable[Any]], *args: Any) -> None:
    with trio.CancelScope(shield=True):
        await function(*args)


@contextmanager
def _installed(instrument: InstrumentType) -> Iterator[InstrumentType]:
    trio.lowlevel.add_instrument(instrument)
    try:
        yield instrument
    finally:
        trio.lowlevel.remove_instrument(instrument)


@asynccontextmanager
async def _opened_thread(path: Path, gil_yield: GilYield, busy_seconds: float) -> AsyncIterator[SqliteThread]:
    thread = SqliteThread.for_file(path, gil_yield, busy_seconds=busy_seconds)
    await thread
    try:
        yield thread
    finally:
        await _shielded(thread.close)
