"""A channel: one open namespace of a connection, with its user, its dialect and the rooms of its session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from chatd.connections.resume import JoinState, ResumeRequest, read_resume_state
from chatd.connections.room_changes import RoomChanges
from chatd.realtime.broker import Sink, Subscriber
from chatd.realtime.encoder import EventEncoder
from chatd.services import admission
from chatd.services.context import Actor, Published
from chatd.services.replay import MissedEvents
from chatd.store.queries.sessions import Room
from chatd.store.sqlite.transaction import Transaction
from protocol.dialects.codec import NamespaceCodec
from protocol.events import JOINED, USER


class ResumePoint(NamedTuple):
    """What a client asked to resume, and the position up to which it has received the missed events by now."""

    request: ResumeRequest
    reached: int


NOTHING_MISSED = JoinState([], None, MissedEvents([], 0, complete=True))


class Channel(Subscriber):
    """A subscriber that can also call: it knows its actor and its codec.

    `session` is the name under which its rooms are stored; None when they are not.
    """

    __slots__ = ("actor", "codec", "room_changes", "session")

    def __init__(
        self,
        sink: Sink,
        encoder: EventEncoder,
        actor: Actor,
        codec: NamespaceCodec,
        *,
        in_all_rooms: bool = False,
        session: str | None = None,
    ) -> None:
        super().__init__(sink, encoder, actor.id, in_all_rooms=in_all_rooms)
        self.actor = actor
        self.codec = codec
        self.session = session
        self.room_changes = RoomChanges()


def encode_missed(
    encoder: EventEncoder, user: int, missed: Published, rooms: Mapping[int, Room] | None
) -> Iterator[bytes]:
    """The frames of one missed event, as the user would have received it in these rooms (None: in all rooms)."""
    event, position = missed
    for at, number in event.audiences:
        if at == USER and number != user:
            continue
        if at == JOINED and rooms is not None and not (number in rooms and rooms[number].was_joined_at(position)):
            continue
        for data, others in encoder.encode(event, at, position):
            if not (others and event.actor == user):
                yield data


def read_join_state(tx: Transaction, actor: Actor, resume: ResumePoint | None, session: str | None) -> JoinState:
    """What a connection needs when its channels are subscribed. Read in the order of the writes."""
    if resume is None:
        return JoinState(admission.initial_state(tx, actor.id).read_states, None, NOTHING_MISSED.missed)
    return read_resume_state(tx, actor, resume.request, resume.reached, session)
