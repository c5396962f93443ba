"""The polling transport of one session: the frames that wait for a GET, and the requests that are under way.

Frames are kept as WebSocket frames, and a GET takes them apart (`unframe`). A server's frames are unmasked, so that is
slicing: 2 µs a message. In exchange one bytes object serves the clients of both transports, and an upgrade sends what
waits as it is. A form of its own for polling would need a second encoder for each kind of client, and a
change of the encoder in every room at the upgrade.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import trio

from chatd.net.framer import BINARY_HEAD
from chatd.net.outbox import Outbox
from protocol.frames import Packet


class PollingOutbox:
    """The frames that wait for the next GET. `max_bytes` may wait (0: any number); above it `on_overflow` is called.

    After an upgrade it forwards to the outbox of the WebSocket: a caller may hold it a moment longer.
    """

    __slots__ = ("_frames", "_max_bytes", "_news", "_on_overflow", "_successor", "_waiting", "closed")

    def __init__(self, max_bytes: int, on_overflow: Callable[[], None]) -> None:
        self._max_bytes = max_bytes
        self._on_overflow = on_overflow
        self._frames: list[bytes] = []
        self._news: trio.Event | None = None  # wakes the GET that waits
        self._successor: Outbox | None = None
        self._waiting = 0
        self.closed = False

    @property
    def waiting(self) -> int:
        """The bytes that wait for the client."""
        return self._waiting if self._successor is None else self._successor.waiting

    @property
    def is_slow(self) -> bool:
        """Whether more than half of the limit waits, so that droppable frames are dropped."""
        return 2 * self.waiting > self._max_bytes > 0

    def send(self, data: bytes) -> None:
        """Keep frames for the next GET."""
        self.push(data)

    def push(self, data: bytes, droppable: bool = False) -> None:
        """Keep frames for the next GET. When more waits than may wait, all of it is discarded."""
        if self._successor is not None:
            self._successor.push(data, droppable)
        elif not self.closed and not (droppable and self.is_slow):
            self._frames.append(data)
            self._waiting += len(data)
            if self._waiting > self._max_bytes > 0:
                self.take()
                self._on_overflow()
            else:
                self.wake()

    def queue_unsent(self, data: bytes, taken: int) -> None:
        """Not used: `send` keeps all bytes."""
        raise NotImplementedError

    def take(self) -> bytes:
        """Remove and return the frames that wait."""
        frames = b"".join(self._frames)
        self._frames = []
        self._waiting = 0
        return frames

    def take_packets(self) -> list[Packet]:
        """Remove and return the messages that wait."""
        return list(unframe(self.take()))

    def move_to(self, successor: Outbox) -> None:
        """Send what waits through another outbox, and everything that is sent from now on."""
        if self._waiting:
            successor.push(self.take())
        self._successor = successor

    def wake(self) -> None:
        """End the wait of the GET."""
        if self._news is not None:
            self._news.set()

    async def wait(self, seconds: float) -> None:
        """Wait until there are frames or `wake` is called, at most so long."""
        self._news = trio.Event()
        with trio.move_on_after(seconds):
            await self._news.wait()
        self._news = None


class Polling:
    """The polling side of one session. A session that has, or gets, a WebSocket has none."""

    __slots__ = ("_taken", "getting", "outbox", "posting")

    def __init__(self, outbox: PollingOutbox) -> None:
        self.outbox = outbox
        self._taken: trio.Event | None = None  # wakes the POST whose packets the reader has taken
        self.getting = False  # a GET waits
        self.posting = False  # a POST has arrived or is still arriving

    async def wait_taken(self) -> None:
        """Hold a POST until the reader has taken its packets, so that no client sends faster than it is read."""
        self._taken = trio.Event()
        await self._taken.wait()
        self._taken = None

    def release(self) -> None:
        """Let the POST that waits have its answer."""
        if self._taken is not None:
            self._taken.set()

    def end(self) -> None:
        """Release both requests."""
        self.outbox.wake()
        self.release()


def unframe(frames: bytes) -> Iterator[Packet]:
    """The messages in complete, unmasked frames of a server."""
    position = 0
    while position < len(frames):
        head, length = frames[position], frames[position + 1]
        position += 2
        if length > 125:
            size = 2 if length == 126 else 8
            length = int.from_bytes(frames[position : position + size], "big")
            position += size
        yield Packet(frames[position : position + length], head == BINARY_HEAD)
        position += length
