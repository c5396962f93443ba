"""What outlives a connection: where the stream goes on, the rooms, the buffer, and a gap that is still to be told."""

from __future__ import annotations

from chatd.client.buffer import Buffer
from chatd.client.events import Mark, StreamGap
from chatd.client.rooms import Rooms


class StreamState:
    """`mark` is where the network goes on; what waits in the buffer is known to it and not yet to the reader."""

    def __init__(self, buffer: Buffer, mark: Mark | None) -> None:
        self.buffer = buffer
        self.rooms = Rooms()
        self.mark = mark or Mark("", 0)
        self.owed: str | None = None
        """Why a gap must be told of, once the rooms are joined again."""
        self._before = self.mark

    def keep(self, mark: Mark) -> Mark:
        """The mark to keep with an event. Before a gap is told of it is the one before the gap, or who goes on from
        there would never hear of it."""
        return mark if self.owed is None else self._before

    def begin(self, epoch: str, position: int, connection: str, *, recovered: bool, reason: str | None) -> None:
        """A connection is ready."""
        if recovered:
            self.mark = Mark(self.mark.epoch, self.mark.position, self.mark.names, connection)
            return
        if self.mark.epoch:
            self._before = self.keep(self.mark)
            self.owed = reason or "none"
        self.mark = Mark(epoch, position, connection=connection)

    def tell_gap(self) -> None:
        """A gap is told of whatever the buffer holds."""
        gap = StreamGap(data=self.owed)
        self.owed = None
        self.buffer.force((gap, self.mark))
