"""Lets the connections' threads have the interpreter when the Trio loop is saturated.

A loop that never sleeps lets go of the interpreter (the GIL) only for microseconds at a time, in its system calls. A
waiting thread is woken at each of these, comes too late, and starts to wait anew: the 5 ms after which CPython would
enforce a switch never pass. Measured with a loop that is 100 % busy in steps of 0.5 ms: not one commit in ten
seconds; with this, 400 a second for one sender and 15,000 for fifty.

So while a connection's thread has been at work for longer than `PATIENCE`, the loop, should it be about to go on
without having slept, pauses for a moment that is long enough for the thread to wake.
"""

from __future__ import annotations

import time

import trio

PATIENCE = 0.0005
PAUSE = 0.00005


class GilYield(trio.abc.Instrument):
    """Counts the hops under way; installed for as long as a database is open."""

    def __init__(self) -> None:
        self._hops = 0
        self._since = 0.0

    def began(self) -> None:
        """A thread has been given something to do."""
        if not self._hops:
            self._since = time.perf_counter()
        self._hops += 1

    def ended(self) -> None:
        """A thread has told its result, so it is not starving."""
        self._hops -= 1
        self._since = time.perf_counter()

    def before_io_wait(self, timeout: float) -> None:
        if self._hops and timeout <= 0 and time.perf_counter() - self._since > PATIENCE:
            time.sleep(PAUSE)
            self._since = time.perf_counter()
