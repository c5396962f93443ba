"""The body limits: a longer body is read only for a client that is known."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import MockClock

from chatd.net.http import HttpServer
from chatd.net.http_connection import HttpRules
from chatd.net.request import Request
from chatd.net.socket import socket_rules
from protocol.errors import AUTH_INVALID, Refusal
from tests.chatd.net.http_client import HOST, Line, RecordingRouter, body, header, status
from tests.chatd.net.test_http import CHUNKED


class KnowingSite(RecordingRouter):
    """A site that asks who sends a longer body."""

    def __init__(self) -> None:
        super().__init__()
        self.limit = 10
        self.asked = 0

    async def widen_body(self, request: Request) -> int:
        self.asked += 1
        if request.get(b"authorization") != "good":
            raise Refusal(AUTH_INVALID)
        return 1_000


@pytest.fixture
async def knowing(nursery: trio.Nursery) -> AsyncIterator[Line]:
    made = Line(nursery)
    made.site = KnowingSite()
    made.server = HttpServer(made.site, nursery, HttpRules(), socket_rules(), crashed=made.crashes.append)
    yield made.start()
    made.client.close()
    await made.over.wait()


def long_post(token: bytes, framing: bytes) -> bytes:
    return b"POST /direct HTTP/1.1\r\n" + HOST + b"Authorization: " + token + b"\r\n" + framing + b"\r\n"


async def test_a_longer_body_is_read_for_a_client_that_is_known(knowing: Line) -> None:
    assert body(await knowing.ask(long_post(b"good", b"Content-Length: 50\r\n") + b"x" * 50)) == b"got 50"
    chunks = b"32\r\n" + b"x" * 50 + b"\r\n0\r\n\r\n"
    assert body(await knowing.ask(long_post(b"good", CHUNKED) + chunks)) == b"got 50"


@pytest.mark.parametrize("framing", [b"Content-Length: 50\r\nExpect: 100-continue\r\n", CHUNKED])
async def test_a_longer_body_is_not_read_for_a_client_that_is_not_known(
    knowing: Line, autojump_clock: MockClock, framing: bytes
) -> None:
    got = await knowing.ask(long_post(b"bad", framing))
    assert status(got) == 401
    assert header(got, "www-authenticate") == "Bearer"
    assert knowing.site.bodies == []
    assert b"100 Continue" not in got


async def test_a_short_body_costs_no_question(knowing: Line) -> None:
    assert body(await knowing.ask(long_post(b"bad", b"Content-Length: 10\r\n") + b"x" * 10)) == b"got 10"
    assert isinstance(knowing.site, KnowingSite)
    assert knowing.site.asked == 0
