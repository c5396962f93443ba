"""A chair: a seat with what its connection needs to answer in it; and what is known when one is taken."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

from chatd.broker import Link, Seat
from chatd.face import Face
from chatd.resume import Arrival, Back, arrive
from chatd.services import entry
from chatd.services.replay import Missed
from chatd.services.work import Actor, Told
from chatd.store.transaction import Transaction
from protocol.dialects.speech import Speech
from protocol.events import JOINED, USER


class Comeback(NamedTuple):
    """Where somebody comes back from, and the position up to which they have been told by now."""

    where: Back
    reached: int


NOTHING_MISSED = Arrival([], None, Missed([], 0, all=True))


class Chair(Seat):
    """A seat, with what its connection needs to answer in it."""

    __slots__ = ("actor", "memory", "speech")

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


def spell_missed(face: Face, user: int, told: Told, rooms: Container[int] | None) -> Iterator[bytes]:
    """An event as a user would have been told it, had they been here, in those rooms (None: in all)."""
    event, position = told
    for at, number in event.places:
        if (at == JOINED and rooms is not None and number not in rooms) or (at == USER and number != user):
            continue
        for data, others in face.spell(event, at, position):
            if not (others and event.actor == user):
                yield data


def arrive_at(tx: Transaction, actor: Actor, back: Comeback | None, session: str | None) -> Arrival:
    """What is known when a seat is taken, anew or by somebody who comes back; read in the order of the writes."""
    if back is None:
        return Arrival(entry.arrive(tx, actor.id).standings, None, NOTHING_MISSED.missed)
    return arrive(tx, actor, back.where, back.reached, session)
