"""`GET /events`: everything that one may see, from any position, for curl, scripts and EventSource.

    ?epoch=&pos=                    what came after, up to `limit`; `recovered` false and why, where it can't be
    ?epoch=&pos=&wait=20            the same; when there is nothing yet, the answer waits for it
    Accept: text/event-stream       a stream: what came after (also after Last-Event-ID), then what happens
    neither epoch nor pos           where the server is now

The words are colon's, or those of `?dialect=`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import trio
from msgspec import Raw

from chatd.chair import Chair, spell_missed
from chatd.comeback import begin, position_of
from chatd.connection import Connection
from chatd.face import Face
from chatd.house import House
from chatd.log import log
from chatd.metrics import CONNECTIONS_OPENED
from chatd.resume import Back, find_gap
from chatd.services import replay
from chatd.services.work import Actor
from protocol.dialects.grammar import Dialect
from protocol.dialects.saying import encode
from protocol.dialects.words import COUNT
from protocol.errors import BAD_REQUEST, GOING_AWAY, Refusal
from protocol.frames import Packet
from protocol.framings import sse
from protocol.framings.jsonrpc import JsonRpc

LONGEST_WAIT = 60.0
SCANNED = 500  # rows of the log between two looks at how much was found


def where_from(house: House, query: dict[str, str], last_event_id: str | None) -> Back | None:
    """Where the client was, if it says so."""
    if last_event_id:
        epoch, position = sse.mark_of(last_event_id)
        return Back(epoch, position_of(position))
    if "epoch" in query or "pos" in query:
        return Back(query.get("epoch", house.database.epoch), position_of(query.get("pos", "")))
    return None


async def listing(house: House, actor: Actor, query: dict[str, str]) -> bytes:
    """The list, as JSON."""
    back = where_from(house, query, None)
    face = _face(house, query, sse.entry)
    found: list[bytes] = []
    gap, more = None, False
    position = house.broker.position
    if back is not None:
        gap = await find_gap(house, actor, back)
        if gap is None:
            limit = min(
                COUNT.read_text(query["limit"]) if "limit" in query else 100, house.config.limits.page or 10_000
            )
            await _wait(house, actor, back.position, query.get("wait", ""))
            found, position, more = await _after(house, actor, face, back.position, limit)
            gap = await find_gap(house, actor, back)  # it may have been trimmed meanwhile
            found = found if gap is None else []
    said = {
        "epoch": house.database.epoch,
        "pos": position,
        "recovered": back is not None and gap is None,
        "events": [Raw(one) for one in found],
        "more": more,
    }
    return encode(said if gap is None else {**said, "reason": gap})


async def _wait(house: House, actor: Actor, position: int, wait: str) -> None:
    """Wait until something concerns the user, if there is nothing yet; `wait` is in seconds."""
    try:
        seconds = min(max(float(wait or 0), 0.0), LONGEST_WAIT)
    except ValueError:
        raise Refusal(BAD_REQUEST, "wait must be a number of seconds", field="wait") from None
    with trio.move_on_after(seconds):
        while True:
            piece = await house.database.read(
                partial(replay.missed, user=actor.id, position=position, end=house.broker.position, limit=SCANNED)
            )
            if piece.told or piece.lost:
                return
            position = piece.reached
            if piece.all:
                await house.dispatch.next_event(position)


async def _after(house: House, actor: Actor, face: Face, position: int, limit: int) -> tuple[list[bytes], int, bool]:
    """Events after a position: as JSON, the position reached, and whether there is more."""
    found: list[bytes] = []
    end = house.broker.position
    while position < end:
        piece = await house.database.read(
            partial(replay.missed, user=actor.id, position=position, end=end, limit=SCANNED)
        )
        if piece.lost:
            break
        for told in piece.told:
            if len(found) >= limit:
                return found, position, True
            found += spell_missed(face, actor.id, told, None)
            position = told.position or position
        position = piece.reached
    return found, position, False


def _face(house: House, query: dict[str, str], push: sse.Push) -> Face:
    spoken: Dialect = house.dialect_of("/chat", query.get("dialect"))
    namespace = next(iter(spoken.vocabularies))
    return Face(spoken, namespace, push, bytes, spoken.everything)


class Subscription(Connection):
    """A connection that only listens: what it is told waits in memory until the stream takes it."""

    __slots__ = ("_ended", "_limit", "_news", "_size", "_taken", "_waiting")

    def __init__(self, house: House) -> None:
        self._waiting: list[bytes] = []
        self._size = 0
        self._ended = False
        self._news = trio.Event()
        self._taken = trio.Event()
        self._limit = house.config.limits.outbox_bytes
        super().__init__(house, JsonRpc(""), self._take)

    @property
    def waiting(self) -> int:
        return self._size

    @property
    def crowded(self) -> bool:
        return 2 * self._size > self._limit > 0

    def _take(self, data: bytes) -> None:
        if self._limit and self._size + len(data) > self._limit:
            self.shut()
            return
        self._waiting.append(data)
        self._size += len(data)
        self._news.set()

    def shut(self, code: int = 1000, reason: str = "") -> None:
        self._ended = True
        self._news.set()
        self._taken.set()

    async def drained(self) -> None:
        while self._size and not self._ended:
            self._taken = trio.Event()
            await self._taken.wait()

    @property
    def over(self) -> bool:
        """Whether there is nothing more to come."""
        return self._ended and not self._waiting

    async def heard(self) -> bytes:
        """What it has been told since the last time, as soon as there is something; or, in a while, a sign of life."""
        interval = self.house.config.limits.ping_interval or float("inf")
        with trio.move_on_after(interval):
            await self._news.wait()
        self._news = trio.Event()
        said, self._waiting, self._size = self._waiting, [], 0
        self._taken.set()
        return b"".join(said) if said else sse.HEARTBEAT

    @staticmethod
    def pack(packet: Packet) -> bytes:
        return packet.data


async def stream(house: House, actor: Actor, query: dict[str, str], last_event_id: str | None) -> AsyncIterator[bytes]:
    """The stream."""
    spoken = house.dialect_of("/chat", query.get("dialect"))
    face = _face(house, query, house.sse_push)
    subscription = Subscription(house)
    CONNECTIONS_OPENED.child("sse").add()
    chair = Chair(subscription, face, actor, house.speech(spoken, face.namespace), everywhere=True)

    def hello(position: int, recovered: bool, gap: str | None) -> None:
        ready = {"epoch": house.database.epoch, "pos": position, "recovered": recovered}
        body = encode(ready if gap is None else {**ready, "reason": gap})
        house.broker.send(subscription, face.frame("ready", body, position))

    async def arrive() -> None:
        try:
            await begin(subscription, [chair], where_from(house, query, last_event_id), hello)
        except Exception as problem:
            log.fault("a stream could not begin", problem)
            subscription.end(GOING_AWAY)

    try:
        house.spawn(arrive)
        while not subscription.over:
            yield await subscription.heard()
    finally:
        subscription.leave_all()
