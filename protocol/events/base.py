"""The audiences of events, and the base classes of events."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from msgspec import Struct

from protocol.ids import Ref

JOINED = "joined"
MEMBERS = "members"
USER = "user"
PEERS = "peers"
EVERYONE = "everyone"

Audience: TypeAlias = tuple[str, int]


class Event(Struct, frozen=True):
    """Base class of all events. A `droppable` event is dropped for a client whose queue is full."""

    durable: ClassVar[bool] = True
    droppable: ClassVar[bool] = False

    @property
    def audiences(self) -> tuple[Audience, ...]:
        raise NotImplementedError

    @property
    def actor(self) -> int:
        return 0

    @property
    def room(self) -> Ref | None:
        """The conversation of the event, or None."""
        return getattr(self, "conversation", None)


class ToConversation(Event, frozen=True):
    """Base class of the events of a `conversation` for the sockets that joined it, and for its members."""

    @property
    def audiences(self) -> tuple[Audience, ...]:
        assert self.room is not None
        return ((JOINED, self.room[0]), (MEMBERS, self.room[0]))


class ToUser(Event, frozen=True):
    """Base class of the events for one `user`."""

    @property
    def audiences(self) -> tuple[Audience, ...]:
        user: Ref = getattr(self, "user")  # noqa: B009 - a field of each subclass
        return ((USER, user[0]),)


class Ephemeral(Event, frozen=True):
    """Base class of events that matter only at once. They are not stored, and slow clients may miss them."""

    durable: ClassVar[bool] = False
    droppable: ClassVar[bool] = True
