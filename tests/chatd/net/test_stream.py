"""The contract of a stream, held against its three kinds: a socket, TLS over memory, memory."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from chatd.net.epoll_reader import EpollReader
from chatd.net.memory import memory_pair
from chatd.net.stream import SocketStream, Stream, StreamGone, peer_of, send_all
from chatd.net.tls import TlsStream, server_context
from tests.certificate import make_certificate

LONG = bytes(range(256)) * 2_000


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"))
    return str(certificate), str(key)


@pytest.fixture
async def sockets() -> AsyncIterator[tuple[SocketStream, SocketStream]]:
    left, right = socket.socketpair()
    ours, theirs = SocketStream(left, "192.0.2.1"), SocketStream(right, "server")
    yield ours, theirs
    ours.close()
    theirs.close()


async def read_all(stream: Stream) -> bytes:
    pieces = []
    while piece := await stream.receive_some(1_000_000):
        pieces.append(piece)
    return b"".join(pieces)


async def exchange(ours: Stream, theirs: Stream) -> None:
    """More than a kernel holds, both ways, and the end of it."""

    async def send() -> None:
        await send_all(ours, LONG)
        ours.shutdown_write()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        assert await read_all(theirs) == LONG
    await send_all(theirs, b"back")
    assert await ours.receive_some() == b"back"


async def test_sockets_carry_everything_both_ways(sockets: tuple[SocketStream, SocketStream]) -> None:
    await exchange(*sockets)


async def test_memory_carries_everything_both_ways() -> None:
    await exchange(*memory_pair(1_000))


class Ear:
    """Takes what comes, until it has had `enough`."""

    def __init__(self, enough: bytes) -> None:
        self.enough = enough
        self.received = b""
        self.ends = 0

    def __call__(self, data: bytes) -> bool:
        self.received += data
        self.ends += not data
        return not self.received.endswith(self.enough)


async def listen_twice(ours: Stream, send: Callable[[bytes], Awaitable[object]], end: Callable[[], object]) -> None:
    """Until it is enough; then from there to the end."""
    first, second = Ear(b"enough"), Ear(b"never")
    await send(b"this is ")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.listen, first)
        await wait_all_tasks_blocked()
        await send(b"enough")
    assert (first.received, first.ends) == (b"this is enough", 0)
    await send(b"and more")
    end()
    await ours.listen(second)
    assert (second.received, second.ends) == (b"and more", 1)


@pytest.mark.parametrize("kind", ["socket", "memory"])
async def test_listening_until_it_is_enough_and_to_the_end(kind: str) -> None:
    ours, theirs = pair(kind)
    await listen_twice(ours, partial(send_all, theirs), theirs.shutdown_write)
    ours.close()
    theirs.close()


async def test_listening_with_one_task_for_all(nursery: trio.Nursery) -> None:
    readers = EpollReader.create()
    if readers is None:
        pytest.skip("this system has no epoll")
    nursery.start_soon(readers.run)
    left, right = socket.socketpair()
    ours, theirs = SocketStream(left, "", readers), SocketStream(right, "")
    await listen_twice(ours, partial(send_all, theirs), theirs.shutdown_write)
    async with trio.open_nursery() as inner:
        closed = Ear(b"never")
        inner.start_soon(ours.listen, closed)
        await wait_all_tasks_blocked()
        ours.close()
    assert closed.ends == 1
    theirs.close()


async def test_tls_listens(certificate: tuple[str, str]) -> None:
    server, client = await tls_pair(certificate)
    await listen_twice(server, partial(client.do, "write"), client.stream.shutdown_write)


async def test_a_full_kernel_raises_blocking(sockets: tuple[SocketStream, SocketStream]) -> None:
    ours, theirs = sockets
    fill(ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.wait_writable)
        await wait_all_tasks_blocked()
        await theirs.receive_some(1 << 20)
        ours.shutdown_write()
        nursery.start_soon(read_all, theirs)


@pytest.mark.parametrize("kind", ["socket", "memory"])
async def test_closing_wakes_the_reader_with_the_end(kind: str) -> None:
    ours, theirs = pair(kind)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(expect_end, ours)
        await wait_all_tasks_blocked()
        ours.close()
    ours.close()
    with pytest.raises(OSError):  # noqa: PT011 - any failure of a stream is an OSError, whichever
        ours.send_now(b"x")
    assert await theirs.receive_some() == b""
    theirs.close()


@pytest.mark.parametrize("kind", ["socket", "memory"])
async def test_closing_wakes_the_writer_with_an_error(kind: str) -> None:
    ours, theirs = pair(kind)
    fill(ours)

    async def wait() -> None:
        with pytest.raises(StreamGone):
            await ours.wait_writable()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        ours.close()
    theirs.close()


@pytest.mark.parametrize("kind", ["socket", "memory"])
async def test_aborting_ends_both_sides(kind: str) -> None:
    ours, theirs = pair(kind)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(expect_end, ours)
        await wait_all_tasks_blocked()
        ours.abort()
    assert await theirs.receive_some() == b""
    ours.close()
    theirs.close()


def test_peers_are_spelt_without_disguise() -> None:
    assert peer_of(("::ffff:192.0.2.7", 1, 0, 0)) == "192.0.2.7"
    assert peer_of(("2001:db8::1", 1, 0, 0)) == "2001:db8::1"
    assert peer_of("") == "unix"


class TlsClient:
    """The client's end, by the same library, over a memory stream."""

    def __init__(self, stream: Stream) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.stream = stream
        self.received, self.to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl = context.wrap_bio(self.received, self.to_send)

    async def do(self, step: str, *arguments: object) -> object:
        while True:
            try:
                result = getattr(self.ssl, step)(*arguments)
            except ssl.SSLWantReadError:
                await send_all(self.stream, self.to_send.read())
                data = await self.stream.receive_some()
                self.received.write(data) if data else self.received.write_eof()
            else:
                await send_all(self.stream, self.to_send.read())
                return result


async def tls_pair(certificate: tuple[str, str], capacity: int = 65_536) -> tuple[TlsStream, TlsClient]:
    below, client_side = memory_pair(capacity)
    server, client = TlsStream(below, server_context(*certificate)), TlsClient(client_side)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.handshake)
        await client.do("do_handshake")
    return server, client


async def test_tls_carries_both_ways(certificate: tuple[str, str]) -> None:
    server, client = await tls_pair(certificate)
    await client.do("write", b"hello")
    assert await server.receive_some() == b"hello"
    assert server.send_now(b"world") == 5
    assert await client.do("read", 100) == b"world"
    assert server.secure
    assert server.peer == "192.0.2.1"


async def test_tls_keeps_one_slice_and_encrypts_nothing_behind_it(certificate: tuple[str, str]) -> None:
    server, client = await tls_pair(certificate, 10_000)
    taken = server.send_now(LONG)
    assert 0 < taken <= 65_536
    assert 0 < server.pending < 70_000
    with pytest.raises(BlockingIOError):
        server.send_now(b"more")
    got = b""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_all, server, LONG[taken:])
        while len(got) < len(LONG):
            piece = await client.do("read", 65_536)
            assert isinstance(piece, bytes)
            got += piece
    assert got == LONG
    assert server.pending == 0


async def test_tls_is_read_while_another_task_waits_to_write(certificate: tuple[str, str]) -> None:
    server, client = await tls_pair(certificate, 10_000)
    server.send_now(LONG)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.wait_writable)
        await wait_all_tasks_blocked()
        await client.do("write", b"hello")
        assert await server.receive_some() == b"hello"
        nursery.cancel_scope.cancel()


async def test_tls_ends_with_a_peer_that_makes_it_talk_and_does_not_listen(certificate: tuple[str, str]) -> None:
    server, _ = await tls_pair(certificate, 10_000)
    server._cipher = b"x" * 300_000
    assert await server.receive_some() == b""


async def test_tls_says_goodbye(certificate: tuple[str, str]) -> None:
    server, client = await tls_pair(certificate)
    server.shutdown_write()
    assert await client.do("read", 10) == b""


async def test_garbage_is_no_handshake(certificate: tuple[str, str]) -> None:
    below, client = memory_pair()
    await client.send_all(b"GET / HTTP/1.1\r\n\r\n")
    assert not await TlsStream(below, server_context(*certificate)).handshake()


async def test_tls_that_turns_to_garbage_ends(certificate: tuple[str, str]) -> None:
    server, client = await tls_pair(certificate)
    await send_all(client.stream, b"\x17\x03\x03\x00\x20" + b"x" * 32)
    assert await server.receive_some() == b""


def pair(kind: str) -> tuple[Stream, Stream]:
    if kind == "memory":
        return memory_pair()
    left, right = socket.socketpair()
    return SocketStream(left, ""), SocketStream(right, "")


async def expect_end(stream: Stream) -> None:
    assert await stream.receive_some() == b""


def fill(stream: Stream) -> None:
    with contextlib.suppress(BlockingIOError):
        while stream.send_now(LONG):
            pass
    with pytest.raises(BlockingIOError):
        stream.send_now(b"x")
