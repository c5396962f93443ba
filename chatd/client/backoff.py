"""How long to wait before the next try: exponential, with full jitter, so that a thousand clients don't come at once.

the nth wait = random × min(most, first × 2ⁿ)        and never shorter than the server asked for
"""

from __future__ import annotations

from collections.abc import Callable

FIRST = 0.5
MOST = 30.0


class Backoff:
    """Counts tries. `random` gives numbers from 0 to 1."""

    def __init__(self, random: Callable[[], float], first: float = FIRST, most: float = MOST) -> None:
        self._random = random
        self._first = first
        self._most = most
        self._tries = 0

    def wait(self, asked: float | None = None) -> float:
        """Seconds to wait now."""
        ceiling = min(self._most, self._first * 2.0 ** min(self._tries, 30))
        self._tries += 1
        return max(self._random() * ceiling, asked or 0.0)

    def reset(self) -> None:
        self._tries = 0
