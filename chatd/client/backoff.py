"""The wait before the next try: exponential, with full jitter, so that clients do not reconnect all at once.

the nth wait = random × min(max_seconds, first_seconds × 2ⁿ), and at least the time that the server asked for
"""

from __future__ import annotations

from collections.abc import Callable

FIRST_WAIT_SECONDS = 0.5
MAX_WAIT_SECONDS = 30.0


class Backoff:
    """Counts tries. `random` returns numbers from 0 to 1."""

    def __init__(
        self,
        random: Callable[[], float],
        first_seconds: float = FIRST_WAIT_SECONDS,
        max_seconds: float = MAX_WAIT_SECONDS,
    ) -> None:
        self._random = random
        self._first = first_seconds
        self._most = max_seconds
        self._tries = 0

    def next_seconds(self, asked_seconds: float | None = None) -> float:
        """Count a try, and return the seconds to wait before it."""
        ceiling = min(self._most, self._first * 2.0 ** min(self._tries, 30))
        self._tries += 1
        return max(self._random() * ceiling, asked_seconds or 0.0)

    def reset(self) -> None:
        self._tries = 0
