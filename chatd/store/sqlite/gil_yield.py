"""Gives the connections' threads the interpreter when the Trio loop is saturated.

A loop that never sleeps releases the interpreter lock (the GIL) only for microseconds, in its system calls. A waiting
thread wakes at each release, is too late, and starts to wait again. So the 5 ms after which CPython enforces a switch
never pass. Measured with a loop that is 100 % busy in steps of 0.5 ms: no commit in ten seconds. With this instrument:
400 commits a second for one sender and 15,000 for fifty.

A thread may work for longer than `PATIENCE_SECONDS` while the loop goes on without sleep. Then the loop sleeps for
`PAUSE_SECONDS`. This is long enough for the thread to wake.
"""

from __future__ import annotations

import time

import trio

PATIENCE_SECONDS = 0.0005
"""How long a thread works before the loop first sleeps for it."""
PAUSE_SECONDS = 0.00005
"""How long the loop sleeps then."""


class GilYield(trio.abc.Instrument):
    """Counts the calls that threads are running. Installed while a database is open."""

    def __init__(self) -> None:
        self._calls = 0
        self._since = 0.0

    def call_began(self) -> None:
        """A function was passed to a thread."""
        if not self._calls:
            self._since = time.perf_counter()
        self._calls += 1

    def call_ended(self) -> None:
        """A thread has returned a result: it got the interpreter."""
        self._calls -= 1
        self._since = time.perf_counter()

    def before_io_wait(self, timeout: float) -> None:
        if self._calls and timeout <= 0 and time.perf_counter() - self._since > PATIENCE_SECONDS:
            time.sleep(PAUSE_SECONDS)
            self._since = time.perf_counter()
