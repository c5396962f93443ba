"""Streams without sockets: a pair of ends in memory, for tests under virtual time.

Each direction holds at most `capacity` bytes, like a kernel buffer, so that tests can produce backpressure.
"""

from __future__ import annotations

import trio
from trio.lowlevel import ParkingLot

from chatd.net.epoll_reader import READ_BYTES, DataHandler
from chatd.net.stream import Bytes, StreamGone, receive_all, send_all


class Pipe:
    """One direction."""

    __slots__ = ("broken", "capacity", "data", "ended", "parked")

    def __init__(self, capacity: int) -> None:
        self.data = bytearray()
        self.capacity = capacity
        self.ended = False  # nothing more will be written
        self.broken = False  # the reading end is closed
        self.parked = ParkingLot()

    def change(self) -> None:
        self.parked.unpark_all()


class MemoryStream:
    """One end of a pair; obeys the contract of chatd/net/stream.py."""

    __slots__ = ("_closed", "_in", "_out", "aborted", "peer", "secure")

    pending = 0
    direct = True

    def __init__(self, incoming: Pipe, outgoing: Pipe, peer: str, secure: bool) -> None:
        self._in = incoming
        self._out = outgoing
        self._closed = False
        self.peer = peer
        self.secure = secure
        self.aborted = False

    @property
    def closed(self) -> bool:
        return self._closed

    def send_now(self, data: Bytes) -> int:
        pipe = self._out
        if pipe.ended or pipe.broken or self._closed:
            raise BrokenPipeError
        room = pipe.capacity - len(pipe.data)
        if room <= 0 and data:
            raise BlockingIOError
        pipe.data += data[:room]
        pipe.change()
        return min(room, len(data))

    async def send_all(self, data: Bytes) -> None:
        await send_all(self, data)

    async def receive_some(self, limit: int = READ_BYTES) -> bytes:
        await trio.lowlevel.checkpoint()
        pipe = self._in
        while not pipe.data and not pipe.ended and not self._closed:
            await pipe.parked.park()
        return b"" if self._closed else self.take_now(limit)

    async def listen(self, on_data: DataHandler) -> None:
        await receive_all(self, on_data)

    def take_now(self, limit: int = READ_BYTES) -> bytes:
        """The bytes that have arrived, without a wait."""
        pipe = self._in
        taken = bytes(pipe.data[:limit])
        del pipe.data[:limit]
        pipe.change()
        return taken

    async def wait_writable(self) -> None:
        await trio.lowlevel.checkpoint()
        pipe = self._out
        while len(pipe.data) >= pipe.capacity and not pipe.broken and not self._closed:
            await pipe.parked.park()
        if self._closed:
            raise StreamGone("closed here")

    def second_descriptor(self) -> None:
        return None

    def shutdown_write(self) -> None:
        self._out.ended = True
        self._out.change()

    def abort(self) -> None:
        self.aborted = True
        self._out.data.clear()
        self._end()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._end()

    def _end(self) -> None:
        self._out.ended = True
        self._in.ended = self._in.broken = True
        self._in.data.clear()
        self._in.change()
        self._out.change()


def memory_pair(
    capacity: int = 65_536, *, peer: str = "192.0.2.1", secure: bool = False
) -> tuple[MemoryStream, MemoryStream]:
    """Both ends: the server's (whose peer is `peer`) and the client's."""
    up, down = Pipe(capacity), Pipe(capacity)
    return MemoryStream(up, down, peer, secure), MemoryStream(down, up, "server", secure)
