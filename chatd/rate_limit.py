"""Token buckets.

One number describes a bucket of `burst` tokens that refills at `rate` a second. It is the time at which the bucket is
full again (the generic cell rate algorithm). A call moves that time on by 1/rate. It is allowed as long as the time to
a full bucket does not become longer than the burst:

    due = max(due, now) + interval          allowed if due - now <= interval * burst

So a full bucket needs no memory, and a table of buckets can drop it. Callers pass the time, in seconds of any monotonic
clock: this module reads no clock, does not wait and does not log.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from msgspec import Struct

K = TypeVar("K", bound=Hashable)
ROUNDING_SECONDS = 1e-6


class Rate(Struct, frozen=True):
    """A number of calls a second, after a burst. A rate of 0 is no limit."""

    rate: float
    burst: float = 1.0

    @property
    def interval(self) -> float:
        return 1.0 / self.rate if self.rate > 0 else 0.0

    @property
    def depth(self) -> float:
        """Seconds from empty to full. ROUNDING_SECONDS more than exact: rounding must not refuse a call."""
        return self.interval * max(self.burst, 1.0) + ROUNDING_SECONDS


class Bucket:
    """One bucket. Cheap enough for every frame of every connection: 0.1 µs, 96 bytes."""

    __slots__ = ("_depth", "_due", "_interval")

    def __init__(self, rate: Rate) -> None:
        self._interval = rate.interval
        self._depth = rate.depth
        self._due = 0.0

    def take(self, now: float) -> bool:
        """Take one token; False if the bucket is empty."""
        interval = self._interval
        due = self._due
        due = (due if due > now else now) + interval
        if due - now > self._depth and interval:
            return False
        self._due = due
        return True

    def retry_after(self, now: float) -> float:
        """Seconds until a token can be taken."""
        return max(0.0, self._due + self._interval - self._depth + ROUNDING_SECONDS - now)


class Buckets(Generic[K]):
    """A bucket for each key. Full buckets are dropped when the table has doubled.

    When `max_keys` are in use, the quarter that is nearest to full is dropped: these lose the least. An attacker with
    so many addresses gains one burst each, and no client is refused because the table is full.
    """

    def __init__(self, rate: Rate, max_keys: int = 65536) -> None:
        self._max_keys = max_keys
        self._due: dict[K, float] = {}
        self._sweep_at = min(256, max_keys)
        self.adopt(rate)

    def adopt(self, rate: Rate) -> None:
        """Use another rate from now on. What was taken stays taken: a bucket is full again when it would have been."""
        self._interval = rate.interval
        self._depth = rate.depth

    def __len__(self) -> int:
        return len(self._due)

    def take(self, key: K, now: float) -> bool:
        """Take one token from the bucket of this key; False if it is empty."""
        if not self._interval:
            return True
        due = max(self._due.get(key, 0.0), now) + self._interval
        if due - now > self._depth:
            return False
        if key not in self._due and len(self._due) >= self._sweep_at:
            self.sweep(now)
        self._due[key] = due
        return True

    def take_many(self, key: K, now: float, amount: int) -> bool:
        """Take an amount at once, or nothing. More than a full bucket takes the whole bucket."""
        if not self._interval or amount < 1:
            return True
        due = max(self._due.get(key, 0.0), now) + min(self._interval * amount, self._depth - ROUNDING_SECONDS)
        if due - now > self._depth:
            return False
        if key not in self._due and len(self._due) >= self._sweep_at:
            self.sweep(now)
        self._due[key] = due
        return True

    def many_in(self, key: K, now: float, amount: int) -> float:
        """Seconds until that amount can be taken."""
        needed = min(self._interval * amount, self._depth - ROUNDING_SECONDS)
        return max(0.0, self._due.get(key, 0.0) + needed - self._depth + ROUNDING_SECONDS - now)

    def give_back(self, key: K) -> None:
        """Put one token back."""
        if key in self._due:
            self._due[key] -= self._interval

    def clear(self, key: K) -> None:
        """Fill the bucket of this key."""
        self._due.pop(key, None)

    def retry_after(self, key: K, now: float) -> float:
        """Seconds until a token of this key can be taken."""
        return max(0.0, self._due.get(key, 0.0) + self._interval - self._depth + ROUNDING_SECONDS - now)

    def full_in(self, key: K, now: float) -> float:
        """Seconds until the bucket of this key is full; for a queue, until the turn of its last entry."""
        return max(0.0, self._due.get(key, 0.0) - now)

    def sweep(self, now: float) -> None:
        """Drop full buckets; if the table is still full, also the fullest quarter of the others."""
        self._due = {key: due for key, due in self._due.items() if due > now}
        if len(self._due) >= self._max_keys:
            kept = sorted(self._due.items(), key=lambda item: item[1])[max(1, self._max_keys // 4) :]
            self._due = dict(kept)
        self._sweep_at = min(self._max_keys, max(256, 2 * len(self._due)))
