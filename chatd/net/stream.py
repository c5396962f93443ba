"""A stream of bytes to one peer: what a socket can do, said so that the floors above never see the socket.

Reading is `await receive_some()`, which gives b"" once nothing more will come, for whatever reason: end, reset or
closed here; `await listen(take)` is the same for whoever only listens, and cheaper (chatd/net/epoll_reader.py). Sending
is `send_now(data)`, which hands bytes to the kernel and returns how many it took; it blocks never, raises
BlockingIOError when the kernel is full and another OSError when the peer is gone. Every failure of a stream is an
OSError. TLS (chatd/net/tls.py) and the memory variant (chatd/net/memory.py) keep the same contract.

Reads wait before they try: a connection is idle nearly always, an attempt that fails costs more than the wait, and
a wait is a checkpoint, so that a client which sends without end cannot hold the loop.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Protocol, TypeAlias

import trio

from chatd.net.epoll_reader import READ_BYTES, EpollReader, Take

RESET_AT_CLOSE = struct.pack("ii", 1, 0)

Bytes: TypeAlias = "bytes | bytearray | memoryview"


class StreamGone(ConnectionError):
    """The peer, or this end of the stream, is gone."""


class Stream(Protocol):
    """The contract above. `pending` counts bytes that were taken but are not yet the kernel's (ciphertext); a stream
    that is `direct` never has any.
    """

    @property
    def peer(self) -> str: ...

    @property
    def secure(self) -> bool: ...

    @property
    def pending(self) -> int: ...

    @property
    def direct(self) -> bool: ...

    @property
    def send_now(self) -> Callable[[Bytes], int]: ...

    async def receive_some(self, limit: int = READ_BYTES) -> bytes: ...

    async def listen(self, take: Take) -> None: ...

    async def wait_writable(self) -> None: ...

    def shutdown_write(self) -> None: ...

    def abort(self) -> None: ...

    def close(self) -> None: ...


async def send_all(stream: Stream, data: Bytes) -> None:
    """Send everything, waiting for the kernel as often as it takes; no checkpoint when it takes all at once."""
    rest = memoryview(data)
    while True:
        with contextlib.suppress(BlockingIOError):
            rest = rest[stream.send_now(rest) :]
        if not rest and not stream.pending:
            return
        await stream.wait_writable()


async def receive_all(stream: Stream, take: Take) -> None:
    """To listen by receiving."""
    while (data := await stream.receive_some()) and take(data):
        pass
    if not data:
        take(b"")


def peer_of(address: object) -> str:
    """The address part of a socket's peer: IPv4 without its IPv6 disguise, "unix" for a unix socket."""
    if not isinstance(address, tuple):
        return "unix"
    host = str(address[0])
    return host[7:] if host.startswith("::ffff:") and "." in host else host


class SocketStream:
    """A connected, non-blocking socket. `send_now` is the socket's own `send`: nothing stands in between."""

    __slots__ = ("_readers", "_socket", "peer", "send_now")

    secure = False
    pending = 0
    direct = True

    def __init__(self, connected: socket.socket, peer: str, readers: EpollReader | None = None) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._readers = readers
        self.peer = peer
        self.send_now: Callable[[Bytes], int] = connected.send

    async def receive_some(self, limit: int = READ_BYTES) -> bytes:
        """What has arrived, at most `limit` bytes, after a wait for it; b"" when nothing more will come."""
        connected = self._socket
        while True:
            try:
                await trio.lowlevel.wait_readable(connected)
                return connected.recv(limit)
            except BlockingIOError:
                continue
            except (OSError, ValueError, trio.ClosedResourceError):
                return b""

    async def listen(self, take: Take) -> None:
        """Give everything that arrives to `take`, until that has had enough or has been told of the end."""
        if self._readers is not None:
            await self._readers.listen(self._socket, take)
        else:
            await receive_all(self, take)

    async def wait_writable(self) -> None:
        """Wait until the kernel takes more. One task at a time."""
        try:
            await trio.lowlevel.wait_writable(self._socket)
        except (ValueError, trio.ClosedResourceError):
            raise StreamGone("closed here") from None

    def shutdown_write(self) -> None:
        """Tell the peer that nothing more comes; its own words can still arrive."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def abort(self) -> None:
        """Give up: reads end now, and what the kernel still holds is thrown away at close."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back, waking whoever waits on it."""
        if self._socket.fileno() >= 0:
            if self._readers is not None:
                self._readers.close(self._socket)
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()
