"""Runs queries on a reader's thread: each in a read transaction of its own, several in one hop.

A long query whose caller was cancelled is ended by SQLite's progress handler, which asks every few milliseconds of
work. `interrupt()` would be lost between two statements, and could hit a neighbour in the same hop.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import outcome

from chatd.store.sqlite.faults import refusal, unavailable
from chatd.store.sqlite.queue import Job, Outcomes
from chatd.store.sqlite.transaction import ReadTransaction

ASK_EVERY = 100_000  # of SQLite's instructions; a short query has fewer


class QueryReader:
    """Runs queries on one connection. Every method runs on the connection's thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._reading = ReadTransaction(connection)
        self._job: Job | None = None
        connection.set_progress_handler(self._unwanted, ASK_EVERY)

    def run(self, jobs: Sequence[Job], now: int) -> Outcomes:
        """Answer the queries and say for each how it went. Never raises."""
        self._reading.now = now
        return [self._answer(job) for job in jobs]

    def _answer(self, job: Job) -> outcome.Outcome[Any]:
        control = self._reading.control
        self._job = job
        try:
            if job.hurried:
                raise unavailable()
            control("BEGIN")
            try:
                return outcome.Value(job.unit(self._reading))
            finally:
                if self._connection.in_transaction:
                    control("ROLLBACK")
        except BaseException as error:
            return outcome.Error(refusal(error, reading=True))
        finally:
            self._job = None

    def _unwanted(self) -> bool:
        return self._job is not None and self._job.hurried
