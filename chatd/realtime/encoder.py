"""Event encoders: how events become bytes for one kind of client: a framing, a dialect, a namespace and a wire.

All clients of an encoder receive the same bytes. So an event is encoded once for each encoder, for any number of
clients.
"""

from __future__ import annotations

from collections.abc import Callable

from protocol.dialects.encode import OutboundEncoder, encode, outbound_encoders
from protocol.dialects.grammar import Dialect, Vocabulary
from protocol.events import Event
from protocol.ids import Ref

Push = Callable[[str, str, bytes, int | None, str | None], bytes]
Pack = Callable[[bytes], bytes]


MAX_CACHED_ROOM_NAMES = 10_000


class EventEncoder:
    """`push` is the framing's: it makes a frame of an event. `pack` is the wire's: it makes a message of a frame."""

    __slots__ = ("_places", "_rooms", "dialect", "namespace", "pack", "push", "shapes")

    def __init__(
        self, dialect: Dialect, namespace: str, push: Push, pack: Pack, vocabulary: Vocabulary | None = None
    ) -> None:
        self.dialect = dialect
        self.namespace = namespace
        self.push = push
        self.pack = pack
        self.shapes = outbound_encoders(vocabulary or dialect.vocabulary(namespace))
        self._rooms: dict[Ref, str] = {}
        self._places = {(event, shape.audience) for event, shapes in self.shapes.items() for shape in shapes}

    def has_event(self, event: type[Event], at: str) -> bool:
        """Whether the dialect has a shape for the event at that kind of place."""
        return (event, at) in self._places

    def encode(self, event: Event, at: str, position: int | None) -> list[tuple[bytes, bool]]:
        """What an event becomes at a kind of place: bytes, and whether all users but the event's actor receive them."""
        shapes = self.shapes.get(type(event), ())
        return [
            (self.encode_as(shape, event, position), shape.others_only)
            for shape in shapes
            if shape.audience == at and shape.applies(event)
        ]

    def encode_as(self, shape: OutboundEncoder, event: Event, position: int | None) -> bytes:
        return self.frame(shape.name, shape.encode(event), position, self._room(event))

    def frame(self, name: str, body: bytes, position: int | None = None, room: str | None = None) -> bytes:
        return self.pack(self.push(self.namespace, name, body, position, room))

    def error(self, name: str, body: object) -> bytes:
        return self.frame(name, encode(body))

    def _room(self, event: Event) -> str | None:
        """The name of the conversation's room in the dialect."""
        ref = event.room
        if ref is None:
            return None
        name = self._rooms.get(ref)
        if name is None:
            if len(self._rooms) >= MAX_CACHED_ROOM_NAMES:
                self._rooms.clear()
            name = self._rooms[ref] = f"conversation:{self.dialect.conversation_id.write(ref)}"
        return name
