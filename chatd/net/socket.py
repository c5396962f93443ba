"""One WebSocket: messages arrive through `listen`, frames leave through `write`.

Reading belongs to one task. All other methods are synchronous: `write` sends to the kernel or queues in the outbox,
`close` queues the close frame. After a close from either side, `listen` runs until the peer has answered or its time is
over. Then it raises Gone. An idle connection holds no buffer, no timer and no protocol object.

Control frames are no calls, and cost a client little. So they have their own limit: a rate, after a burst. It is the
algorithm of chatd/rate_limit.py in one number, `_control_due`. A client above the limit is closed with 4029, and the
server ignores the rest of its input. The pongs to the pings of one read go out in one send. Messages that arrive after
the server's close frame count as control frames, and are read only up to LINGER_BYTES.
"""

from __future__ import annotations

from collections.abc import Callable

import trio
from msgspec import Struct

from chatd.net.framer import (
    CLOSE,
    FINAL,
    PING,
    PONG,
    FrameReader,
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
from protocol.frames import Packet

__all__ = ["Gone", "SocketRules", "WebSocket", "frame_binary", "frame_text", "socket_rules"]

PING_FRAME = frame(FINAL | PING, b"")
MAX_WAITING_FOR_PONG_BYTES = 65_536  # above it pings get no pong: RFC 6455, 5.5.3 asks only for the latest
LINGER_BYTES = 1 << 20
ROUNDING_SECONDS = 1e-6
ABNORMAL = 1006


class SocketRules(Struct, frozen=True):
    """The rules for all WebSockets of a server."""

    reading: ReadRules
    sending: OutboxRules
    subprotocols: tuple[str, ...] = ()
    control_seconds: float = 0.0  # between two control frames, once the burst is used up; 0: no limit
    control_burst: int = 1


def socket_rules(
    *,
    message_bytes: int = 65_536,
    fragments: int = 1_024,
    outbox_bytes: int = 1 << 20,
    farewell_seconds: float = 5.0,
    subprotocols: tuple[str, ...] = ("chatd.jsonrpc",),
    control_frames: float = 0.0,
    control_burst: int = 1,
) -> SocketRules:
    """The rules from plain numbers; 0 lifts a limit."""
    overflow = frame_close(SLOW.code, SLOW.reason)
    return SocketRules(
        ReadRules(message_bytes, fragments),
        OutboxRules(outbox_bytes, overflow, farewell_seconds),
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


class WebSocket:
    """One open WebSocket."""

    __slots__ = (
        "_close_received",
        "_control_due",
        "_end",
        "_exhausted",
        "_followed",
        "_pongs",
        "_reader",
        "_rules",
        "_stream",
        "last_received",
        "outbox",
        "subprotocol",
    )

    def __init__(
        self, stream: Stream, nursery: trio.Nursery, rules: SocketRules, subprotocol: str | None = None
    ) -> None:
        self._stream = stream
        self._rules = rules
        self._control_due = 0.0
        self._pongs = b""  # the answers to the pings of one read
        self._reader = FrameReader(rules.reading)
        self._end: tuple[int, str] | None = None  # the close code and reason, once they are known
        self._followed = b""  # bytes that came behind the request's head
        self._close_received = False
        self._exhausted = False  # the stream has ended
        self.outbox = Outbox(stream, nursery, rules.sending)
        self.subprotocol = subprotocol
        self.last_received = trio.current_time()

    @property
    def closing(self) -> bool:
        """Whether the outbox is closed, so that a write does nothing."""
        return self.outbox.closed

    def write(self, frames: bytes, droppable: bool = False) -> None:
        """Send complete frames. It never raises."""
        self.outbox.push(frames, droppable)

    def ping(self) -> None:
        """Send a ping. The client's pong sets `last_received`."""
        self.write(PING_FRAME)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame behind everything written before. The first call counts."""
        if self._end is None:
            self._end = (code, reason)
        self.outbox.finish(frame_close(code, reason))

    async def listen(self, on_messages: Callable[[list[Packet]], bool]) -> None:
        """Call `on_messages` with the messages of each read, until it returns False. Gone at the end."""
        wants_more = True

        def on_data(data: bytes) -> bool:
            nonlocal wants_more
            messages = self._receive(data)
            if messages:
                wants_more = on_messages(messages)
            return wants_more and bool(data) and not self._close_received and self._reader.violation is None

        self._check()
        followed, self._followed = self._followed, b""
        if not followed or on_data(followed):
            await self._stream.listen(on_data)
        if wants_more:
            self._check()

    def _check(self) -> None:
        """Raise Gone at the end. All messages before it have been handed on and answered."""
        if self._close_received:
            self.outbox.finish(frame_close(self._end[0] if self._end else 1000))
        elif self._reader.violation is not None:
            self.close(self._reader.violation.code, self._reader.violation.reason)
        elif self._exhausted:
            self.outbox.discard()
        else:
            return
        raise self._gone()

    def set_limits(self, reading: ReadRules) -> None:
        """Set other limits for this client's messages. Call it before the first `listen`."""
        self._reader = FrameReader(reading)

    def prepend(self, data: bytes) -> None:
        """Set the bytes that came behind the request's head: `listen` reads them first."""
        self._followed = data

    def _receive(self, data: bytes) -> list[Packet]:
        """The messages in the bytes of one read; none after the server's close frame."""
        if not data:
            self._exhausted = True
            return []
        self.last_received = trio.current_time()
        closed = self.outbox.closed
        messages = self._reader.feed(data, self._control)
        if self._pongs:
            pongs, self._pongs = self._pongs, b""
            self.write(pongs, True)
        if not closed:
            return messages
        if not all(self._within_rate() for _ in messages):
            self._reader.violation = self._flood()
        return []

    async def settle(self) -> None:
        """After the end: send the close frame and wait for the peer's, at most `farewell_seconds`."""
        stream = self._stream
        left = LINGER_BYTES
        with trio.move_on_after(self.outbox.farewell_seconds) as time:
            await self.outbox.drained()
            stream.shutdown_write()
            while not self._close_received and left > 0 and (data := await stream.receive_some()):
                left -= len(data)
                self._receive(data)
        if time.cancelled_caught or left <= 0:
            stream.abort()
        self.outbox.discard()

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == CLOSE:
            self._receive_close(payload)
        elif not self._within_rate():
            raise self._flood()
        elif opcode == PING and self.outbox.waiting < MAX_WAITING_FOR_PONG_BYTES:
            self._pongs += frame(FINAL | PONG, payload)

    def _within_rate(self) -> bool:
        """Whether one more control frame is within the limit. `last_received` is the time of the current read."""
        seconds, now = self._rules.control_seconds, self.last_received
        due = max(self._control_due, now) + seconds
        if due - now > seconds * self._rules.control_burst + ROUNDING_SECONDS:
            return False
        self._control_due = due
        return True

    @staticmethod
    def _flood() -> Violation:
        return Violation(FLOOD.code, "too many control frames")

    def _receive_close(self, payload: bytes) -> None:
        code, reason = parse_close(payload)
        self._close_received = True
        if self._end is None:
            self._end = (code, reason)

    def _gone(self) -> Gone:
        if self.outbox.overflowed:
            return Gone(SLOW.code, SLOW.reason)
        return Gone(*(self._end or (ABNORMAL, "")))
