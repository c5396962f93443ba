"""Runs queries on a reader's thread: each in a read transaction of its own, several in one call of the thread.

SQLite's progress handler ends a long query whose caller was cancelled: SQLite calls it every few milliseconds of
work. `interrupt()` has no effect between two statements, and could end another query of the same call.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import outcome

from chatd.store.sqlite.faults import error_for_caller, unavailable
from chatd.store.sqlite.queue import Job, Outcomes
from chatd.store.sqlite.transaction import ReadTransaction

CHECK_EVERY_INSTRUCTIONS = 100_000  # instructions of SQLite's virtual machine; a short query has fewer


class QueryReader:
    """Runs queries on one connection. Every method runs on the connection's thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._transaction = ReadTransaction(connection)
        self._job: Job | None = None
        connection.set_progress_handler(self._is_cancelled, CHECK_EVERY_INSTRUCTIONS)

    def run(self, jobs: Sequence[Job], now: int) -> Outcomes:
        """Run the queries and return the outcome of each. Never raises."""
        self._transaction.now = now
        return [self._run_query(job) for job in jobs]

    def _run_query(self, job: Job) -> outcome.Outcome[Any]:
        control = self._transaction.control
        self._job = job
        try:
            if job.is_cancelled:
                raise unavailable()
            control("BEGIN")
            try:
                return outcome.Value(job.unit(self._transaction))
            finally:
                if self._connection.in_transaction:
                    control("ROLLBACK")
        except BaseException as error:
            return outcome.Error(error_for_caller(error, reading=True))
        finally:
            self._job = None

    def _is_cancelled(self) -> bool:
        return self._job is not None and self._job.is_cancelled
