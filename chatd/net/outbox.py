"""The bytes that wait for one client: what the kernel has not taken yet, up to a limit.

    nothing waits          a push is one non-blocking send; usually the kernel takes all of it
    something waits        a push joins the queue; a task drains the queue and ends when it is empty
    above half the limit   droppable bytes (typing, presence, pongs) are dropped
    above the limit        the client is too slow: the queue is discarded, and the final frame takes its place

A discarded queue keeps the rest of a chunk of which the client has received a part. Otherwise the final frame would
start in the middle of another frame. After the final frame the outbox takes nothing more, and the peer has
`farewell_seconds` to close.

`send` is how bytes go out now. While nothing waits it is the socket's own `send`, a C function; otherwise it is `push`.
Only the outbox changes it. A fan-out calls `outbox.send(data)` for each client and passes what the kernel did not take
to `queue_unsent`. Calling `push` for each client instead costs one Python call more: a tenth of a delivery.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

import trio
from msgspec import Struct

from chatd.net.stream import Bytes, Stream

JOIN_BYTES = 65_536


class OutboxRules(Struct, frozen=True):
    """`max_bytes` may wait (0: any number). A client that is too slow receives `overflow_frame` as the final frame."""

    max_bytes: int = 1 << 20
    overflow_frame: bytes = b""
    farewell_seconds: float = 5.0


SendFunction = Callable[[bytes], int | None]
"""Sends bytes. A number is the count of bytes that the kernel took. None means that all bytes were sent, queued or
dropped.

It may raise OSError, and BlockingIOError when the kernel takes nothing.
"""


def drop(data: bytes) -> None:
    """The send function of a closed outbox."""


class Outbox:
    """Sends bytes to one client. All methods that a fan-out calls are synchronous; only `send` raises."""

    __slots__ = (
        "_begun",
        "_empty",
        "_farewell",
        "_nursery",
        "_over",
        "_queue",
        "_ready",
        "_rules",
        "_stream",
        "closed",
        "overflowed",
        "send",
        "waiting",
    )

    def __init__(self, stream: Stream, nursery: trio.Nursery, rules: OutboxRules) -> None:
        self._stream = stream
        self.send: SendFunction = stream.send_now if stream.direct else self.push
        self._nursery = nursery
        self._rules = rules
        self._queue: deque[Bytes] | None = None  # a deque costs 600 bytes: it exists only while something waits
        self._ready = True  # the outbox is open, and nothing waits
        self._begun = False  # the client has received a part of the queue's first chunk
        self._over = False
        self._empty: trio.Event | None = None
        self._farewell: trio.CancelScope | None = None
        self.waiting = 0
        self.closed = False
        self.overflowed = False

    @property
    def farewell_seconds(self) -> float:
        """How long the peer may take to close after the final frame."""
        return self._rules.farewell_seconds

    @property
    def is_slow(self) -> bool:
        """Whether more than half of the limit waits, so that droppable bytes are dropped."""
        return 2 * self.waiting > self._rules.max_bytes > 0

    def push(self, data: bytes, droppable: bool = False) -> None:
        """Send the bytes, or queue them until they can be sent."""
        if self._ready:
            try:
                taken = self._stream.send_now(data)
            except BlockingIOError:
                taken = 0
            except OSError:
                self.discard()
                return
            if taken < len(data) or self._stream.pending:
                self._queue_rest(data, taken)
        elif not self.closed:
            self._enqueue(data, droppable)

    def queue_unsent(self, data: bytes, taken: int) -> None:
        """Queue the part of `data` that `send` did not take."""
        if taken and self._ready:
            self._queue_rest(data, taken)
        else:
            self.push(data[taken:])  # push finds out whether the kernel is full or the peer has left

    def _queue_rest(self, data: bytes, taken: int) -> None:
        """Begin a queue with the bytes that the kernel did not take."""
        self._ready = False
        self.send = self.push
        self._begun = taken > 0
        self._keep(memoryview(data)[taken:])
        if self._rules.max_bytes and self.waiting > self._rules.max_bytes:
            self._overflow()
        self._start(self._drain)

    def finish(self, final_frame: bytes) -> None:
        """Send the final frame, behind waiting bytes. The outbox takes nothing more, and the peer has time to close."""
        if self.closed:
            return
        self.push(final_frame)
        if not self.closed:
            self._close()
            self._start(self._wait_farewell)

    def discard(self) -> None:
        """The peer has left: drop the waiting bytes, and take nothing more."""
        self._over = True
        self._close()
        self._queue = None
        self.waiting = 0
        if self._farewell is not None:
            self._farewell.cancel()
        if self._empty is not None:
            self._empty.set()

    def _close(self) -> None:
        self.closed = True
        self._ready = False
        self.send = drop

    async def drained(self) -> None:
        """Wait until nothing waits."""
        if self._queue is None:
            return
        if self._empty is None:
            self._empty = trio.Event()
        await self._empty.wait()

    def _enqueue(self, data: bytes, droppable: bool) -> None:
        limit = self._rules.max_bytes
        if limit and droppable and self.waiting > limit // 2:
            return
        self._keep(data)
        if limit and self.waiting > limit:
            self._overflow()

    def _overflow(self) -> None:
        begun = self._queue[0] if self._begun and self._queue else b""
        self.overflowed = True
        if len(begun) > self._rules.max_bytes:  # the rest of one chunk alone exceeds the limit
            self._stream.abort()
            self.discard()
            return
        final_frame = self._rules.overflow_frame
        self._queue = deque((begun, final_frame) if begun else (final_frame,))
        self.waiting = len(begun) + len(final_frame)
        self._close()
        self._start(self._wait_farewell)

    def _keep(self, data: Bytes) -> None:
        if self._queue is None:
            self._queue = deque()
        self._queue.append(data)
        self.waiting += len(data)

    def _start(self, task: Callable[[], Awaitable[object]]) -> None:
        try:
            self._nursery.start_soon(task)
        except RuntimeError:  # the nursery is closed: the server is stopping
            self.discard()

    async def _drain(self) -> None:
        try:
            while not self._over and not self._send_waiting():
                await self._stream.wait_writable()
        except OSError:
            self.discard()

    def _send_waiting(self) -> bool:
        """Send what the kernel takes; return whether nothing is left."""
        while queue := self._queue:
            chunk = self._first(queue)
            try:
                taken = self._stream.send_now(chunk)
            except BlockingIOError:
                return False
            self.waiting -= taken
            self._begun = taken < len(chunk) and (taken > 0 or self._begun)
            if taken < len(chunk):
                queue[0] = memoryview(chunk)[taken:]
                return False
            queue.popleft()
        if self._stream.pending:
            return False
        self._queue = None
        if not self.closed:
            self._ready = True
            self.send = self._stream.send_now if self._stream.direct else self.push
        if self._empty is not None:
            self._empty.set()
            self._empty = None
        return True

    def _first(self, queue: deque[Bytes]) -> Bytes:
        """The first chunk of the queue, joined with the small chunks behind it: one send for many frames."""
        if len(queue) == 1 or len(queue[0]) >= JOIN_BYTES:
            return queue[0]
        chunks, size = [], 0
        while queue and size < JOIN_BYTES:
            chunks.append(queue.popleft())
            size += len(chunks[-1])
        queue.appendleft(b"".join(chunks))
        return queue[0]

    async def _wait_farewell(self) -> None:
        if self._over:
            return
        with trio.CancelScope() as self._farewell:
            await trio.sleep(self._rules.farewell_seconds)
            self._stream.abort()
            self.discard()
        self._farewell = None
