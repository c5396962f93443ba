"""How many bytes of REST answers wait for each user, because the user's client does not read them.

An answer counts until the kernel has all of it, or until its connection has ended. A user
above the limit is refused with 503 before the database is read. A list that would go above the limit is not sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

from protocol.errors import UNAVAILABLE, Refusal

UNREAD_RETRY_SECONDS = 5.0


class Unsent:
    """Counts by user id, or by the name of a service. A limit of 0 is no limit."""

    def __init__(self) -> None:
        self._bytes: Counter[object] = Counter()

    def __len__(self) -> int:
        return len(self._bytes)

    def check(self, user: object, limit: int, more_bytes: int = 0) -> None:
        """Refuse a user above the limit. One answer of any size is always possible."""
        waiting = self._bytes.get(user, 0)
        if waiting and waiting + more_bytes > limit > 0:
            raise Refusal(
                UNAVAILABLE, "Read the answers to your earlier requests first", retry_after=UNREAD_RETRY_SECONDS
            )

    def hold(self, user: object, size: int) -> Callable[[], None]:
        """Count an answer. Call the returned function when it is sent."""
        self._bytes[user] += size
        return partial(self._release, user, size)

    def _release(self, user: object, size: int) -> None:
        self._bytes[user] -= size
        if not self._bytes[user]:
            del self._bytes[user]
