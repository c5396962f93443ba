"""A chair: a seat with what its connection needs to answer in it; and what is known when one is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from chatd.connections.resume import Arrival, Back, arrive
from chatd.realtime.broker import Link, Seat
from chatd.realtime.encoder import Face
from chatd.services import admission
from chatd.services.context import Actor, Told
from chatd.services.replay import Missed
from chatd.store.queries.sessions import Room
from chatd.store.sqlite.transaction import Transaction
from protocol.dialects.codec import Speech
from protocol.events import JOINED, USER


class Comeback(NamedTuple):
    """Where somebody comes back from, and the position up to which they have been told by now."""

    where: Back
    reached: int


NOTHING_MISSED = Arrival([], None, Missed([], 0, all=True))


class Chair(Seat):
    """A seat, with what its connection needs to answer in it."""

    __slots__ = ("_moves", "actor", "memory", "speech")

    def __init__(
        self,
        link: Link,
        face: Face,
        actor: Actor,
        speech: Speech,
        *,
        everywhere: bool = False,
        memory: str | None = None,
    ) -> None:
        super().__init__(link, face, actor.id, everywhere=everywhere)
        self.actor = actor
        self.speech = speech
        self.memory = memory  # the name under which its rooms are remembered, if they are
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


def spell_missed(face: Face, user: int, told: Told, rooms: Mapping[int, Room] | None) -> Iterator[bytes]:
    """An event as a user would have been told it, had they been here, in those rooms (None: in all)."""
    event, position = told
    for at, number in event.places:
        if at == USER and number != user:
            continue
        if at == JOINED and rooms is not None and not (number in rooms and rooms[number].had(position)):
            continue
        for data, others in face.spell(event, at, position):
            if not (others and event.actor == user):
                yield data


def arrive_at(tx: Transaction, actor: Actor, back: Comeback | None, session: str | None) -> Arrival:
    """What is known when a seat is taken, anew or by somebody who comes back; read in the order of the writes."""
    if back is None:
        return Arrival(admission.arrive(tx, actor.id).standings, None, NOTHING_MISSED.missed)
    return arrive(tx, actor, back.where, back.reached, session)
