"""One WebSocket: messages in through `receive`, framed bytes out through `write`.

The reading side belongs to one task. Everything else is synchronous: a `write` is one send to the kernel or a place
in the outbox, a `close` queues the close frame. Whoever closes, `receive` goes on until the peer has answered or its
time is over, and then raises Gone. A connection that is idle holds no buffer, no timer and no protocol object.

Control frames cost a client nothing and are no calls, so they have a limit of their own: a rate, after a burst. It is
chatd/rate_limit.py's algorithm in one number, `_control_due`. A client above it is closed with 4029, and nothing more
of what it sends is looked at. The pongs of one read go out in one send. What still arrives after the server has said
goodbye counts in the same way, and is read only up to LINGER_BYTES.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import trio
from msgspec import Struct

from chatd.net.framer import (
    CLOSE,
    FINAL,
    PING,
    PONG,
    FrameReader,
    Message,
    ReadRules,
    Violation,
    frame,
    frame_binary,
    frame_close,
    frame_text,
    parse_close,
)
from chatd.net.outbox import Outbox, OutboxRules
from chatd.net.stream import Stream
from protocol.errors import FLOOD, SLOW

__all__ = ["Gone", "SocketRules", "WebSocket", "frame_binary", "frame_text", "socket_rules"]

PING_FRAME = frame(FINAL | PING, b"")
PONG_ROOM = 65_536  # RFC 6455, 5.5.3: under backpressure only the latest of several pings need be answered
LINGER_BYTES = 1 << 20
ROUNDING_SECONDS = 1e-6
ABNORMAL = 1006


class SocketRules(Struct, frozen=True):
    """What every WebSocket of a server has in common."""

    reading: ReadRules
    sending: OutboxRules
    subprotocols: tuple[str, ...] = ()
    control_seconds: float = 0.0  # for each control frame, once the burst is used up; 0: no limit
    control_burst: int = 1


def socket_rules(
    *,
    message_bytes: int = 65_536,
    fragments: int = 1_024,
    outbox_bytes: int = 1 << 20,
    farewell: float = 5.0,
    subprotocols: tuple[str, ...] = ("chatd.jsonrpc",),
    control_frames: float = 0.0,
    control_burst: int = 1,
) -> SocketRules:
    """The rules from plain numbers; 0 lifts a limit."""
    overflow = frame_close(SLOW.code, SLOW.reason)
    return SocketRules(
        ReadRules(message_bytes, fragments),
        OutboxRules(outbox_bytes, overflow, farewell),
        subprotocols,
        1 / control_frames if control_frames else 0.0,
        control_burst,
    )


class Gone(Exception):
    """The WebSocket is over: the close code and reason, 1006 when there was none."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Write(Protocol):
    def __call__(self, data: bytes, droppable: bool = False) -> None: ...


class WebSocket:
    """One open WebSocket. `write(frames, droppable=False)` takes frames ready-made and never raises."""

    __slots__ = (
        "_control_due",
        "_end",
        "_exhausted",
        "_followed",
        "_heard_close",
        "_pongs",
        "_reader",
        "_rules",
        "_stream",
        "last_heard",
        "outbox",
        "subprotocol",
        "write",
    )

    def __init__(
        self, stream: Stream, nursery: trio.Nursery, rules: SocketRules, subprotocol: str | None = None
    ) -> None:
        self._stream = stream
        self._rules = rules
        self._control_due = 0.0
        self._pongs = b""  # of one read
        self._reader = FrameReader(rules.reading)
        self._end: tuple[int, str] | None = None  # how it ends, once that is known
        self._followed = b""
        self._heard_close = False
        self._exhausted = False  # nothing more will come
        self.outbox = Outbox(stream, nursery, rules.sending)
        self.write: Write = self.outbox.push
        self.subprotocol = subprotocol
        self.last_heard = trio.current_time()

    @property
    def closing(self) -> bool:
        """Nothing that is written now will arrive."""
        return self.outbox.closed

    def ping(self) -> None:
        """Ask whether the client is there; its answer shows in `last_heard`."""
        self.write(PING_FRAME)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye, behind everything written before. The first call counts."""
        if self._end is None:
            self._end = (code, reason)
        self.outbox.finish(frame_close(code, reason))

    async def receive(self) -> list[Message]:
        """All messages (payload, is binary) that the next read completes, at least one; Gone at the end."""
        while True:
            self._check()
            data = self._followed or await self._stream.receive_some()
            self._followed = b""
            messages = self._hear(data)
            if messages:
                return messages

    async def listen(self, hear: Callable[[list[Message]], bool]) -> None:
        """Have `hear` called with all messages as they come, until it has had enough; Gone at the end."""

        def take(data: bytes) -> bool:
            messages = self._hear(data)
            wants_more = hear(messages) if messages else bool(data)
            return wants_more and not self._heard_close and self._reader.violation is None

        self._check()
        followed, self._followed = self._followed, b""
        if not followed or take(followed):
            await self._stream.listen(take)
        self._check()

    def _check(self) -> None:
        """Gone at the end. What came before it has been given out and answered."""
        if self._heard_close:
            self.outbox.finish(frame_close(self._end[0] if self._end else 1000))
        elif self._reader.violation is not None:
            self.close(self._reader.violation.code, self._reader.violation.reason)
        elif self._exhausted:
            self.outbox.discard()
        else:
            return
        raise self._gone()

    def allow(self, reading: ReadRules) -> None:
        """Other rules for what this client may send. Before anything is read."""
        self._reader = FrameReader(reading)

    def follow(self, data: bytes) -> None:
        """Bytes that came right behind the request's head: the first that `receive` reads."""
        self._followed = data

    def _hear(self, data: bytes) -> list[Message]:
        """The messages in what arrived; none once a close was said."""
        if not data:
            self._exhausted = True
            return []
        self.last_heard = trio.current_time()
        deaf = self.outbox.closed
        messages = self._reader.feed(data, self._control)
        if self._pongs:
            pongs, self._pongs = self._pongs, b""
            self.write(pongs, True)
        if not deaf:
            return messages
        if not all(self._within_rate() for _ in messages):
            self._reader.violation = self._flood()
        return []

    async def settle(self) -> None:
        """After the end: let the last words go out and the peer answer them, as long as the farewell lasts."""
        stream = self._stream
        left = LINGER_BYTES
        with trio.move_on_after(self.outbox.farewell) as time:
            await self.outbox.drained()
            stream.shutdown_write()
            while not self._heard_close and left > 0 and (data := await stream.receive_some()):
                left -= len(data)
                self._hear(data)
        if time.cancelled_caught or left <= 0:
            stream.abort()
        self.outbox.discard()

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == CLOSE:
            self._hear_close(payload)
        elif not self._within_rate():
            raise self._flood()
        elif opcode == PING and self.outbox.waiting < PONG_ROOM:
            self._pongs += frame(FINAL | PONG, payload)

    def _within_rate(self) -> bool:
        """Whether one more control frame is within the limit. `last_heard` is the time of the read that it came in."""
        seconds, now = self._rules.control_seconds, self.last_heard
        due = max(self._control_due, now) + seconds
        if due - now > seconds * self._rules.control_burst + ROUNDING_SECONDS:
            return False
        self._control_due = due
        return True

    @staticmethod
    def _flood() -> Violation:
        return Violation(FLOOD.code, "too many control frames")

    def _hear_close(self, payload: bytes) -> None:
        code, reason = parse_close(payload)
        self._heard_close = True
        if self._end is None:
            self._end = (code, reason)

    def _gone(self) -> Gone:
        if self.outbox.overflowed:
            return Gone(SLOW.code, SLOW.reason)
        return Gone(*(self._end or (ABNORMAL, "")))
