"""Engine.IO behind real HTTP: a POST whose body can't be read to its end ends its session."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from chatd.net.http import HttpServer
from chatd.net.http_connection import HttpRules
from chatd.net.memory import MemoryStream, memory_pair
from chatd.net.socket import socket_rules
from tests.chatd.engineio.engine_app import EngineApp, SessionRules, app

PATIENT = SessionRules(interval_seconds=1_000, timeout_seconds=1_000, payload_bytes=1_000)
"""Heartbeats so rare that they end no session here."""


async def post(at: EngineApp, sid: str, rest: bytes) -> MemoryStream:
    """A POST of which a part has arrived. Returns the client's stream."""
    ours, theirs = memory_pair()
    server = HttpServer(
        at, at.nursery, HttpRules(body_seconds=5), socket_rules(message_bytes=1_000), crashed=at.crashes.append
    )

    async def serve() -> None:
        await server.serve(ours)
        ours.close()

    at.nursery.start_soon(serve)
    head = f"POST /engine.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n"
    await theirs.send_all(head.encode() + rest)
    return theirs


async def everything(stream: MemoryStream) -> bytes:
    got = b""
    while piece := await stream.receive_some():
        got += piece
    stream.close()
    return got


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b"Transfer-Encoding: chunked\r\n\r\n" + b"1f4\r\n" + b"4" * 500 + b"\r\n" + b"3e8\r\n" + b"4" * 1_000, b"413"),
        (b"Content-Length: 1001\r\n\r\n" + b"4" * 1_001, b"413"),
        (b"Content-Length: 1000\r\n\r\n4hello", b"408"),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
    ],
    ids=["chunks, too many", "declared, too large", "too slow", "no chunks"],
)
async def test_a_body_that_cannot_be_read_ends_the_session(
    rest: bytes, status: bytes, autojump_clock: MockClock
) -> None:
    async with app(rules=PATIENT) as at:
        sid = await at.handshake()
        stream = await post(at, sid, rest)
        answer = await everything(stream)
        assert answer.split()[1] == status
        assert await at.is_over(sid)
        assert not at.crashes


async def test_a_client_that_leaves_in_the_middle_of_a_body_ends_the_session(autojump_clock: MockClock) -> None:
    async with app(rules=PATIENT) as at:
        sid = await at.handshake()
        stream = await post(at, sid, b"Content-Length: 100\r\n\r\n4hello")
        await trio.testing.wait_all_tasks_blocked()
        assert sid in at.engine.sessions
        stream.close()
        await trio.testing.wait_all_tasks_blocked()
        assert await at.is_over(sid)


async def test_a_body_in_chunks_is_as_good_as_any(autojump_clock: MockClock) -> None:
    async with app(rules=PATIENT) as at:
        sid = await at.handshake()
        stream = await post(at, sid, b"Transfer-Encoding: chunked\r\n\r\n3\r\n4he\r\n3\r\nllo\r\n0\r\n\r\n")
        await trio.testing.wait_all_tasks_blocked()
        assert stream.take_now().endswith(b"\r\n\r\nok")
        assert (await at.get(sid)).body == b"4hello"
        stream.close()
