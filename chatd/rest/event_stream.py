"""The stream of `GET /events`, for EventSource and `curl -N`: what was missed, then what happens, as it happens.

A stream begins before its answer does: a refusal (nothing can be written, say) has a status of HTTP. What comes after
a piece that was dropped is dropped too: so the last id that a client has is right, and its next stream goes on there.
"""

from __future__ import annotations

from typing import Any

import trio
from quart.wrappers.response import ResponseBody

from chatd.connections.channel import Channel
from chatd.connections.connection import Connection, plain_refusal
from chatd.connections.join import join
from chatd.connections.resume import ResumeRequest
from chatd.core.app import App
from chatd.realtime.encoder import EventEncoder
from chatd.rest.events import face_of, where_from
from chatd.services.context import Actor
from chatd.telemetry.log import log
from chatd.telemetry.metrics import CONNECTIONS_OPENED
from protocol.dialects.encode import encode
from protocol.errors import INTERNAL, SLOW, Refusal, closing_of
from protocol.frames import Packet
from protocol.framings import sse
from protocol.framings.jsonrpc import JsonRpc


class Subscription(Connection):
    """A connection that only listens: its frames wait in memory until the stream takes them."""

    __slots__ = ("_limit", "_news", "_over", "_size", "_taken", "_waiting")

    def __init__(self, app: App) -> None:
        self._waiting: list[bytes] = []
        self._size = 0
        self._over = False
        self._news = trio.Event()
        self._taken = trio.Event()
        self._limit = app.config.limits.outbox_bytes
        super().__init__(app, JsonRpc(""), self._take)

    @property
    def is_slow(self) -> bool:
        return 2 * self._size > self._limit > 0

    @property
    def waiting(self) -> int:
        return self._size

    def _take(self, data: bytes) -> None:
        if self._over:
            return
        if self._limit and self._size + len(data) > self._limit:
            self.close_with(SLOW)
            return
        self._waiting.append(data)
        self._size += len(data)
        self._news.set()

    def close_transport(self, code: int = 1000, reason: str = "") -> None:
        self._over = True
        self._news.set()
        self._taken.set()

    async def drained(self) -> None:
        while self._size and not self._over:
            self._taken = trio.Event()
            await self._taken.wait()

    async def begun(self) -> None:
        """Wait until there is something to send, or until nothing will come."""
        await self._news.wait()

    async def next_piece(self) -> bytes:
        """What has come since the last time, as soon as there is something; or, in a while, a sign of life; b"" at
        the end.
        """
        interval = self.app.config.limits.ping_interval or float("inf")
        with trio.move_on_after(interval):
            await self._news.wait()
        if not self._over:
            self._news = trio.Event()
        pieces, self._waiting, self._size = self._waiting, [], 0
        self._taken.set()
        return b"".join(pieces) or (b"" if self._over else sse.HEARTBEAT)

    def leave_all(self) -> None:
        self.close_transport()
        self._waiting, self._size = [], 0
        super().leave_all()

    @staticmethod
    def pack(packet: Packet) -> bytes:
        return packet.data


class EventStream(ResponseBody):
    """The body of the answer. Leaving it ends everything that belongs to the stream."""

    def __init__(
        self, app: App, actor: Actor, face: EventEncoder, back: ResumeRequest | None, last_event_id: str | None
    ) -> None:
        self._app = app
        self._back = back
        self._last_event_id = last_event_id
        self._scope = trio.CancelScope()
        self._refusal: Refusal | None = None
        self._greeted = False
        self.subscription = Subscription(app)
        codec = app.codec(face.dialect, face.namespace)
        self._channel = Channel(self.subscription, face, actor, codec, everywhere=True)

    @classmethod
    async def open(cls, app: App, actor: Actor, query: dict[str, str], last_event_id: str | None) -> EventStream:
        """A stream that has begun."""
        face = face_of(app, query, app.sse_push)
        stream = cls(app, actor, face, where_from(app, query, last_event_id), last_event_id)
        try:
            app.background_tasks.start(stream._begin)
            await stream.subscription.begun()
            if stream._refusal is not None and not stream._greeted:
                raise stream._refusal
        except BaseException:
            stream.close()
            raise
        CONNECTIONS_OPENED.child("sse").add()
        return stream

    def close(self) -> None:
        self._scope.cancel()
        self.subscription.leave_all()

    async def _begin(self) -> None:
        """Take the seat; a task of its own, for what was missed can be long."""
        subscription = self.subscription
        with self._scope:
            try:
                await join(subscription, [self._channel], self._back, self._greet)
            except Exception as problem:
                if not isinstance(problem, Refusal):
                    log.fault("a stream could not begin", problem)
                await self._refuse(problem if isinstance(problem, Refusal) else Refusal(INTERNAL))

    def _greet(self, position: int, recovered: bool, gap: str | None) -> None:
        self._greeted = True
        epoch = self._app.database.epoch
        ready = {"epoch": epoch, "pos": position, "recovered": recovered}
        body = encode(ready if gap is None else {**ready, "reason": gap})
        id = self._last_event_id if recovered and self._last_event_id else sse.id_of(epoch, position)
        self._app.broker.send(self.subscription, sse.frame(id, "ready", sse.entry("", "ready", body, position, None)))

    async def _refuse(self, refusal: Refusal) -> None:
        self._refusal = refusal
        if self._greeted:
            body = encode(plain_refusal(refusal)["error"])
            self._app.broker.send(self.subscription, self._channel.encoder.frame("error", body))
            await self._app.broker.flush()
        self.subscription.close_with(closing_of(refusal))

    async def __aenter__(self) -> EventStream:
        return self

    async def __aexit__(self, *failure: Any) -> None:
        self.close()

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> bytes:
        piece = await self.subscription.next_piece()
        if not piece:
            raise StopAsyncIteration
        return piece
