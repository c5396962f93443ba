"""What waits for one client: bytes that the kernel did not take yet, up to a limit.

    nothing waits          a push is one non-blocking send; usually the kernel takes all of it. Who has much to say to
                           many sends for itself (`way`), and gives what was not taken to `keep_rest`
    something waits        a push joins the queue; a task drains it and is gone when it is empty
    above half the limit   what is droppable (typing, presence, pongs) is dropped
    above the limit        the client is too slow: the queue is thrown away, the last words take its place

A queue that is thrown away keeps the rest of a chunk that the client has begun to receive, or the last words would
land in the middle of a frame. After the last words nothing more is taken, and the peer has `farewell` seconds to go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

import trio
from msgspec import Struct

from chatd.net.stream import Bytes, Stream

JOIN_BYTES = 65_536


class OutboxRules(Struct, frozen=True):
    """`limit` bytes may wait (0: any number); `overflow` are the last words to a client that is too slow."""

    limit: int = 1 << 20
    overflow: bytes = b""
    farewell: float = 5.0


SendFunction = Callable[[bytes], int | None]
"""How bytes go out just now: None says that they are taken care of, a number how many the kernel took (or OSError)."""


def ignore(way: SendFunction) -> None:
    """Nobody keeps a way of his own."""


class Outbox:
    """The way out to one client. Everything that may be called on a fan-out is synchronous, and only `way` raises."""

    __slots__ = (
        "_begun",
        "_empty",
        "_farewell",
        "_nursery",
        "_over",
        "_queue",
        "_ready",
        "_rules",
        "_send",
        "_stream",
        "closed",
        "on_send_changed",
        "overflowed",
        "waiting",
    )

    def __init__(self, stream: Stream, nursery: trio.Nursery, rules: OutboxRules) -> None:
        self._stream = stream
        self._send = stream.send_now
        self._nursery = nursery
        self._rules = rules
        self._queue: deque[Bytes] | None = None  # a deque costs 600 bytes: only while something waits
        self._ready = True  # open, and nothing waits: the one thing that a push asks
        self._begun = False  # the client has part of the queue's first chunk
        self._over = False
        self._empty: trio.Event | None = None
        self._farewell: trio.CancelScope | None = None
        self.waiting = 0
        self.closed = False
        self.overflowed = False
        self.on_send_changed: Callable[[SendFunction], None] = ignore  # hears of the new `way` whenever there is one

    @property
    def send_function(self) -> SendFunction:
        """The kernel's own `send` while nothing waits: in a fan-out a call less a client is a tenth of its cost."""
        return self._send if self._ready and self._stream.direct else self.push

    @property
    def farewell(self) -> float:
        """Seconds that a peer gets after the last words."""
        return self._rules.farewell

    def push(self, data: bytes, droppable: bool = False) -> None:
        """Send, or keep until it can be sent."""
        if self._ready:
            try:
                taken = self._send(data)
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
        """What the kernel did not take of something that was sent by `way`."""
        if taken and self._ready:
            self._queue_rest(data, taken)
        else:
            self.push(data[taken:])  # which finds out whether the kernel is full or the peer is gone

    def _queue_rest(self, data: bytes, taken: int) -> None:
        """Something waits from now on."""
        self._set_ready(False)
        self._begun = taken > 0
        self._keep(memoryview(data)[taken:])
        if self._rules.limit and self.waiting > self._rules.limit:
            self._overflow()
        self._start(self._drain)

    def _set_ready(self, ready: bool) -> None:
        if self._ready is not ready:
            self._ready = ready
            self.on_send_changed(self.send_function)

    def finish(self, last: bytes) -> None:
        """The last words: what waits goes out first, nothing is taken after, and the peer gets its time to go."""
        if self.closed:
            return
        self.push(last)
        if not self.closed:
            self.closed = True
            self._set_ready(False)
            self._start(self._wait_farewell)

    def discard(self) -> None:
        """The peer is gone: nothing waits and nothing is taken any more."""
        self._over = True
        self.closed = True
        self._set_ready(False)
        self._queue = None
        self.waiting = 0
        if self._farewell is not None:
            self._farewell.cancel()
        if self._empty is not None:
            self._empty.set()
        self.on_send_changed = ignore

    async def drained(self) -> None:
        """Wait until nothing waits."""
        if self._queue is None:
            return
        if self._empty is None:
            self._empty = trio.Event()
        await self._empty.wait()

    def _enqueue(self, data: bytes, droppable: bool) -> None:
        limit = self._rules.limit
        if limit and droppable and self.waiting > limit // 2:
            return
        self._keep(data)
        if limit and self.waiting > limit:
            self._overflow()

    def _overflow(self) -> None:
        begun = self._queue[0] if self._begun and self._queue else b""
        self.overflowed = True
        if len(begun) > self._rules.limit:  # no room even for the rest of one chunk: no last words
            self._stream.abort()
            self.discard()
            return
        self._queue = deque((begun, self._rules.overflow) if begun else (self._rules.overflow,))
        self.waiting = len(begun) + len(self._rules.overflow)
        self.closed = True
        self._start(self._wait_farewell)

    def _keep(self, data: Bytes) -> None:
        if self._queue is None:
            self._queue = deque()
        self._queue.append(data)
        self.waiting += len(data)

    def _start(self, task: Callable[[], Awaitable[object]]) -> None:
        try:
            self._nursery.start_soon(task)
        except RuntimeError:  # the nursery is closed: the server is going down
            self.discard()

    async def _drain(self) -> None:
        try:
            while not self._over and not self._send_waiting():
                await self._stream.wait_writable()
        except OSError:
            self.discard()

    def _send_waiting(self) -> bool:
        """Give the kernel what it takes; say whether nothing is left."""
        while queue := self._queue:
            chunk = self._first(queue)
            try:
                taken = self._send(chunk)
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
        self._set_ready(not self.closed)
        if self._empty is not None:
            self._empty.set()
            self._empty = None
        return True

    def _first(self, queue: deque[Bytes]) -> Bytes:
        """The queue's first chunk, joined with the small ones behind it: one send for many frames."""
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
            await trio.sleep(self._rules.farewell)
            self._stream.abort()
            self.discard()
        self._farewell = None
