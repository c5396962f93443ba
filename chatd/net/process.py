"""The limit of file descriptors of this process, and the return of freed memory to the operating system.

The start raises the soft limit of descriptors to the hard one. The soft limit is low (1,024) only for programs that use
select(), and every connection takes a descriptor.

The C library keeps freed memory that lies between pieces still in use. After many connections have ended at once that
is far more than what is in use. It is then returned, at most once in TRIM_SECONDS: each time takes milliseconds.
"""

from __future__ import annotations

import ctypes
import resource
from collections.abc import Callable

import trio

MAX_DESCRIPTORS = 1 << 20
TRIM_AFTER_CONNECTIONS = 50  # that have ended since the last trim
TRIM_SECONDS = 10.0


def max_descriptors() -> int:
    """How many descriptors the process may have; MAX_DESCRIPTORS where nothing limits them."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MAX_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


def raise_descriptors() -> None:
    """Raise the soft limit to the hard one, but not above MAX_DESCRIPTORS. If the system refuses, the limit stays."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return


def find_trim() -> Callable[[int], int] | None:
    """glibc's malloc_trim; None where the C library has none."""
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    return trim


class Trimmer:
    """Returns memory after many connections have ended. `connection_ended` is called for each."""

    __slots__ = ("_ended", "_trim", "_wake")

    def __init__(self, trim: Callable[[int], int] | None = None) -> None:
        self._trim = trim
        self._ended = 0
        self._wake = trio.Event()

    def connection_ended(self) -> None:
        self._ended += 1
        if self._ended >= TRIM_AFTER_CONNECTIONS:
            self._wake.set()

    async def run(self) -> None:
        """Trim a while after many connections have ended. The trim then also covers connections that end meanwhile."""
        while self._trim is not None:
            await self._wake.wait()
            await trio.sleep(TRIM_SECONDS)
            self._wake, self._ended = trio.Event(), 0
            await trio.to_thread.run_sync(self._trim, 0)
