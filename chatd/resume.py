"""Coming back: what a connection missed, told in order, and from then on what happens, with no gap and no overlap.

    1  is there a gap?                      epoch, trimmed, too far: then it begins anew, and is told why
    2  pieces of the log                    told one after the other, as fast as the client takes them
    3  the last piece and the seat          one unit of work: read in the order of the writes, and in the moment at
                                            which it is done, told, seated and live, before anything later is told

As pieces are read faster than they can be written, the rest gets short; how long it may be in step 3 is LAST.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from chatd.house import House
from chatd.services import entry, replay
from chatd.services.replay import Missed
from chatd.services.work import Actor, Told
from chatd.store import sessions
from chatd.store.messages import Standing
from chatd.store.transaction import Reading, Transaction

LAST = 100
ROUNDS = 1_000


class Back(NamedTuple):
    """Where somebody comes back from: epoch and position, and the session whose rooms they had joined."""

    epoch: str
    position: int
    session: str | None = None


class Arrival(NamedTuple):
    """What the seat is taken with: the conversations, the rooms to join again, and the last piece of what was missed.

    `rooms` are those of the session that is named, and None where none is: then all that may be seen was missed.
    """

    standings: list[Standing]
    rooms: dict[int, bool] | None
    missed: Missed


async def find_gap(house: House, actor: Actor, back: Back) -> str | None:
    """Why somebody can't go on where they were; None when they can."""
    position, epoch = house.broker.position, house.database.epoch

    def look(tx: Reading) -> str | None:
        found = replay.gap(tx, back.epoch, back.position, of=epoch, now=position)
        if found is None and back.session is not None and sessions.owner(tx, back.session) not in (None, actor.id):
            return "connection"
        return found.reason if found else None

    return await house.database.read(look)


async def rooms_of(house: House, actor: Actor, back: Back) -> dict[int, bool] | None:
    """The rooms that the named session had joined."""
    session = back.session
    if session is None:
        return None
    return await house.database.read(lambda tx: sessions.rooms(tx, session, actor.id))


async def catch_up(house: House, actor: Actor, position: int, tell: Callable[[list[Told]], Awaitable[None]]) -> int:
    """Tell what was missed, piece by piece, until little is left; the position that was reached."""
    batch = house.config.limits.replay_batch or LAST
    for _ in range(ROUNDS):
        end = house.broker.position
        if end - position <= LAST:
            break
        piece = await house.database.read(
            partial(replay.missed, user=actor.id, position=position, end=end, limit=batch)
        )
        position = piece.reached
        await tell(piece.told)
    return position


def arrive(tx: Transaction, actor: Actor, back: Back, position: int, session: str | None) -> Arrival:
    """Step 3, in the order of the writes. With `session` the rooms go on under that name."""
    rooms = None
    if back.session is not None:
        rooms = sessions.rooms(tx, back.session, actor.id)
        if session == back.session:
            sessions.open(tx, session, actor.id)  # it is still in use
        elif session is not None:
            sessions.close(tx, back.session, actor.id)
            _carry_over(tx, actor, rooms, session)
    missed = replay.missed(tx, actor.id, position, tx.sequences["position"], 1_000_000)
    return Arrival(entry.arrive(tx, actor.id).standings, rooms, missed)


def _carry_over(tx: Transaction, actor: Actor, rooms: dict[int, bool], session: str) -> None:
    """Remember those rooms under another name."""
    if rooms:
        sessions.open(tx, session, actor.id)
    for number, member in rooms.items():
        if member:
            sessions.join(tx, session, number)
