"""What the operating system gives this process: how many file descriptors, and memory that comes and goes.

The soft limit of descriptors is raised to the hard one at the start: it is low (1,024) only for programs that use
select(), and every connection takes one.

The C library keeps memory that was freed between pieces still in use. After many connections have left at once that is
far more than what is used, so it is then given back: at most once in TRIM_SECONDS, for each time takes milliseconds.
"""

from __future__ import annotations

import ctypes
import resource
from collections.abc import Callable

import trio

MOST_DESCRIPTORS = 1 << 20
TRIM_AFTER = 50  # connections that have left since the last time
TRIM_SECONDS = 10.0


def descriptors() -> int:
    """How many descriptors the process may have; MOST_DESCRIPTORS where nothing limits them."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


def raise_descriptors() -> None:
    """Raise the soft limit to the hard one, and not above MOST_DESCRIPTORS. A system that refuses keeps its limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
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
    """Gives memory back when many connections have left. `left` is told of each."""

    __slots__ = ("_left", "_trim", "_wake")

    def __init__(self, trim: Callable[[int], int] | None = None) -> None:
        self._trim = trim
        self._left = 0
        self._wake = trio.Event()

    def left(self) -> None:
        self._left += 1
        if self._left >= TRIM_AFTER:
            self._wake.set()

    async def run(self) -> None:
        """Trim, whenever many have left and the others have had a moment to leave as well."""
        while self._trim is not None:
            await self._wake.wait()
            await trio.sleep(TRIM_SECONDS)
            self._wake, self._left = trio.Event(), 0
            await trio.to_thread.run_sync(self._trim, 0)
