"""How a client resumes: it receives what it missed, in order, and then new events, with no gap and no overlap.

    1  is there a gap?                      epoch, trimmed, too far: then the client joins as a new one, with the reason
    2  pieces of the event log              sent one after the other, as fast as the client receives
    3  the last piece and the join          one unit of work, read in the order of the writes. When it is done, the last
                                            piece is sent and the channels are subscribed, before any later event

Pieces are read faster than events can be written, so the rest gets short. MAX_LAST_PIECE says at how many rows step 3
begins. The last piece can't wait for the client: it holds only what was written while the piece before was sent.

A session keeps its name while clients resume it: the last `ready` that the client received names it. A position that is
trimmed before its piece is read ends the connection. When the client connects again, it receives the reason.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NamedTuple, TypeAlias

from chatd.core.app import App
from chatd.services import admission, replay
from chatd.services.context import Actor, Published
from chatd.services.replay import MissedEvents
from chatd.services.sessions import keep_sessions
from chatd.store.queries import event_log, sessions
from chatd.store.queries.read_states import StoredReadState
from chatd.store.queries.sessions import Room
from chatd.store.sqlite.transaction import ReadTransaction, Transaction

MAX_LAST_PIECE = 100  # rows of the event log
MAX_PIECES = 1_000
MAX_LAST_ROWS = 1_000_000  # of the last piece, which is read whole
SESSION_KEPT_MILLISECONDS = 2 * 3_600_000
"""A session in use is recorded as such at least that often (chatd/server/retention.py)."""
DAY_MILLISECONDS = 86_400_000


ChannelRooms: TypeAlias = tuple[Mapping[int, Room], ...]
"""The rooms that the session of each channel had joined, in the order of the channels."""


class ResumeRequest(NamedTuple):
    """Where a client was: epoch and position, and the connection whose rooms it had joined.

    `session_names` has a session for each namespace, in the order of the channels; it is empty when the client names
    none. One position may have several frames: `mark` is the beginning or the end of the last one that was received.
    """

    epoch: str
    position: int
    session: str | None = None
    mark: bytes = b""
    session_names: tuple[str, ...] = ()


class JoinState(NamedTuple):
    """What a join needs: the user's conversations, the rooms to join again, and the last piece of what was missed.

    `rooms` is None when the client names no session: then it missed everything that its user may see.
    """

    read_states: list[StoredReadState]
    rooms: ChannelRooms | None
    missed: MissedEvents


async def find_gap(app: App, actor: Actor, resume: ResumeRequest) -> str | None:
    """Why a client can't resume; None when it can."""
    position, epoch = app.broker.position, app.database.epoch
    keep = app.config.events.keep_days * DAY_MILLISECONDS
    names = resume.session_names

    def read(tx: ReadTransaction) -> str | None:
        gap = replay.find_gap(
            tx, resume.epoch, resume.position, current_epoch=epoch, newest=position, inclusive=bool(resume.mark)
        )
        if gap is not None:
            return gap.reason
        if not names:
            return None
        owners = {sessions.owner(tx, name) for name in names}
        if resume.session is not None and resume.session not in names and sessions.owner(tx, resume.session):
            return "connection"  # its rooms were stored before each namespace had a session of its own
        if owners - {None, actor.id} or (owners == {None} and keep and _may_be_deleted(tx, resume.position, keep)):
            return "connection"
        return None

    return await app.database.read(read)


def _may_be_deleted(tx: ReadTransaction, position: int, keep: int) -> bool:
    """Whether an unknown session may have had rooms, so long ago that it was deleted. Else it never had rooms."""
    at = event_log.at(tx, position)
    return position > 0 and (at is None or at < tx.now - keep + SESSION_KEPT_MILLISECONDS)


class SessionRooms(NamedTuple):
    """The rooms of the sessions that a client names, and whether any session is stored.

    A session that has joined no room is not stored.
    """

    rooms: ChannelRooms | None
    is_stored: bool


async def read_session_rooms(app: App, actor: Actor, resume: ResumeRequest) -> SessionRooms:
    names = resume.session_names
    if not names:
        return SessionRooms(None, False)

    def read(tx: ReadTransaction) -> SessionRooms:
        is_stored = any(sessions.owner(tx, name) == actor.id for name in names)
        return SessionRooms(tuple(sessions.rooms(tx, name, actor.id) for name in names), is_stored)

    return await app.database.read(read)


async def catch_up(app: App, actor: Actor, position: int, send: Callable[[list[Published]], Awaitable[None]]) -> int:
    """Send what was missed, piece by piece, until little is left. Return the position that was reached."""
    batch = app.config.limits.replay_batch or MAX_LAST_PIECE
    for _ in range(MAX_PIECES):
        end = app.broker.position
        if position >= end:
            break
        piece = await app.database.read(
            partial(replay.read_missed, user=actor.id, position=position, end=end, limit=batch)
        )
        if piece.trimmed:
            break  # step 3 finds the same
        position = piece.reached
        await send(piece.published)
        if piece.complete and app.broker.position - position <= MAX_LAST_PIECE:
            break
    return position


def read_resume_state(
    tx: Transaction, actor: Actor, resume: ResumeRequest, position: int, session: str | None
) -> JoinState:
    """Step 3, in the order of the writes. `session` is the session that continues."""
    rooms = None
    if resume.session_names:
        rooms = tuple(sessions.rooms(tx, name, actor.id) for name in resume.session_names)
        if session in resume.session_names:
            keep_sessions(tx, list(resume.session_names))
    missed = replay.read_missed(tx, actor.id, position, tx.sequences["position"], MAX_LAST_ROWS)
    return JoinState(admission.initial_state(tx, actor.id).read_states, rooms, missed)
