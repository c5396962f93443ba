"""Sends a part of a file from the kernel's page cache to the socket: its bytes never pass through Python.

The disk may have to be read, so the kernel is called on a thread. The thread uses a second descriptor of the socket:
when the connection ends meanwhile, it can't reach another connection that has the same number.
"""

from __future__ import annotations

import os
from typing import BinaryIO

import trio

from chatd.net.http_connection import HttpConnection

PIECE_BYTES = 4 << 20
"""The most in one call of the kernel, which sends what its buffer for the socket has room for."""


class FilePart:
    """Stands for bytes of a body that never are in this process."""

    __slots__ = ("_length",)

    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length


async def send_file(
    connection: HttpConnection, head: bytes, file: BinaryIO, length: int, threads: trio.CapacityLimiter
) -> bool:
    """Send a head and `length` bytes of an open file. If the stream can't do that, send nothing and return False."""
    descriptor = connection.stream.second_descriptor()
    if descriptor is None:
        return False
    try:
        await connection.send(head)
        connection.count_part(FilePart(length))
        offset, end = file.tell(), file.tell() + length
        while offset < end:
            try:
                sent = await trio.to_thread.run_sync(
                    os.sendfile, descriptor, file.fileno(), offset, min(end - offset, PIECE_BYTES), limiter=threads
                )
            except BlockingIOError:
                await _wait_writable(connection)
                continue
            if not sent:
                raise OSError("the content is shorter than its record")
            offset += sent
        connection.end()
    finally:
        os.close(descriptor)
    return True


async def _wait_writable(connection: HttpConnection) -> None:
    with trio.move_on_after(connection.rules.write_seconds) as time_left:
        await connection.stream.wait_writable()
    if time_left.cancelled_caught:
        raise TimeoutError("the client does not read")
