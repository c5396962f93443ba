"""Token buckets, in their shortest form.

A bucket of `burst` tokens that refills at `rate` a second is fully described by one number: the time at which it will
be full again (the generic cell rate algorithm). A call moves that time on by 1/rate; it is allowed as long as the
bucket is not thereby further from full than its whole burst:

    due = max(due, now) + interval          allowed if due - now <= interval * burst

So a bucket that has been full for a while is the same as one that never was, and keyed buckets can forget it. The
time is passed in (seconds of any clock that doesn't run back); nothing here reads a clock, waits, or logs.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from msgspec import Struct

K = TypeVar("K", bound=Hashable)
ROUNDING = 1e-6


class Rate(Struct, frozen=True):
    """So many a second, after a burst; a rate of 0 is no limit."""

    rate: float
    burst: float = 1.0

    @property
    def interval(self) -> float:
        return 1.0 / self.rate if self.rate > 0 else 0.0

    @property
    def depth(self) -> float:
        """The time from empty to full. A microsecond more than exact, or a float's rounding could cost a call."""
        return self.interval * max(self.burst, 1.0) + ROUNDING


class Bucket:
    """One bucket. Cheap enough for every frame of every connection: 0.1 µs, 96 bytes."""

    __slots__ = ("_depth", "_due", "_interval")

    def __init__(self, rate: Rate) -> None:
        self._interval = rate.interval
        self._depth = rate.depth
        self._due = 0.0

    def take(self, now: float) -> bool:
        """Take one, if there is one."""
        interval = self._interval
        due = self._due
        due = (due if due > now else now) + interval
        if due - now > self._depth and interval:
            return False
        self._due = due
        return True

    def retry_after(self, now: float) -> float:
        """Seconds until one can be taken."""
        return max(0.0, self._due + self._interval - self._depth + ROUNDING - now)


class Buckets(Generic[K]):
    """A bucket for each key, as many as are in use. Full ones are swept out when the table has doubled.

    When `most` are in use at once, the quarter that is nearest to full is forgotten: those lose the least. An
    attacker with that many addresses gains a burst each, and nobody is refused for want of a place.
    """

    def __init__(self, rate: Rate, most: int = 65536) -> None:
        self._most = most
        self._due: dict[K, float] = {}
        self._sweep_at = min(256, most)
        self.adopt(rate)

    def adopt(self, rate: Rate) -> None:
        """Go on at another rate. What was taken stays taken: a bucket is full again when it would have been."""
        self._interval = rate.interval
        self._depth = rate.depth

    def __len__(self) -> int:
        return len(self._due)

    def take(self, key: K, now: float) -> bool:
        """Take one from this key's bucket, if there is one."""
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
        """Take so many at once, or none; as many as there can ever be where more are asked for."""
        if not self._interval or amount < 1:
            return True
        due = max(self._due.get(key, 0.0), now) + min(self._interval * amount, self._depth - ROUNDING)
        if due - now > self._depth:
            return False
        if key not in self._due and len(self._due) >= self._sweep_at:
            self.sweep(now)
        self._due[key] = due
        return True

    def many_in(self, key: K, now: float, amount: int) -> float:
        """Seconds until so many can be taken."""
        needed = min(self._interval * amount, self._depth - ROUNDING)
        return max(0.0, self._due.get(key, 0.0) + needed - self._depth + ROUNDING - now)

    def give_back(self, key: K) -> None:
        """Undo one take."""
        if key in self._due:
            self._due[key] -= self._interval

    def clear(self, key: K) -> None:
        """Fill this key's bucket."""
        self._due.pop(key, None)

    def retry_after(self, key: K, now: float) -> float:
        """Seconds until this key can take one."""
        return max(0.0, self._due.get(key, 0.0) + self._interval - self._depth + ROUNDING - now)

    def full_in(self, key: K, now: float) -> float:
        """Seconds until this key's bucket is full; for a queue, until the turn of the one who came last."""
        return max(0.0, self._due.get(key, 0.0) - now)

    def sweep(self, now: float) -> None:
        """Forget what is full; and if that leaves no room, what is nearly."""
        self._due = {key: due for key, due in self._due.items() if due > now}
        if len(self._due) >= self._most:
            kept = sorted(self._due.items(), key=lambda item: item[1])[max(1, self._most // 4) :]
            self._due = dict(kept)
        self._sweep_at = min(self._most, max(256, 2 * len(self._due)))


class Strikes:
    """Counts refusals: is this the `limit`th within `window` seconds? Then the connection has earned its close."""

    __slots__ = ("_limit", "_times", "_window")

    def __init__(self, limit: int = 3, window: float = 10.0) -> None:
        self._limit = limit
        self._window = window
        self._times: tuple[float, ...] = ()

    def strike(self, now: float) -> bool:
        self._times = (*(time for time in self._times if now - time < self._window), now)[-self._limit :]
        return len(self._times) >= self._limit > 0
