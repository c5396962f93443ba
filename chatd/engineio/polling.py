"""What long polling needs beside the session: frames that wait for a GET, and who is in the middle of what.

Frames are kept as they were written, for a WebSocket. A GET takes them apart: a server's frames are unmasked, so that
is slicing. An upgrade sends them on as they are. A session that has, or gets, a WebSocket has none of this.
"""

from __future__ import annotations

from collections.abc import Iterator

import trio

from chatd.net.framer import BINARY_HEAD
from protocol.frames import Packet


class Polling:
    """The polling side of one session. `limit` bytes may wait (0: any number)."""

    __slots__ = ("_frames", "_limit", "_taken", "_words", "getting", "posting", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._frames: list[bytes] = []
        self._words: trio.Event | None = None  # wakes the GET that waits
        self._taken: trio.Event | None = None  # wakes the POST whose packets the reader has taken
        self.size = 0
        self.getting = False  # a GET waits
        self.posting = False  # a POST has come, or is still coming

    def keep(self, data: bytes, droppable: bool) -> bool:
        """Keep frames for the next GET; False when that is more than may wait, and then nothing does."""
        if self._limit and droppable and self.size > self._limit // 2:
            return True
        self._frames.append(data)
        self.size += len(data)
        if self._limit and self.size > self._limit:
            self.take()
            return False
        self.wake()
        return True

    def take(self) -> bytes:
        """What waits, as it was written."""
        frames = b"".join(self._frames)
        self._frames = []
        self.size = 0
        return frames

    def wake(self) -> None:
        """Let the GET that waits have what there is."""
        if self._words is not None:
            self._words.set()

    async def wait(self, seconds: float) -> None:
        """Wait until somebody has a word for the GET, or for so long."""
        self._words = trio.Event()
        with trio.move_on_after(seconds):
            await self._words.wait()
        self._words = None

    async def hand_over(self) -> None:
        """Let a POST wait until the reader has its packets, so that no client sends faster than it is heard."""
        self._taken = trio.Event()
        await self._taken.wait()
        self._taken = None

    def release(self) -> None:
        """Let the POST that waits have its answer."""
        if self._taken is not None:
            self._taken.set()


def unframe(frames: bytes) -> Iterator[Packet]:
    """The messages in frames of a server's, each of them whole and unmasked."""
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
