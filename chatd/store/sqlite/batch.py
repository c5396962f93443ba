"""Group commit: many units of work in one transaction, one fsync for all. Runs on the writer's thread.

    together    BEGIN, every unit, COMMIT. A unit that fails before it has written spoils nothing.
       │ one failed after it had written, or rows that waited can't be written: ROLLBACK
       ↓
    apart       BEGIN, each unit in a SAVEPOINT of its own, and what it let wait, COMMIT. A unit spoils only itself.
       │ the COMMIT itself found a broken (deferred) constraint: ROLLBACK
       ↓
    alone       each unit in a transaction of its own.

Savepoints cost two statements a unit, so they are only paid for in a batch that needs them. Ids and positions are
given out anew on each way, without holes.

**Faults.** When BEGIN, a unit or COMMIT fails for a reason outside the program (disk full, I/O error, locked), the
transaction is rolled back and every unit of the batch is answered UNAVAILABLE. After a write error that is all:
SQLite has not counted the failed frames, and the next commit overwrites them in the log.

After a failed *fsync* it is not enough. The kernel reports such an error once, then holds the unwritten pages as
clean, and a later fsync succeeds without them. Reopening the connection would be the wrong cure: the last one to
close and open replays the log from those very pages, so it would find the refused commit complete in memory and
count it, though the disk may never have it, and everything acked after it would be lost with it at a power cut.
The connection that saw the error knows where the good part ends (its index in memory was not advanced). So it
copies the good part into the database file, syncs that, and empties the log (`wal_checkpoint(TRUNCATE)`): then
nothing depends on the doubtful pages. Until that has succeeded, every batch is refused.

**Another program's lock** is waited for by SQLite (`PRAGMA busy_timeout`), at each BEGIN. A batch says how long it may
wait in all, for its oldest unit has waited behind the batches before it. The pragma is only run when that differs.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import outcome

from chatd.store.sqlite.faults import is_of_the_world, is_unsynced, refusal, unavailable
from chatd.store.sqlite.queue import Job, Outcomes
from chatd.store.sqlite.transaction import POSITION, Transaction

LOG = logging.getLogger(__name__)

Unit = Callable[[Transaction], Any]

TRIM_WAIT_SECONDS = 0.25  # how long the writer waits for readers to leave the log, while units may wait for the writer
CLOSE_WAIT_SECONDS = (
    0.5  # and how long a database that is closed waits: what stays in the log is read at the next start
)
SLACK_SECONDS = 0.1  # a wait that differs by less is not set anew


class _Doubtful(Exception):
    """The log may hold what the disk does not."""


class Committer:
    """Runs batches on one connection. Every method runs on the connection's thread."""

    def __init__(self, connection: sqlite3.Connection, sequences: dict[str, int]) -> None:
        self._connection = connection
        self._transaction = Transaction(connection, sequences)
        self._execute = self._transaction.control
        self._committed = dict(sequences)
        self._doubtful = False
        self._waits = -1.0  # the busy_timeout that is set, in seconds; negative while it is the connection's own
        self._until: float | None = None
        self.changes = 0
        """Rows changed since the last checkpoint."""
        self.problem: str | None = None
        """Why the last batch was refused as a whole, if it was."""

    def run(self, jobs: Sequence[Job], now: int, wait: float | None = None) -> Outcomes:
        """Run the units in order, commit, and say for each how it went. Never raises.

        Another program's lock is waited for `wait` seconds in all.
        """
        units = [job.unit for job in jobs]
        self._transaction.now = now
        self._until = None if wait is None else monotonic() + wait
        self.problem = None
        try:
            self._settle_doubt()
            before = self._connection.total_changes
            outcomes = self._together(units)
            if outcomes is None:
                outcomes = self._apart(units)
            if outcomes is None:
                outcomes = [result for unit in units for result in self._alone(unit)]
        except BaseException as error:
            self._give_up(error)
            return [outcome.Error(unavailable()) for _ in units]
        self.changes += self._connection.total_changes - before
        return outcomes

    def _together(self, units: Sequence[Unit]) -> Outcomes | None:
        """All units in one transaction; None when one of them has spoilt it."""
        transaction = self._transaction
        outcomes: Outcomes = []
        self._begin()
        for unit in units:
            held = transaction.sequences.copy()
            transaction.begin_unit()
            try:
                result: outcome.Outcome[Any] = outcome.Value(unit(transaction))
            except BaseException as error:
                self._check(error)
                if transaction.wrote:
                    self._rollback()
                    return None
                transaction.take_back(held)
                result = outcome.Error(refusal(error))
            outcomes.append(result)
        try:
            transaction.settle()
        except BaseException as error:
            self._check(error)
            self._rollback()
            return None
        return self._commit(outcomes)

    def _apart(self, units: Sequence[Unit]) -> Outcomes | None:
        """Each unit behind a savepoint; None when the commit finds a constraint broken."""
        self._begin()
        return self._commit([self._behind_savepoint(unit) for unit in units])

    def _alone(self, unit: Unit) -> Outcomes:
        """One unit, one transaction."""
        self._begin()
        outcomes = self._commit([self._behind_savepoint(unit)])
        if outcomes is not None:
            return outcomes
        return [outcome.Error(refusal(sqlite3.IntegrityError("a deferred constraint failed at commit")))]

    def _behind_savepoint(self, unit: Unit) -> outcome.Outcome[Any]:
        transaction = self._transaction
        held = transaction.sequences.copy()
        self._execute("SAVEPOINT unit")
        try:
            result: outcome.Outcome[Any] = outcome.Value(unit(transaction))
            transaction.settle()
        except BaseException as error:
            self._check(error)
            self._execute("ROLLBACK TO unit")
            transaction.rolled_back(held)
            result = outcome.Error(refusal(error))
        self._execute("RELEASE unit")
        return result

    def _check(self, error: BaseException) -> None:
        """Go on only while the transaction still stands: SQLite ends it by itself after some errors."""
        if is_of_the_world(error) or not self._connection.in_transaction:
            raise error

    def _commit(self, outcomes: Outcomes) -> Outcomes | None:
        try:
            self._execute("COMMIT")
        except sqlite3.IntegrityError:
            self._rollback()
            return None
        self._committed = self._transaction.sequences.copy()
        return outcomes

    def _begin(self) -> None:
        self._wait_until()
        self._execute("BEGIN IMMEDIATE")
        self._transaction.begun()

    def _wait_until(self) -> None:
        if self._until is not None:
            self._wait_at_most(max(0.0, self._until - monotonic()))

    def _wait_at_most(self, seconds: float) -> None:
        """Set how long SQLite waits for a lock from now on."""
        if self._waits < 0 or abs(seconds - self._waits) > SLACK_SECONDS:
            self._execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}").fetchall()
            self._waits = seconds

    def _rollback(self) -> None:
        self._transaction.rolled_back(self._committed.copy())
        if self._connection.in_transaction:
            self._execute("ROLLBACK")

    def _give_up(self, error: BaseException) -> None:
        if isinstance(error, sqlite3.Error) and is_unsynced(error):
            self._doubtful = True
        self.problem = str(error)
        LOG.error("nothing could be written: %s", error, exc_info=None if is_of_the_world(error) else error)
        try:
            self._rollback()
        except sqlite3.Error as again:
            LOG.error("nor could it be taken back: %s", again)

    def _settle_doubt(self) -> None:
        if self._doubtful:
            self._wait_until()
            if not self.checkpoint("TRUNCATE"):
                raise _Doubtful("an fsync failed, and the log could not be emptied since")
            self._doubtful = False

    @property
    def position(self) -> int:
        """The last committed position."""
        return self._committed[POSITION]

    def checkpoint(self, mode: str) -> bool:
        """Copy the log into the database file; whether all of it could be."""
        busy, pages, copied = self._copy_log(mode)
        return not busy and pages == copied

    def close(self) -> None:
        """The last checkpoint. A lock of another program is not waited for long: nothing depends on it."""
        self._wait_at_most(CLOSE_WAIT_SECONDS)
        self.checkpoint("TRUNCATE")

    def trim(self, most: int) -> None:
        """Copy the log between two batches; when it is longer than `most` pages, wait a little for its readers."""
        _, pages, _ = self._copy_log("PASSIVE")
        if pages > most:
            self._wait_at_most(TRIM_WAIT_SECONDS)
            self._copy_log("TRUNCATE")

    def _copy_log(self, mode: str) -> tuple[int, int, int]:
        """Whether a lock prevented it, the pages in the log, and how many of them have been copied. Never raises."""
        try:
            busy, pages, copied = self._execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error as error:
            LOG.warning("the log could not be copied into the database: %s", error)
            return 1, 0, 0
        self.changes = 0
        return busy, pages, copied
