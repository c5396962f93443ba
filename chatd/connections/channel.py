"""A chair: a seat with what its connection needs to answer in it; and what is known when one is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from chatd.connections.resume import JoinState, ResumeRequest, resume_state
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
    """Where somebody comes back from, and the position up to which they have been told by now."""

    where: ResumeRequest
    reached: int


NOTHING_MISSED = JoinState([], None, MissedEvents([], 0, complete=True))


class Channel(Subscriber):
    """A seat, with what its connection needs to answer in it."""

    __slots__ = ("_moves", "actor", "codec", "remembered_as")

    def __init__(
        self,
        link: Sink,
        face: EventEncoder,
        actor: Actor,
        codec: NamespaceCodec,
        *,
        everywhere: bool = False,
        memory: str | None = None,
    ) -> None:
        super().__init__(link, face, actor.id, everywhere=everywhere)
        self.actor = actor
        self.codec = codec
        self.remembered_as = memory  # the name under which its rooms are remembered, if they are
        self._moves: dict[int, Moves] | None = None  # joins and leaves that are under way, by conversation

    def begin_move(self, number: int, *, joins: bool) -> None:
        """A join or a leave is under way."""
        if self._moves is None:
            self._moves = {}
        before = self._moves.get(number)
        self._moves[number] = Moves(1 if before is None else before.under_way + 1, joins)

    def end_move(self, number: int) -> None:
        if self._moves is not None:
            moves = self._moves.pop(number)
            if moves.under_way > 1:
                self._moves[number] = Moves(moves.under_way - 1, moves.joins)

    def may_join(self, number: int, most: int) -> bool:
        """Whether a join is within a limit (0: none), once all that is under way is done."""
        moves = self._moves or {}
        if not most or len(self.groups) + len(moves) <= most:
            return True
        rooms = {room for kind, room in self.groups if kind == JOINED}
        for room, move in moves.items():
            (rooms.add if move.joins else rooms.discard)(room)
        return number in rooms or len(rooms) < most


class Moves(NamedTuple):
    """How many joins and leaves of one conversation are under way, and whether the last one joins."""

    under_way: int
    joins: bool


def encode_missed(face: EventEncoder, user: int, told: Published, rooms: Mapping[int, Room] | None) -> Iterator[bytes]:
    """An event as a user would have been told it, had they been here, in those rooms (None: in all)."""
    event, position = told
    for at, number in event.audiences:
        if at == USER and number != user:
            continue
        if at == JOINED and rooms is not None and not (number in rooms and rooms[number].was_joined_at(position)):
            continue
        for data, others in face.encode(event, at, position):
            if not (others and event.actor == user):
                yield data


def read_join_state(tx: Transaction, actor: Actor, back: ResumePoint | None, session: str | None) -> JoinState:
    """What is known when a seat is taken, anew or by somebody who comes back; read in the order of the writes."""
    if back is None:
        return JoinState(admission.initial_state(tx, actor.id).read_states, None, NOTHING_MISSED.missed)
    return resume_state(tx, actor, back.where, back.reached, session)
