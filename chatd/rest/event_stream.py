"""The stream of `GET /events`, for EventSource and `curl -N`: what was missed, then new events.

The stream joins before its answer begins: so a refusal (for example: nothing can be written) has an HTTP status. When a
frame is dropped, everything after it is dropped too. So the last id that a client has is right, and its next stream
continues there.
"""

from __future__ import annotations

from typing import Any

import trio
from quart.wrappers.response import ResponseBody

from chatd.connections.channel import Channel
from chatd.connections.connection import Connection
from chatd.connections.join import join
from chatd.connections.replies import plain_refusal
from chatd.connections.resume import ResumeRequest
from chatd.core.app import App
from chatd.realtime.encoder import EventEncoder
from chatd.rest.events import encoder_of, resume_request
from chatd.services.context import Actor
from chatd.telemetry.log import log
from chatd.telemetry.metrics import CONNECTIONS_OPENED
from protocol.dialects.encode import encode
from protocol.errors import INTERNAL, SLOW, Refusal, closing_of
from protocol.framings import sse
from protocol.framings.jsonrpc import JsonRpc


class Subscription(Connection):
    """A connection that only receives events: its frames wait in memory until the stream takes them."""

    __slots__ = ("_arrived", "_frames", "_is_over", "_limit_bytes", "_size", "_taken")

    def __init__(self, app: App) -> None:
        self._frames: list[bytes] = []
        self._size = 0
        self._is_over = False
        self._arrived = trio.Event()
        self._taken = trio.Event()
        self._limit_bytes = app.config.limits.outbox_bytes
        super().__init__(app, JsonRpc(""), self._add)

    @property
    def is_slow(self) -> bool:
        return 2 * self._size > self._limit_bytes > 0

    @property
    def waiting(self) -> int:
        return self._size

    def _add(self, data: bytes) -> None:
        if self._is_over:
            return
        if self._limit_bytes and self._size + len(data) > self._limit_bytes:
            self.close_with(SLOW)
            return
        self._frames.append(data)
        self._size += len(data)
        self._arrived.set()

    def close_transport(self, code: int = 1000, reason: str = "") -> None:
        self._is_over = True
        self._arrived.set()
        self._taken.set()

    async def drained(self) -> None:
        while self._size and not self._is_over:
            self._taken = trio.Event()
            await self._taken.wait()

    async def begun(self) -> None:
        """Wait until there is a frame to send, or until the subscription is over."""
        await self._arrived.wait()

    async def next_piece(self) -> bytes:
        """Wait for frames and return them. Without frames return a heartbeat after a while, and b"" at the end."""
        interval = self.app.config.limits.ping_interval or float("inf")
        with trio.move_on_after(interval):
            await self._arrived.wait()
        if not self._is_over:
            self._arrived = trio.Event()
        frames, self._frames, self._size = self._frames, [], 0
        self._taken.set()
        return b"".join(frames) or (b"" if self._is_over else sse.HEARTBEAT)

    def leave_all(self) -> None:
        self.close_transport()
        self._frames, self._size = [], 0
        super().leave_all()


class EventStream(ResponseBody):
    """The body of the answer. Leaving its context closes the subscription."""

    def __init__(
        self, app: App, actor: Actor, encoder: EventEncoder, resume: ResumeRequest | None, last_event_id: str | None
    ) -> None:
        self._app = app
        self._resume = resume
        self._last_event_id = last_event_id
        self._scope = trio.CancelScope()
        self._refusal: Refusal | None = None
        self._is_ready = False
        self.subscription = Subscription(app)
        codec = app.codec(encoder.dialect, encoder.namespace)
        self._channel = Channel(self.subscription, encoder, actor, codec, in_all_rooms=True)

    @classmethod
    async def open(cls, app: App, actor: Actor, query: dict[str, str], last_event_id: str | None) -> EventStream:
        """Open a stream and wait until it has begun; raise its refusal when it can't."""
        encoder = encoder_of(app, query, app.sse_push)
        stream = cls(app, actor, encoder, resume_request(app, query, last_event_id), last_event_id)
        try:
            app.start_task(stream._join)
            await stream.subscription.begun()
            if stream._refusal is not None and not stream._is_ready:
                raise stream._refusal
        except BaseException:
            stream.close()
            raise
        CONNECTIONS_OPENED.child("sse").add()
        return stream

    def close(self) -> None:
        self._scope.cancel()
        self.subscription.leave_all()

    async def _join(self) -> None:
        """Join. This is a task of its own, because the replay can take long."""
        subscription = self.subscription
        with self._scope:
            try:
                await join(subscription, [self._channel], self._resume, self._send_ready)
            except Exception as problem:
                if not isinstance(problem, Refusal):
                    log.fault("a stream could not begin", problem)
                await self._refuse(problem if isinstance(problem, Refusal) else Refusal(INTERNAL))

    def _send_ready(self, position: int, recovered: bool, gap: str | None) -> None:
        self._is_ready = True
        epoch = self._app.database.epoch
        ready = {"epoch": epoch, "pos": position, "recovered": recovered}
        body = encode(ready if gap is None else {**ready, "reason": gap})
        id = self._last_event_id if recovered and self._last_event_id else sse.position_id(epoch, position)
        self._app.broker.send(
            self.subscription, sse.frame(id, "ready", sse.event_json("", "ready", body, position, None))
        )

    async def _refuse(self, refusal: Refusal) -> None:
        self._refusal = refusal
        if self._is_ready:
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
