"""The state that outlives a connection: the mark of the stream, the rooms, the buffer, and an undelivered gap."""

from __future__ import annotations

from chatd.client.buffer import EventBuffer
from chatd.client.events import Mark, StreamGap
from chatd.client.rooms import JoinedRooms


class StreamState:
    """`mark` is where the next connection continues. It includes the events in the buffer that were not read yet."""

    def __init__(self, buffer: EventBuffer, mark: Mark | None) -> None:
        self.buffer = buffer
        self.rooms = JoinedRooms()
        self.mark = mark or Mark("", 0)
        self.gap_reason: str | None = None
        """The reason of a gap that is not delivered yet. It is delivered once the rooms are joined again."""
        self._mark_before_gap = self.mark

    def resume_mark(self, mark: Mark) -> Mark:
        """The mark to store with an event.

        Until the gap is delivered, this is the mark before the gap. A client that resumed from a later mark would
        never receive the gap.
        """
        return mark if self.gap_reason is None else self._mark_before_gap

    def on_ready(self, epoch: str, position: int, connection: str, *, recovered: bool, reason: str | None) -> None:
        """Take over the `ready` of a new connection."""
        if recovered:
            self.mark = Mark(self.mark.epoch, self.mark.position, self.mark.names, connection)
            return
        if self.mark.epoch:
            self._mark_before_gap = self.resume_mark(self.mark)
            self.gap_reason = reason or "none"
        self.mark = Mark(epoch, position, connection=connection)

    def deliver_gap(self) -> None:
        """Add the gap to the buffer, even to a full one."""
        gap = StreamGap(data=self.gap_reason)
        self.gap_reason = None
        self.buffer.put_now((gap, self.mark))
