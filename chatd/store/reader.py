"""Runs queries on a reader's thread: each in a read transaction of its own, several in one hop."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import outcome

from chatd.store.faults import refusal, unavailable, was_interrupted
from chatd.store.lane import Job, Outcomes
from chatd.store.transaction import Reading


class Reader:
    """Runs queries on one connection. Every method runs on the connection's thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._reading = Reading(connection)

    def run(self, jobs: Sequence[Job], now: int) -> Outcomes:
        """Answer the queries and say for each how it went. Never raises."""
        self._reading.now = now
        return [self._answer(job) for job in jobs]

    def _answer(self, job: Job) -> outcome.Outcome[Any]:
        while True:
            try:
                if job.hurried:
                    raise unavailable()
                return outcome.Value(self._look(job))
            except sqlite3.OperationalError as error:
                if not was_interrupted(error):
                    return outcome.Error(refusal(error, reading=True))
                # Meant for this query, which then ends above, or for its neighbour: then once more.
            except BaseException as error:
                return outcome.Error(refusal(error, reading=True))

    def _look(self, job: Job) -> Any:
        control = self._reading.control
        control("BEGIN")
        try:
            return job.unit(self._reading)
        finally:
            if self._connection.in_transaction:
                control("ROLLBACK")
