"""Requests that two servers could read in two ways: they are refused, and their connection ends."""

from __future__ import annotations

import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.chatd.net.http_client import GET, HOST, Line, body, status
from tests.chatd.net.test_http import CHUNKED, LENGTH


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(HOST + LENGTH + CHUNKED, id="a length and chunks"),
        pytest.param(HOST + CHUNKED + LENGTH, id="chunks and a length"),
        pytest.param(HOST + LENGTH[:-2] + b"\n", id="LF alone ends a header"),
        pytest.param(HOST[:-2] + b"\n" + LENGTH, id="LF alone ends another"),
        pytest.param(HOST + LENGTH + b"X-A: 1\r\n folded\r\n", id="a folded header"),
        pytest.param(HOST + LENGTH + b"X-A: 1\r\n\tfolded\r\n", id="a header folded by a tab"),
        pytest.param(HOST + b"Content-Length : 5\r\n", id="a blank before the colon"),
        pytest.param(HOST + LENGTH + b"Content-Length: 6\r\n", id="two lengths"),
        pytest.param(HOST + b"Content-Length: 5, 6\r\n", id="two lengths in one header"),
        pytest.param(HOST + CHUNKED + CHUNKED, id="chunks twice"),
        pytest.param(HOST + LENGTH + b"X-A: 1\rX-B: 2\r\n", id="CR alone"),
    ],
)
@pytest.mark.parametrize("step", [1, 1_000])
async def test_a_head_that_can_be_read_in_two_ways_ends_the_connection(
    line: Line, autojump_clock: MockClock, head: bytes, step: int
) -> None:
    """And nothing that follows it is answered."""
    data = b"POST /direct HTTP/1.1\r\n" + head + b"\r\n0\r\n\r\n" + GET + GET
    for at in range(0, len(data), step):
        await line.client.send_all(data[at : at + step])
        if step == 1:
            await wait_all_tasks_blocked()
    got = await line.end()
    assert got.count(b"HTTP/1.1 ") == 1
    assert status(got) == 400
    assert line.site.bodies == []


@pytest.mark.parametrize("ends", [(b"\n", b"\r\n"), (b"\r\n", b"\n"), (b"\n", b"\n")])
async def test_lf_alone_ends_no_line_of_a_head(
    line: Line, autojump_clock: MockClock, ends: tuple[bytes, bytes]
) -> None:
    await line.client.send_all(b"GET /app HTTP/1.1%bHost: h\r\n%b" % ends + GET)
    got = await line.end()
    assert got.count(b"HTTP/1.1 ") == 1
    assert status(got) == 400


async def test_http_1_0_has_no_chunks(line: Line, autojump_clock: MockClock) -> None:
    await line.client.send_all(b"POST /direct HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n0\r\n\r\n")
    assert status(await line.end()) == 400


async def test_lf_in_a_body_is_a_byte(line: Line) -> None:
    assert body(await line.ask(b"POST /direct HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n\n\n \n\t" + GET)).startswith(
        b"got 5"
    )
