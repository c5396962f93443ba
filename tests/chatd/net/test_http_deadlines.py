"""The time limits of HTTP connections, and the end of connections when the server stops."""

from __future__ import annotations

import contextlib

import pytest
import trio
from trio.testing import MockClock

from chatd.net.memory import MemoryStream
from chatd.net.request import Response
from tests.chatd.net.http_client import GET, HOST, Line, status


async def talk(client: MemoryStream, every: float) -> None:
    """A client that sends a byte at a time until it notices that the connection has ended."""
    with contextlib.suppress(OSError):
        while not client.closed:
            await client.send_all(b"x")
            await trio.sleep(every)


async def end_of_a_talker(line: Line, every: float) -> bytes:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk, line.client, every)
        answer = await line.end()
        nursery.cancel_scope.cancel()
    return answer


async def test_a_head_has_ten_seconds_in_all(line: Line, autojump_clock: MockClock) -> None:
    began = trio.current_time()
    for byte in GET:
        await line.client.send_all(bytes([byte]))
        await trio.sleep(2)
        if line.over.is_set():
            break
    assert 10 <= trio.current_time() - began <= 14
    assert not line.site.seen


async def test_silence_before_the_first_request(line: Line, autojump_clock: MockClock) -> None:
    began = trio.current_time()
    assert await line.end() == b""
    assert trio.current_time() - began == pytest.approx(10, abs=0.1)


async def test_an_idle_connection_ends(line: Line, autojump_clock: MockClock) -> None:
    await line.ask(GET)
    began = trio.current_time()
    assert await line.end() == b""
    assert trio.current_time() - began == pytest.approx(75, abs=0.1)


async def test_a_body_that_trickles(line: Line, autojump_clock: MockClock) -> None:
    await line.client.send_all(b"POST /direct HTTP/1.1\r\n" + HOST + b"Content-Length: 900\r\n\r\n")
    began = trio.current_time()
    assert status(await end_of_a_talker(line, 5.0)) == 408
    assert trio.current_time() - began < 35


async def test_a_client_that_does_not_read_is_dropped(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    line = Line(nursery)
    line.site.refusal = Response(200, b"x" * 1_000_000)
    line.start()
    began = trio.current_time()
    await line.client.send_all(GET)
    await line.over.wait()
    assert trio.current_time() - began == pytest.approx(30, abs=0.1)
    assert line.stream.aborted


async def test_stopping_ends_idle_connections_and_keeps_none_alive(nursery: trio.Nursery) -> None:
    line = Line(nursery).start()
    await line.ask(GET)
    line.server.stop()
    await line.over.wait()
    late = Line(nursery)
    late.server.stopping = True
    late.start()
    await late.over.wait()
    assert late.site.seen == []
