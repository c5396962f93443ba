"""What a chat tells: events, and the gaps between them; and the mark from which a stream of them goes on.

Every push that can be missed has a position. One position can have several pushes of different names (`pairs` tells of
a message as `new_message` and as `message_notification`), and a connection can be cut between them. So a mark is a
position with the names that were heard at it: to go on is to ask for everything after the position before, and to drop
what is known. Without names it is the `pos` of a `ready`: all until then is known from elsewhere, and what the server
tells as of that very position (how many are unread) is told beside it.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace


class StreamEvent(Struct, frozen=True):
    """One push. `position` is None for what is not kept (typing, presence, counts); `room` where it belongs to one."""

    name: str
    data: Any = None
    position: int | None = None
    room: str | None = None


class StreamGap(StreamEvent, frozen=True):
    """Something was missed and can't be told any more: load anew what you show. What follows is complete again."""

    name: str = "gap"

    @property
    def reason(self) -> str:
        return str(self.data)


class Mark(Struct, frozen=True):
    """Where a stream of events goes on: in which database, after which position, and what was heard at it."""

    epoch: str
    position: int
    names: frozenset[str] = frozenset()
    connection: str = ""

    def knows(self, event: StreamEvent) -> bool:
        """Whether an event was heard before."""
        if event.position is None or event.position > self.position:
            return False
        return event.position < self.position or event.name in self.names

    def after(self, event: StreamEvent) -> Mark:
        """The mark once an event was heard."""
        position, name = event.position, frozenset((event.name,))
        if position is None or (position == self.position and not self.names):
            return self
        return replace(self, position=position, names=self.names | name if position == self.position else name)

    def query(self) -> dict[str, str]:
        """What the next connection says of the last one."""
        position = self.position - 1 if self.names else self.position
        said = {"epoch": self.epoch, "pos": str(position)}
        return said | ({"connection": self.connection} if self.connection else {})
