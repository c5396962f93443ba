"""The events between the network and whoever reads them: bounded.

Full, it holds up the network, so the server notices a slow reader, and its own bound holds. But the reader may itself
be waiting for an answer that comes behind the events: then `put` refuses instead, and what it refuses has to be asked
for again when the buffer is empty. Nothing is ever lost, and nobody waits for themselves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio

from chatd.client.events import Mark, StreamEvent

Item = tuple[StreamEvent, Mark]
"""An event, and the mark at which a stream goes on after it."""


class Buffer:
    """See above. `hurried` says whether somebody waits for an answer; `look` must be called when that changes."""

    def __init__(self, size: int, hurried: Callable[[], bool]) -> None:
        self._items: deque[Item] = deque()
        self._size = size
        self._hurried = hurried
        self._changed = trio.lowlevel.ParkingLot()
        self._failure: Exception | None = None

    @property
    def full(self) -> bool:
        return len(self._items) >= self._size

    def look(self) -> None:
        self._changed.unpark_all()

    async def put(self, item: Item) -> bool:
        """Put an event in when there is room; False when it can't wait for that."""
        while self.full:
            if self._hurried():
                return False
            await self._changed.park()
        self.force(item)
        return True

    def force(self, item: Item) -> None:
        """Put an event in whether there is room or not."""
        self._items.append(item)
        self.look()

    async def get(self) -> Item:
        """The next event; the reason for the end after the last."""
        await trio.lowlevel.checkpoint()
        while not self._items:
            if self._failure is not None:
                raise self._failure
            await self._changed.park()
        item = self._items.popleft()
        self.look()
        return item

    async def until_empty(self) -> None:
        while self._items:
            await self._changed.park()

    def end(self, failure: Exception) -> None:
        self._failure = failure
        self.look()
