"""`GET /events`: everything that the user may see, from any position, for curl, scripts and EventSource.

    ?epoch=&pos=                    what came after, up to `limit`; or `recovered` false and the reason
    ?epoch=&pos=&wait=20            the same; the answer waits until there is an event
    Accept: text/event-stream       a stream: what came after (also after Last-Event-ID), then new events
    neither epoch nor pos           the position of the server now

The shapes are those of colon, or of `?dialect=`. The stream is in chatd/rest/event_stream.py.

A waiting request ends when the account is disabled, the token expires or the server stops, as a socket does.
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
from chatd.net.timer_wheel import NO_SLOT
from chatd.realtime.encoder import EventEncoder
from chatd.realtime.event_waiters import EventWaiter
from chatd.services import replay
from chatd.services.context import Actor
from chatd.services.replay import MissedEvents
from chatd.store.queries import conversations
from chatd.store.sqlite.transaction import ReadTransaction
from protocol.dialects.encode import encode
from protocol.dialects.fields import POSITIVE_INTEGER
from protocol.errors import AUTH_INVALID, BAD_REQUEST, SIGNED_OUT, Closing, Refusal
from protocol.framings import sse

MAX_WAIT_SECONDS = 60.0
MAX_WAIT_CHARACTERS = 16
DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000  # where the setting limits.page has none
ROWS_PER_READ = 500
"""Rows of the event log that are read at once. Then it is checked whether enough events were found."""


def read_query(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The fields of a query. A field that is there twice is refused."""
    query: dict[str, str] = {}
    for name, value in items:
        if name in query:
            raise Refusal(BAD_REQUEST, f"{name[:100]!r} is there twice", field=name[:100])
        query[name] = value
    return query


def resume_request(app: App, query: dict[str, str], last_event_id: str | None) -> ResumeRequest | None:
    """Where the client was; None when the request names no position."""
    if last_event_id:
        last = sse.read_id(last_event_id)
        position = position_of(last.position)
        return ResumeRequest(last.epoch, position, mark=last.mark if position > 0 else b"")  # no event has position 0
    if "epoch" in query or "pos" in query:
        return ResumeRequest(query.get("epoch", app.database.epoch), position_of(query.get("pos", "")))
    return None


def encoder_of(app: App, query: dict[str, str], push: sse.Push) -> EventEncoder:
    """The encoder for all events of the dialect that the query names."""
    dialect = app.dialect_of("/chat", query.get("dialect"))
    namespace = next(iter(dialect.vocabularies))
    return EventEncoder(dialect, namespace, push, bytes, dialect.all_events)


async def listing(app: App, actor: Actor, query: dict[str, str]) -> bytes:
    """The list of events, as JSON."""
    resume = resume_request(app, query, None)
    encoder = encoder_of(app, query, sse.event_json)
    limit = min(
        POSITIVE_INTEGER.read_text(query["limit"]) if "limit" in query else DEFAULT_LIMIT,
        app.config.limits.page or MAX_LIMIT,
    )
    seconds = _seconds(query["wait"]) if "wait" in query else 0.0
    found = FoundEvents([], app.broker.position, more=False)
    gap = None
    if resume is not None:
        gap = await find_gap(app, actor, resume)
        if gap is None:
            await _wait(app, actor, resume.position, seconds)
            found = await _events_after(app, actor, encoder, resume.position, limit)
            gap = await find_gap(app, actor, resume)  # the log may have been trimmed during the wait
    _check(app, actor)
    body = {
        "epoch": app.database.epoch,
        "pos": found.position,
        "recovered": resume is not None and gap is None,
        "events": [Raw(event) for event in found.events] if gap is None else [],
        "more": found.more,
    }
    return encode(body if gap is None else {**body, "reason": gap})


def _seconds(text: str) -> float:
    """The seconds of `wait`: digits, with or without a fraction."""
    if len(text) > MAX_WAIT_CHARACTERS or not (text.isascii() and text.replace(".", "", 1).isdecimal()):
        raise Refusal(BAD_REQUEST, "wait must be a number of seconds", field="wait")
    return min(float(text), MAX_WAIT_SECONDS)


def _check(app: App, actor: Actor) -> None:
    """The account may have changed and the token may have expired while the request waited."""
    if actor.expires <= app.clock():
        raise Refusal(AUTH_INVALID, "The token has expired")
    app.authenticator.check_current(actor)


class LongPoll(ManagedConnection):
    """A request that waits for events."""

    __slots__ = ("_actor", "closing", "slot", "waiter")

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self.slot = NO_SLOT
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

    def check(self, now: float, clock: float) -> float:
        if self._actor.expires <= clock:
            self.close_with(SIGNED_OUT)
        return now + self._actor.expires - clock


class LongPollRead(NamedTuple):
    """What a long poll reads: the next piece of what its user missed, and the conversations of the user."""

    piece: MissedEvents
    conversations: list[int]


def _read_piece(tx: ReadTransaction, user: int, position: int, end: int) -> LongPollRead:
    missed = replay.read_missed(tx, user, position, end, ROWS_PER_READ)
    return LongPollRead(missed, conversations.of_user(tx, user))


async def _wait(app: App, actor: Actor, position: int, seconds: float) -> None:
    """Wait until there is an event for the user after this position, or until the time is over."""
    poll = LongPoll(actor)
    waiters = app.event_waiters
    app.connection_opened(poll)
    try:
        with trio.move_on_after(seconds):
            while poll.closing is None:
                end = app.broker.position
                found = await app.database.read(partial(_read_piece, user=actor.id, position=position, end=end))
                if found.piece.published or found.piece.trimmed:
                    break
                position = found.piece.reached
                if found.piece.complete:
                    waiters.register(poll.waiter, found.conversations)
                    if app.broker.position <= position:
                        await poll.waiter.wait()
    finally:
        app.connection_closed(poll)
        waiters.remove(poll.waiter)
    if poll.closing is not None and not poll.closing.retry:
        raise Refusal(AUTH_INVALID)


class FoundEvents(NamedTuple):
    """Events as JSON, the position that they reach, and whether there are more."""

    events: list[bytes]
    position: int
    more: bool


async def _events_after(app: App, actor: Actor, encoder: EventEncoder, position: int, limit: int) -> FoundEvents:
    events: list[bytes] = []
    end = app.broker.position
    while position < end:
        piece = await app.database.read(
            partial(replay.read_missed, user=actor.id, position=position, end=end, limit=ROWS_PER_READ)
        )
        if piece.trimmed:
            break
        for published in piece.published:
            if len(events) >= limit:
                return FoundEvents(events, position, more=True)
            events += encode_missed(encoder, actor.id, published, None)
            position = published.position or position
        position = piece.reached
    return FoundEvents(events, position, more=False)
