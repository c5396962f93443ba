"""A timer wheel: items that must be looked at when their moment comes. Until then they cost nothing.

The wheel has slots of some seconds. An item is in one slot. `due` returns the items of all slots whose time has come,
so an item is looked at up to one slot late, and never early. Setting, removing and finding are dictionary accesses,
whatever the number of items. (A heap would keep removed items until their moment.)
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from math import ceil, inf
from typing import Generic, Protocol, TypeVar

import trio

NO_SLOT = -1


class Timed(Protocol):
    """An item of a wheel. The wheel keeps the number of its slot in it; a new item has NO_SLOT."""

    slot: int


T = TypeVar("T", bound=Timed)


class TimerWheel(Generic[T]):
    """All items, each with the moment at which it is due: at most `longest_seconds` from now."""

    def __init__(self, slot_seconds: float, longest_seconds: float) -> None:
        self._slot_seconds = slot_seconds
        self._longest_seconds = longest_seconds
        self._slots: dict[int, dict[T, None]] = {}
        self._wait: trio.CancelScope | None = None

    async def wait(self) -> None:
        """Wait until an item may be due. One task at a time."""
        self._wait = trio.CancelScope(deadline=min(self._slots, default=inf) * self._slot_seconds)
        with self._wait:
            await trio.sleep_forever()
        self._wait = None

    def end_wait(self) -> None:
        """Let `wait` return now."""
        if self._wait is not None:
            self._wait.cancel()

    def __len__(self) -> int:
        return sum(map(len, self._slots.values()))

    def __iter__(self) -> Iterator[T]:
        """Every item, in no order. Items may be set and removed meanwhile."""
        return iter(list(chain.from_iterable(self._slots.values())))

    def set(self, item: T, moment: float, now: float) -> None:
        """Add an item, or change its moment. What is overdue comes in the next slot, not at once again and again."""
        self.remove(item)
        earliest = int(now / self._slot_seconds) + 1
        slot = item.slot = max(earliest, ceil(min(moment, now + self._longest_seconds) / self._slot_seconds))
        items = self._slots.get(slot)
        if items is None:
            items = self._slots[slot] = {}
            if self._wait is not None and slot * self._slot_seconds < self._wait.deadline:
                self._wait.deadline = slot * self._slot_seconds
        items[item] = None

    def remove(self, item: T) -> None:
        """Remove an item, if it is there."""
        items = self._slots.get(item.slot)
        if items is not None:
            del items[item]
            if not items:
                del self._slots[item.slot]
        item.slot = NO_SLOT

    def due(self, now: float) -> Iterator[T]:
        """The items whose moment has come. Each must be set again, or removed, before the next one is taken."""
        last = int(now / self._slot_seconds)
        for slot in sorted(slot for slot in self._slots if slot <= last):
            for item in list(self._slots.get(slot, ())):
                if item.slot == slot:
                    yield item
