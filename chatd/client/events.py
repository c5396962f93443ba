"""Events, gaps between events, and the mark from which a stream of events continues.

Every push that can be missed has a position. One position can have several pushes with different names: `pairs` sends
a message as `new_message` and as `message_notification`. A connection can end between them. So a mark is a position
with the names that were received at it. To resume, the client requests everything after the position before that one,
and drops the pushes that it has received already.

A mark without names is the `pos` of a `ready`: the client knows all earlier events from another source. The server may
send pushes with that same position, such as the unread count, and the client takes them.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace


class StreamEvent(Struct, frozen=True):
    """One push. `position` is None for events that the server does not keep (typing, presence, counts).

    `room` names the room of the event, if it has one.
    """

    name: str
    data: Any = None
    position: int | None = None
    room: str | None = None


class StreamGap(StreamEvent, frozen=True):
    """Some events were missed and are not available any more: load again what you show. Later events are complete."""

    name: str = "gap"

    @property
    def reason(self) -> str:
        return str(self.data)


class Mark(Struct, frozen=True):
    """Where a stream continues: the database, the position, and the names of the events received at it."""

    epoch: str
    position: int
    names: frozenset[str] = frozenset()
    connection: str = ""

    def includes(self, event: StreamEvent) -> bool:
        """Whether the event was received before."""
        if event.position is None or event.position > self.position:
            return False
        return event.position < self.position or event.name in self.names

    def after(self, event: StreamEvent) -> Mark:
        """The mark after the event is received."""
        position, name = event.position, frozenset((event.name,))
        if position is None or (position == self.position and not self.names):
            return self
        return replace(self, position=position, names=self.names | name if position == self.position else name)

    def query(self) -> dict[str, str]:
        """The query parameters with which the next connection resumes the last one."""
        position = self.position - 1 if self.names else self.position
        fields = {"epoch": self.epoch, "pos": str(position)}
        return fields | ({"connection": self.connection} if self.connection else {})
