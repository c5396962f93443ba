"""A file from the kernel: all of it at any pace of the client, and nothing where the stream can't."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
import trio

from chatd.net.file_sender import send_file
from chatd.net.http_connection import HttpConnection, HttpRules
from chatd.net.memory import memory_pair
from chatd.net.stream import SocketStream, Stream

CONTENT = os.urandom(6_000_000)
ANSWER_SECONDS = 5.0


@pytest.fixture
def content(tmp_path: Path) -> Iterator[BinaryIO]:
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    with path.open("rb", buffering=0) as opened:
        yield opened


async def answering(stream: Stream, client: Stream) -> HttpConnection:
    """A connection that has read a request."""
    connection = HttpConnection(stream, HttpRules(write_seconds=ANSWER_SECONDS))
    client.send_now(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    await connection.read_head()
    assert await connection.read_body() == b""
    return connection


def sockets() -> tuple[SocketStream, SocketStream]:
    left, right = socket.socketpair()
    return SocketStream(left, "192.0.2.1"), SocketStream(right, "server")


async def test_a_part_of_a_file_to_a_client_that_is_slow(content: BinaryIO) -> None:
    ours, theirs = sockets()
    connection = await answering(ours, theirs)
    head = connection.head(200, (), length=5_000_000)
    content.seek(7)
    received = bytearray()

    async def read() -> None:
        while len(received) < len(head) + 5_000_000:
            received.extend(await theirs.receive_some(50_000))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        assert await send_file(connection, head, content, 5_000_000, trio.CapacityLimiter(1))
    assert bytes(received) == head + CONTENT[7:5_000_007]
    assert connection.complete
    assert await connection.next_cycle(), "the connection takes the next request"
    for stream in (ours, theirs):
        stream.close()


async def test_a_client_that_reads_nothing_is_dropped(content: BinaryIO) -> None:
    ours, theirs = sockets()
    connection = await answering(ours, theirs)
    head = connection.head(200, (), length=len(CONTENT))
    connection.rules = HttpRules(write_seconds=0.01)
    with pytest.raises(TimeoutError):
        await send_file(connection, head, content, len(CONTENT), trio.CapacityLimiter(1))
    for stream in (ours, theirs):
        stream.close()


async def test_a_file_that_is_too_short_ends_the_connection(content: BinaryIO) -> None:
    ours, theirs = sockets()
    connection = await answering(ours, theirs)
    content.seek(len(CONTENT) - 10)
    with pytest.raises(OSError, match="shorter"):
        await send_file(connection, connection.head(200, (), length=11), content, 11, trio.CapacityLimiter(1))
    assert not connection.complete
    for stream in (ours, theirs):
        stream.close()


async def test_a_stream_without_a_socket_sends_nothing(content: BinaryIO) -> None:
    ours, theirs = memory_pair()
    connection = await answering(ours, theirs)
    head = connection.head(200, (), length=10)
    assert not await send_file(connection, head, content, 10, trio.CapacityLimiter(1))
    ours.close()
    assert await theirs.receive_some() == b""
