"""A WebSocket handshake on HTTP/1.1: the accepted ones, the rejected ones, and the connection behind it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock
from websockets.frames import Frame, Opcode

from chatd.net.framer import frame_close, frame_text
from chatd.net.request import Response
from tests.chatd.net.http_client import GET, UPGRADE, Line, header, status
from tests.chatd.net.test_http_deadlines import end_of_a_talker


def text(payload: bytes) -> bytes:
    return Frame(Opcode.TEXT, payload).serialize(mask=True)


async def opened(line: Line, extra: bytes = b"", behind: bytes = b"") -> bytes:
    return await line.ask(UPGRADE + extra + b"\r\n" + behind)


async def test_a_websocket_opens(line: Line) -> None:
    answer = await opened(line, b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
    assert status(answer) == 101
    assert header(answer, "sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert header(answer, "sec-websocket-extensions") is None
    assert header(answer, "sec-websocket-protocol") is None
    assert await line.ask(text(b"hi")) == frame_text(b"hi")


async def test_the_token_is_never_echoed(line: Line) -> None:
    answer = await opened(
        line, b"Sec-WebSocket-Protocol: bearer.secret, other\r\nSec-WebSocket-Protocol: chatd.jsonrpc\r\n"
    )
    assert header(answer, "sec-websocket-protocol") == "chatd.jsonrpc"
    assert b"secret" not in answer


async def test_bytes_behind_the_head_are_kept(line: Line) -> None:
    answer = await opened(line, behind=text(b"early") + text(b"bird")[:3])
    assert answer.endswith(frame_text(b"early"))
    assert await line.ask(text(b"bird")[3:])


async def test_an_upgrade_on_a_kept_alive_connection(line: Line) -> None:
    assert status(await line.ask(GET)) == 200
    assert status(await opened(line)) == 101
    assert await line.ask(text(b"hi")) == frame_text(b"hi")


async def test_a_refused_upgrade(line: Line) -> None:
    line.site.refusal = Response(403, b"no")
    assert status(await opened(line)) == 403


def drop(name: bytes) -> Callable[[bytes], bytes]:
    return lambda head: re.sub(rb"(?m)^" + name + rb": .*\r\n", b"", head)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (drop(b"Sec-WebSocket-Key"), 400),
        (lambda head: head.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"short"), 400),
        (lambda head: head.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"\xff\xff"), 400),
        (lambda head: head + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 400),
        (drop(b"Sec-WebSocket-Version"), 426),
        (lambda head: head.replace(b"Version: 13", b"Version: 8"), 426),
        (lambda head: head.replace(b"GET", b"POST"), 400),
        (lambda head: head + b"Content-Length: 1\r\n", 400),
    ],
)
async def test_bad_handshakes(
    line: Line, change: Callable[[bytes], bytes], expected: int, autojump_clock: MockClock
) -> None:
    await line.client.send_all(change(UPGRADE) + b"\r\nx")
    answer = await line.end()
    assert status(answer) == expected
    if expected == 426:
        assert header(answer, "sec-websocket-version") == "13"
    assert not line.crashes


@pytest.mark.parametrize("name", [b"Protocol", b"Extensions"])
async def test_bytes_that_are_no_ascii_in_the_handshake(line: Line, name: bytes) -> None:
    assert status(await opened(line, b"Sec-WebSocket-" + name + b": \xff\xfe\r\n")) == 101


async def test_a_handler_that_returns_closes(line: Line) -> None:
    await opened(line)
    assert await line.ask(text(b"leave")) == frame_close(1000)


async def test_a_handler_that_fails_closes_with_1011(line: Line) -> None:
    await opened(line)
    answer = await line.ask(text(b"crash"))
    assert int.from_bytes(answer[2:4], "big") == 1011
    line.client.close()
    await line.over.wait()
    assert [str(crash) for crash in line.crashes] == ["as asked"]


async def test_the_client_address_comes_from_locate(nursery: trio.Nursery) -> None:
    line = Line(nursery)
    line.server.locate = lambda peer, headers: ("198.51.100.7", "https")
    await line.start().ask(GET)
    assert (line.site.seen[0].client, line.site.seen[0].scheme) == ("198.51.100.7", "https")
    line.client.close()


async def test_without_proxies_it_is_the_peer(line: Line) -> None:
    await line.ask(GET)
    assert (line.site.seen[0].client, line.site.seen[0].scheme) == ("192.0.2.1", "http")


async def test_unread_bytes_do_not_delay_the_end(line: Line, autojump_clock: MockClock) -> None:
    """After the last answer the client has a moment to stop talking, and no more."""
    began = trio.current_time()
    await line.client.send_all(b"GET / HTTP/1.0\r\n\r\n")
    assert status(await end_of_a_talker(line, 0.5)) == 200
    assert trio.current_time() - began < 3
