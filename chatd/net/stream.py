"""A stream of bytes to one peer: the operations of a socket, so that the layers above never use the socket itself.

There are two ways to read, for two kinds of protocol. HTTP asks for bytes: `await receive_some()` returns b"" once
nothing more will arrive (end, reset, or closed here). A WebSocket waits for bytes most of its life:
`await listen(on_data)` calls a function with all that arrives, and costs less (chatd/net/epoll_reader.py).

`send_now(data)` passes bytes to the kernel and returns how many it took. It never blocks. It raises BlockingIOError if
the kernel takes nothing, and another OSError if the peer has left. Every failure of a stream is an OSError. TLS
(chatd/net/tls.py) and the memory variant (chatd/net/memory.py) keep the same contract.

A read waits before it tries. A connection is nearly always idle, and a failed attempt costs more than the wait. A wait
is also a checkpoint, so a client that sends without end can't hold the loop.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Callable
from typing import Protocol, TypeAlias

import trio

from chatd.net.epoll_reader import READ_BYTES, DataHandler, EpollReader

RESET_AT_CLOSE = struct.pack("ii", 1, 0)

Bytes: TypeAlias = "bytes | bytearray | memoryview"


class StreamGone(ConnectionError):
    """The peer has left, or this end of the stream is closed."""


class Stream(Protocol):
    """The contract of the module's docstring. `pending` counts bytes that were taken but not yet passed to the kernel
    (ciphertext). A `direct` stream never has any.
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

    async def listen(self, on_data: DataHandler) -> None: ...

    async def wait_writable(self) -> None: ...

    def second_descriptor(self) -> int | None:
        """Another descriptor of the socket, for the kernel to send a file to; None if it can't."""
        ...

    def shutdown_write(self) -> None: ...

    def abort(self) -> None: ...

    def close(self) -> None: ...


async def send_all(stream: Stream, data: Bytes) -> None:
    """Send all bytes. It waits when the kernel is full; when the kernel takes all at once, there is no checkpoint."""
    rest = memoryview(data)
    while True:
        with contextlib.suppress(BlockingIOError):
            rest = rest[stream.send_now(rest) :]
        if not rest and not stream.pending:
            return
        await stream.wait_writable()


async def receive_all(stream: Stream, on_data: DataHandler) -> None:
    """`listen` for a stream without an EpollReader."""
    while (data := await stream.receive_some()) and on_data(data):
        pass
    if not data:
        on_data(b"")


def peer_of(address: object) -> str:
    """The address of a socket's peer: IPv4 mapped into IPv6 as plain IPv4, "unix" for a unix socket."""
    if not isinstance(address, tuple):
        return "unix"
    host = str(address[0])
    return host[7:] if host.startswith("::ffff:") and "." in host else host


class SocketStream:
    """A connected, non-blocking socket. `send_now` is the socket's own `send`."""

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
        """Wait for bytes and return at most `limit` of them; b"" when nothing more will arrive."""
        connected = self._socket
        while True:
            try:
                await trio.lowlevel.wait_readable(connected)
                return connected.recv(limit)
            except BlockingIOError:
                continue
            except (OSError, ValueError, trio.ClosedResourceError):
                return b""

    async def listen(self, on_data: DataHandler) -> None:
        """Call `on_data` with all that arrives, until it returns False or has received b"", the end."""
        if self._readers is not None:
            await self._readers.listen(self._socket, on_data)
        else:
            await receive_all(self, on_data)

    async def wait_writable(self) -> None:
        """Wait until the kernel takes more. One task at a time."""
        try:
            await trio.lowlevel.wait_writable(self._socket)
        except (ValueError, trio.ClosedResourceError):
            raise StreamGone("closed here") from None

    def second_descriptor(self) -> int | None:
        """Another descriptor of the socket, to which the kernel can send a file. The caller closes it."""
        try:
            return os.dup(self._socket.fileno())
        except OSError:
            raise StreamGone("closed here") from None

    def shutdown_write(self) -> None:
        """End the sending side. The peer's bytes can still arrive."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def abort(self) -> None:
        """End reads now, and discard what the kernel still holds at close."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket, and wake the tasks that wait on it."""
        if self._socket.fileno() >= 0:
            if self._readers is not None:
                self._readers.close(self._socket)
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()
