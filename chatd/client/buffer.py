"""A bounded buffer between the network and the code that reads events.

A full buffer blocks the network task, so the server's own limit for slow clients applies. The reader itself may wait
for an answer that arrives after the buffered events. Then `put` returns False instead of blocking, because both would
wait for each other. The session requests the rejected events again when the buffer is empty, so no event is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio

from chatd.client.events import Mark, StreamEvent

BufferedEvent = tuple[StreamEvent, Mark]
"""An event, and the mark from which a stream continues after it."""


class EventBuffer:
    """`answer_awaited` returns whether a call is open. Call `recheck` when its result may have changed."""

    def __init__(self, size: int, answer_awaited: Callable[[], bool]) -> None:
        self._items: deque[BufferedEvent] = deque()
        self._size = size
        self._answer_awaited = answer_awaited
        self._changed = trio.lowlevel.ParkingLot()
        self._failure: Exception | None = None

    @property
    def full(self) -> bool:
        return len(self._items) >= self._size

    def recheck(self) -> None:
        self._changed.unpark_all()

    async def put(self, item: BufferedEvent) -> bool:
        """Add an event, and wait for space. Returns False when the buffer is full and a call is open."""
        while self.full:
            if self._answer_awaited():
                return False
            await self._changed.park()
        self.put_now(item)
        return True

    def put_now(self, item: BufferedEvent) -> None:
        """Add an event, even to a full buffer."""
        self._items.append(item)
        self.recheck()

    async def get(self) -> BufferedEvent:
        """Return the next event. After the last one, raise the failure that ended the chat."""
        await trio.lowlevel.checkpoint()
        while not self._items:
            if self._failure is not None:
                raise self._failure
            await self._changed.park()
        item = self._items.popleft()
        self.recheck()
        return item

    async def wait_empty(self) -> None:
        while self._items:
            await self._changed.park()

    def end(self, failure: Exception) -> None:
        self._failure = failure
        self.recheck()
