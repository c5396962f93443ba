"""`GET /events`: everything that one may see, from any position, for curl, scripts and EventSource.

    ?epoch=&pos=                    what came after, up to `limit`; `recovered` false and why, where it can't be
    ?epoch=&pos=&wait=20            the same; when there is nothing yet, the answer waits for it
    Accept: text/event-stream       a stream: what came after (also after Last-Event-ID), then what happens
    neither epoch nor pos           where the server is now

The words are colon's, or those of `?dialect=`. The stream is in chatd/rest/event_stream.py.

A request that waits ends with the account, the token or the server of its user, as a socket does.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import trio
from msgspec import Raw

from chatd.connections.channel import encode_missed
from chatd.connections.join import position_of
from chatd.connections.resume import ResumeRequest, find_gap
from chatd.core.app import App, ManagedConnection
from chatd.realtime.encoder import EventEncoder
from chatd.realtime.event_waiters import EventWaiter
from chatd.services import replay
from chatd.services.context import Actor
from chatd.services.replay import MissedEvents
from chatd.store.queries import conversations
from chatd.store.sqlite.transaction import ReadTransaction
from protocol.dialects.encode import encode
from protocol.dialects.words import COUNT
from protocol.errors import AUTH_INVALID, BAD_REQUEST, SIGNED_OUT, Closing, Refusal
from protocol.framings import sse

LONGEST_WAIT_SECONDS = 60.0
LONGEST_NUMBER = 16  # characters
DEFAULT_LIMIT = 100
SCANNED = 500  # rows of the log between two looks at how much was found


def read_query(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The fields of a query, each of which may be there once."""
    query: dict[str, str] = {}
    for name, value in items:
        if name in query:
            raise Refusal(BAD_REQUEST, f"{name[:100]!r} is there twice", field=name[:100])
        query[name] = value
    return query


def where_from(app: App, query: dict[str, str], last_event_id: str | None) -> ResumeRequest | None:
    """Where the client was, if it says so."""
    if last_event_id:
        last = sse.read_id(last_event_id)
        position = position_of(last.position)
        return ResumeRequest(last.epoch, position, mark=last.mark if position > 0 else b"")  # nothing happened at 0
    if "epoch" in query or "pos" in query:
        return ResumeRequest(query.get("epoch", app.database.epoch), position_of(query.get("pos", "")))
    return None


def face_of(app: App, query: dict[str, str], push: sse.Push) -> EventEncoder:
    """How the events are told: in all words of the dialect that is asked for."""
    spoken = app.dialect_of("/chat", query.get("dialect"))
    namespace = next(iter(spoken.vocabularies))
    return EventEncoder(spoken, namespace, push, bytes, spoken.everything)


async def listing(app: App, actor: Actor, query: dict[str, str]) -> bytes:
    """The list, as JSON."""
    back = where_from(app, query, None)
    face = face_of(app, query, sse.entry)
    limit = min(
        COUNT.read_text(query["limit"]) if "limit" in query else DEFAULT_LIMIT, app.config.limits.page or 10_000
    )
    seconds = _seconds(query["wait"]) if "wait" in query else 0.0
    found: list[bytes] = []
    gap, more = None, False
    position = app.broker.position
    if back is not None:
        gap = await find_gap(app, actor, back)
        if gap is None:
            await _wait(app, actor, back.position, seconds)
            found, position, more = await _after(app, actor, face, back.position, limit)
            gap = await find_gap(app, actor, back)  # it may have been trimmed meanwhile
            found = found if gap is None else []
    _check(app, actor)
    said = {
        "epoch": app.database.epoch,
        "pos": position,
        "recovered": back is not None and gap is None,
        "events": [Raw(one) for one in found],
        "more": more,
    }
    return encode(said if gap is None else {**said, "reason": gap})


def _seconds(text: str) -> float:
    """The seconds of `wait`: digits, perhaps with a fraction."""
    if len(text) > LONGEST_NUMBER or not (text.isascii() and text.replace(".", "", 1).isdecimal()):
        raise Refusal(BAD_REQUEST, "wait must be a number of seconds", field="wait")
    return min(float(text), LONGEST_WAIT_SECONDS)


def _check(app: App, actor: Actor) -> None:
    """The account may have changed and the token may have expired while the request waited."""
    if actor.expires <= app.clock():
        raise Refusal(AUTH_INVALID, "The token has expired")
    app.authenticator.check_current(actor)


class LongPoll(ManagedConnection):
    """A request that waits for events."""

    __slots__ = ("_actor", "closing", "waiter")

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self.closing: Closing | None = None
        self.waiter = EventWaiter(actor.id)

    @property
    def users(self) -> set[int]:
        return {self._actor.id}

    @property
    def sids(self) -> set[str | None]:
        return {self._actor.sid}

    @property
    def sessions(self) -> set[str]:
        return set()

    def close_with(self, closing: Closing) -> None:
        self.closing = self.closing or closing
        self.waiter.wake()

    def check(self, now: float, clock: float) -> None:
        if self._actor.expires <= clock:
            self.close_with(SIGNED_OUT)


class Glance(NamedTuple):
    """What a long poll reads: the next piece of what its user missed, and the conversations of the user."""

    piece: MissedEvents
    conversations: list[int]


def _glance(tx: ReadTransaction, user: int, position: int, end: int) -> Glance:
    return Glance(replay.missed(tx, user, position, end, SCANNED), conversations.of_user(tx, user))


async def _wait(app: App, actor: Actor, position: int, seconds: float) -> None:
    """Wait until something concerns the user, if there is nothing yet."""
    poll = LongPoll(actor)
    waiters = app.dispatch.event_waiters
    app.connections.add(poll)
    try:
        with trio.move_on_after(seconds):
            while poll.closing is None:
                end = app.broker.position
                seen = await app.database.read(partial(_glance, user=actor.id, position=position, end=end))
                if seen.piece.published or seen.piece.lost:
                    break
                position = seen.piece.reached
                if seen.piece.all:
                    waiters.register(poll.waiter, seen.conversations)
                    if app.broker.position <= position:
                        await poll.waiter.wait()
    finally:
        app.connections.discard(poll)
        waiters.remove(poll.waiter)
    if poll.closing is not None and not poll.closing.retry:
        raise Refusal(AUTH_INVALID)


async def _after(
    app: App, actor: Actor, face: EventEncoder, position: int, limit: int
) -> tuple[list[bytes], int, bool]:
    """Events after a position: as JSON, the position reached, and whether there is more."""
    found: list[bytes] = []
    end = app.broker.position
    while position < end:
        piece = await app.database.read(
            partial(replay.missed, user=actor.id, position=position, end=end, limit=SCANNED)
        )
        if piece.lost:
            break
        for told in piece.published:
            if len(found) >= limit:
                return found, position, True
            found += encode_missed(face, actor.id, told, None)
            position = told.position or position
        position = piece.reached
    return found, position, False
