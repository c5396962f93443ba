"""The stream of `GET /events`, for EventSource and `curl -N`: what was missed, then new events.

The stream joins before its answer begins: so a refusal (for example: nothing can be written) has an HTTP status. When a
frame is dropped, everything after it is dropped too. So the last id that a client has is right, and its next stream
continues there.
"""

from __future__ import annotations

from collections.abc import Callable
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


class EventStreamOutbox:
    """The frames that wait in memory for one stream. Above `max_bytes` (0: any number) `on_overflow` is called."""

    __slots__ = ("_arrived", "_frames", "_max_bytes", "_on_overflow", "_taken", "closed", "waiting")

    def __init__(self, max_bytes: int, on_overflow: Callable[[], None]) -> None:
        self._frames: list[bytes] = []
        self._max_bytes = max_bytes
        self._on_overflow = on_overflow
        self._arrived = trio.Event()
        self._taken = trio.Event()
        self.waiting = 0
        self.closed = False

    @property
    def is_slow(self) -> bool:
        """Whether more than half of the limit waits, so that droppable frames are dropped."""
        return 2 * self.waiting > self._max_bytes > 0

    def send(self, data: bytes) -> None:
        """Keep a frame for the stream."""
        if self.closed:
            return
        if self.waiting + len(data) > self._max_bytes > 0:
            self._on_overflow()
            return
        self._frames.append(data)
        self.waiting += len(data)
        self._arrived.set()

    def queue_unsent(self, data: bytes, taken: int) -> None:
        """Not used: `send` keeps all bytes."""
        raise NotImplementedError

    async def wait(self) -> None:
        """Wait until frames wait or the outbox is closed."""
        await self._arrived.wait()

    async def drained(self) -> None:
        """Wait until no frame waits, or the outbox is closed."""
        while self.waiting and not self.closed:
            self._taken = trio.Event()
            await self._taken.wait()

    def take(self) -> bytes:
        """Remove and return the frames that wait."""
        if not self.closed:
            self._arrived = trio.Event()
        frames, self._frames, self.waiting = self._frames, [], 0
        self._taken.set()
        return b"".join(frames)

    def close(self) -> None:
        """Take no more frames."""
        self.closed = True
        self._arrived.set()
        self._taken.set()


class Subscription(Connection):
    """A connection that receives events and sends no calls."""

    __slots__ = ("_frames",)

    def __init__(self, app: App) -> None:
        self._frames = EventStreamOutbox(app.config.limits.outbox_bytes, self._overflow)
        super().__init__(app, JsonRpc(""), self._frames)

    @property
    def waiting(self) -> int:
        return self._frames.waiting

    def close_transport(self, code: int = 1000, reason: str = "") -> None:
        self._frames.close()

    async def drained(self) -> None:
        await self._frames.drained()

    async def begun(self) -> None:
        """Wait until there is something to send, or until nothing will come."""
        await self._frames.wait()

    async def next_piece(self) -> bytes:
        """The frames since the last call, as soon as there are any; after a time a heartbeat; b"" at the end."""
        interval = self.app.config.limits.ping_interval or float("inf")
        with trio.move_on_after(interval):
            await self._frames.wait()
        return self._frames.take() or (b"" if self._frames.closed else sse.HEARTBEAT)

    def leave_all(self) -> None:
        self._frames.close()
        self._frames.take()
        super().leave_all()

    def _overflow(self) -> None:
        self.close_with(SLOW)


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
            app.background_tasks.start(stream._join)
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
