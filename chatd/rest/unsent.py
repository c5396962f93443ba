"""How much of REST's answers waits for users who do not read.

An answer counts from the moment it is made until the kernel has all of it, or its connection has ended. A user above
the limit is refused with 503 before anything is looked up, and a list that would go above it is thrown away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

from protocol.errors import UNAVAILABLE, Refusal

RETRY_SECONDS = 5.0


class Unsent:
    """See above. Users are known by whatever names them; a limit of 0 is none."""

    def __init__(self) -> None:
        self._bytes: Counter[object] = Counter()

    def __len__(self) -> int:
        return len(self._bytes)

    def check(self, user: object, limit: int, more_bytes: int = 0) -> None:
        """Refuse a user who does not read. One answer of any size is always possible."""
        waiting = self._bytes.get(user, 0)
        if waiting and waiting + more_bytes > limit > 0:
            raise Refusal(UNAVAILABLE, "Read the answers that you have asked for first", retry_after=RETRY_SECONDS)

    def hold(self, user: object, size: int) -> Callable[[], None]:
        """Count an answer; what to call when it is out."""
        self._bytes[user] += size
        return partial(self._release, user, size)

    def _release(self, user: object, size: int) -> None:
        self._bytes[user] -= size
        if not self._bytes[user]:
            del self._bytes[user]
