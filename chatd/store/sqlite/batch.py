"""Group commit: many units of work in one transaction, with one fsync for all. Runs on the writer's thread.

    together    BEGIN, every unit, COMMIT. A unit that fails before it has written does not harm the others.
       │ a unit failed after it had written, or buffered rows can't be written: ROLLBACK
       ↓
    apart       BEGIN, each unit and its buffered rows in a SAVEPOINT, COMMIT. A unit harms only itself.
       │ the COMMIT found a broken (deferred) constraint: ROLLBACK
       ↓
    alone       each unit in a transaction of its own.

A savepoint costs two statements a unit, so only a batch that needs savepoints uses them. Each of the three ways gives
out ids and positions again from the start, so there are no holes.

**Faults.** BEGIN, a unit or COMMIT may fail for a reason outside the program: disk full, I/O error, locked. Then the
transaction is rolled back, and the result of every unit of the batch is UNAVAILABLE. After a write error no more is
needed: SQLite has not counted the failed frames, and the next commit overwrites them in the log.

After a failed *fsync* this is not enough. The kernel reports such an error once. After that it treats the unwritten
pages as clean, and a later fsync succeeds without them. Opening the connection again would be wrong. The last
connection that closes and opens replays the log from those pages: it finds the refused commit complete in memory and
counts it, but the disk may never have it. At a power cut, everything acknowledged after it would be lost with it.
The connection that saw the error knows where the good part of the log ends: its index in memory did not advance. So
this connection copies the good part into the database file, syncs the file, and empties the log
(`wal_checkpoint(TRUNCATE)`). Then nothing depends on the doubtful pages. Until this succeeds, every batch is refused.

**Another program's lock**: SQLite waits for it at each BEGIN (`PRAGMA busy_timeout`). The wait of a batch has a limit
in all, because its oldest unit has already waited behind earlier batches. The pragma runs only when the limit differs.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import outcome

from chatd.store.schema import POSITION
from chatd.store.sqlite.faults import error_for_caller, is_failed_fsync, is_outside_failure, unavailable
from chatd.store.sqlite.queue import Job, Outcomes
from chatd.store.sqlite.transaction import Transaction

LOG = logging.getLogger(__name__)

Unit = Callable[[Transaction], Any]

TRIM_WAIT_SECONDS = 0.25
"""How long a checkpoint waits for readers to leave the log. Meanwhile, units may wait for the writer."""
CLOSE_WAIT_SECONDS = 0.5
"""How long the last checkpoint waits for a lock. What stays in the log is read at the next start."""
TIMEOUT_TOLERANCE_SECONDS = 0.1
"""A busy timeout that differs by less is not set again."""


class _DoubtfulLog(Exception):
    """The log may hold pages that are not on the disk."""


class Committer:
    """Runs batches on one connection. Every method runs on the connection's thread."""

    def __init__(self, connection: sqlite3.Connection, sequences: dict[str, int]) -> None:
        self._connection = connection
        self._transaction = Transaction(connection, sequences)
        self._execute = self._transaction.control
        self._committed = dict(sequences)
        self._log_is_doubtful = False
        self._busy_timeout_seconds = -1.0  # negative until the first batch sets it
        self._deadline: float | None = None
        self.changes = 0
        """Rows changed since the last checkpoint."""
        self.problem: str | None = None
        """Why the last batch was refused as a whole, if it was."""

    def run(self, jobs: Sequence[Job], now: int, wait: float | None = None) -> Outcomes:
        """Run the units in order, commit, and return the outcome of each. Never raises.

        The batch waits at most `wait` seconds in all for another program's lock.
        """
        units = [job.unit for job in jobs]
        self._transaction.now = now
        self._deadline = None if wait is None else monotonic() + wait
        self.problem = None
        try:
            self._empty_doubtful_log()
            before = self._connection.total_changes
            outcomes = self._together(units)
            if outcomes is None:
                outcomes = self._apart(units)
            if outcomes is None:
                outcomes = [result for unit in units for result in self._alone(unit)]
        except BaseException as error:
            self._fail_batch(error)
            return [outcome.Error(unavailable()) for _ in units]
        self.changes += self._connection.total_changes - before
        return outcomes

    def _together(self, units: Sequence[Unit]) -> Outcomes | None:
        """Run all units in one transaction; None when a unit failed after it had written."""
        transaction = self._transaction
        outcomes: Outcomes = []
        self._begin()
        for unit in units:
            sequences_before = transaction.sequences.copy()
            transaction.begin_unit()
            try:
                result: outcome.Outcome[Any] = outcome.Value(unit(transaction))
            except BaseException as error:
                self._raise_if_ended(error)
                if transaction.has_written:
                    self._rollback()
                    return None
                transaction.drop_unit_rows(sequences_before)
                result = outcome.Error(error_for_caller(error))
            outcomes.append(result)
        try:
            transaction.flush()
        except BaseException as error:
            self._raise_if_ended(error)
            self._rollback()
            return None
        return self._commit(outcomes)

    def _apart(self, units: Sequence[Unit]) -> Outcomes | None:
        """Run each unit in a savepoint; None when the commit finds a broken constraint."""
        self._begin()
        return self._commit([self._in_savepoint(unit) for unit in units])

    def _alone(self, unit: Unit) -> Outcomes:
        """Run one unit in a transaction of its own."""
        self._begin()
        outcomes = self._commit([self._in_savepoint(unit)])
        if outcomes is not None:
            return outcomes
        return [outcome.Error(error_for_caller(sqlite3.IntegrityError("a deferred constraint failed at commit")))]

    def _in_savepoint(self, unit: Unit) -> outcome.Outcome[Any]:
        transaction = self._transaction
        sequences_before = transaction.sequences.copy()
        self._execute("SAVEPOINT unit")
        try:
            result: outcome.Outcome[Any] = outcome.Value(unit(transaction))
            transaction.flush()
        except BaseException as error:
            self._raise_if_ended(error)
            self._execute("ROLLBACK TO unit")
            transaction.after_rollback(sequences_before)
            result = outcome.Error(error_for_caller(error))
        self._execute("RELEASE unit")
        return result

    def _raise_if_ended(self, error: BaseException) -> None:
        """Raise the error again when the batch can't go on: SQLite itself ends the transaction after some errors."""
        if is_outside_failure(error) or not self._connection.in_transaction:
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
        self._set_timeout_from_deadline()
        self._execute("BEGIN IMMEDIATE")
        self._transaction.after_begin()

    def _set_timeout_from_deadline(self) -> None:
        if self._deadline is not None:
            self._set_busy_timeout(max(0.0, self._deadline - monotonic()))

    def _set_busy_timeout(self, seconds: float) -> None:
        """Set how long SQLite waits for a lock, from the next statement on."""
        if self._busy_timeout_seconds < 0 or abs(seconds - self._busy_timeout_seconds) > TIMEOUT_TOLERANCE_SECONDS:
            self._execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}").fetchall()
            self._busy_timeout_seconds = seconds

    def _rollback(self) -> None:
        self._transaction.after_rollback(self._committed.copy())
        if self._connection.in_transaction:
            self._execute("ROLLBACK")

    def _fail_batch(self, error: BaseException) -> None:
        if isinstance(error, sqlite3.Error) and is_failed_fsync(error):
            self._log_is_doubtful = True
        self.problem = str(error)
        LOG.error("a batch could not be written: %s", error, exc_info=None if is_outside_failure(error) else error)
        try:
            self._rollback()
        except sqlite3.Error as rollback_error:
            LOG.error("the batch could not be rolled back: %s", rollback_error)

    def _empty_doubtful_log(self) -> None:
        if self._log_is_doubtful:
            self._set_timeout_from_deadline()
            if not self.checkpoint("TRUNCATE"):
                raise _DoubtfulLog("an fsync failed, and after that the log could not be emptied")
            self._log_is_doubtful = False

    @property
    def position(self) -> int:
        """The last committed position."""
        return self._committed[POSITION]

    def checkpoint(self, mode: str) -> bool:
        """Copy the log into the database file; return whether all of it was copied."""
        busy, pages, copied = self._copy_log(mode)
        return not busy and pages == copied

    def close(self) -> None:
        """Make the last checkpoint. Nothing depends on it, so the wait for another program's lock is short."""
        self._set_busy_timeout(CLOSE_WAIT_SECONDS)
        self.checkpoint("TRUNCATE")

    def trim(self, max_pages: int) -> None:
        """Copy the log between two batches; when it has more than `max_pages`, wait a little for its readers."""
        _, pages, _ = self._copy_log("PASSIVE")
        if pages > max_pages:
            self._set_busy_timeout(TRIM_WAIT_SECONDS)
            self._copy_log("TRUNCATE")

    def _copy_log(self, mode: str) -> tuple[int, int, int]:
        """Return whether a lock prevented it, the pages in the log, and the pages copied. Never raises."""
        try:
            busy, pages, copied = self._execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error as error:
            LOG.warning("the log could not be copied into the database: %s", error)
            return 1, 0, 0
        self.changes = 0
        return busy, pages, copied
