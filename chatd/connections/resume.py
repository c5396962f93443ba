"""Coming back: what a connection missed, told in order, and from then on what happens, with no gap and no overlap.

    1  is there a gap?                      epoch, trimmed, too far: then it begins anew, and is told why
    2  pieces of the log                    told one after the other, as fast as the client takes them
    3  the last piece and the seat          one unit of work: read in the order of the writes, and in the moment at
                                            which it is done, told, seated and live, before anything later is told

As pieces are read faster than they can be written, the rest gets short; how long it may be in step 3 is LAST. That
piece can't wait for the client, so it is only ever what was written while the one before was told.

A session keeps its name for as long as somebody comes back to it: whichever `ready` the client has heard last names it.
What is not kept any more by the time that it is read ends the connection; when it comes back it is told why.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NamedTuple, TypeAlias

from chatd.core.app import App
from chatd.services import admission, replay
from chatd.services.context import Actor, Published
from chatd.services.replay import MissedEvents
from chatd.store.queries import event_log, sessions
from chatd.store.queries.messages import StoredReadState
from chatd.store.queries.sessions import Room
from chatd.store.sqlite.transaction import ReadTransaction, Transaction

LAST = 100
ROUNDS = 1_000
IN_USE = 2 * 3_600_000  # a session in use is said to be at least that often (chatd/server/retention.py)
DAY = 86_400_000


SeatRooms: TypeAlias = tuple[Mapping[int, Room], ...]
"""The rooms that each of some seats had joined."""


class ResumeRequest(NamedTuple):
    """Where somebody comes back from: epoch and position, and the connection whose rooms they had joined.

    `names` are those of its sessions, one for each namespace, in the order of the seats; none where none is named.
    Where one position may be told in several frames, `mark` is how the last one that was heard
    begins or ends.
    """

    epoch: str
    position: int
    session: str | None = None
    mark: bytes = b""
    names: tuple[str, ...] = ()


class JoinState(NamedTuple):
    """What the seat is taken with: the conversations, the rooms to join again, and the last piece of what was missed.

    `rooms` are those of the sessions that are named, in the order of the seats, and None where none is: then all that
    may be seen was missed.
    """

    read_states: list[StoredReadState]
    rooms: SeatRooms | None
    missed: MissedEvents


async def find_gap(app: App, actor: Actor, back: ResumeRequest) -> str | None:
    """Why somebody can't go on where they were; None when they can."""
    position, epoch = app.broker.position, app.database.epoch
    keep = app.config.events.keep_days * DAY

    def look(tx: ReadTransaction) -> str | None:
        found = replay.find_gap(
            tx, back.epoch, back.position, current_epoch=epoch, newest=position, inclusive=bool(back.mark)
        )
        if found is None and back.names:
            owners = {sessions.owner(tx, name) for name in back.names}
            if back.session is not None and back.session not in back.names and sessions.owner(tx, back.session):
                return "connection"  # its rooms were remembered before each namespace had a session of its own
            if owners - {None, actor.id} or (owners == {None} and keep and _may_be_forgotten(tx, back.position, keep)):
                return "connection"
        return found.reason if found else None

    return await app.database.read(look)


def _may_be_forgotten(tx: ReadTransaction, position: int, keep: int) -> bool:
    """Whether a session that nobody remembers had rooms, so long ago that they are forgotten; else it never had any."""
    at = event_log.at(tx, position)
    return position > 0 and (at is None or at < tx.now - keep + IN_USE)


class RememberedRooms(NamedTuple):
    """The rooms that the named sessions had joined, and whether any is known: one that never joined any is not."""

    rooms: SeatRooms | None
    known: bool


async def remembered_rooms(app: App, actor: Actor, back: ResumeRequest) -> RememberedRooms:
    """What is known of the sessions that are named."""
    names = back.names
    if not names:
        return RememberedRooms(None, False)

    def look(tx: ReadTransaction) -> RememberedRooms:
        known = any(sessions.owner(tx, name) == actor.id for name in names)
        return RememberedRooms(tuple(sessions.rooms(tx, name, actor.id) for name in names), known)

    return await app.database.read(look)


async def catch_up(app: App, actor: Actor, position: int, tell: Callable[[list[Published]], Awaitable[None]]) -> int:
    """Tell what was missed, piece by piece, until little is left; the position that was reached."""
    batch = app.config.limits.replay_batch or LAST
    for _ in range(ROUNDS):
        end = app.broker.position
        if position >= end:
            break
        piece = await app.database.read(
            partial(replay.read_missed, user=actor.id, position=position, end=end, limit=batch)
        )
        if piece.trimmed:
            break  # step 3 finds the same
        position = piece.reached
        await tell(piece.published)
        if piece.complete and app.broker.position - position <= LAST:
            break
    return position


def resume_state(tx: Transaction, actor: Actor, back: ResumeRequest, position: int, session: str | None) -> JoinState:
    """Step 3, in the order of the writes. `session` is the one that goes on."""
    rooms = None
    if back.names:
        rooms = tuple(sessions.rooms(tx, name, actor.id) for name in back.names)
        if session in back.names:
            sessions.touch(tx, list(back.names))  # they are still in use
    missed = replay.read_missed(tx, actor.id, position, tx.sequences["position"], 1_000_000)
    return JoinState(admission.initial_state(tx, actor.id).read_states, rooms, missed)
