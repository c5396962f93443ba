"""HTTP/1.1 on a memory stream under virtual time: answers, bodies, invalid requests, and failing handlers."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from chatd.net.asgi import Application, Event, Receive, Send
from chatd.net.request import Request, Response
from tests.chatd.net.http_client import GET, HOST, Line, body, header, hello, status


async def test_answers_carry_the_default_headers_and_no_server(line: Line) -> None:
    answer = await line.ask(GET)
    assert status(answer) == 200
    assert body(answer) == b"hello"
    assert header(answer, "content-length") == "5"
    assert header(answer, "x-content-type-options") == "nosniff"
    assert header(answer, "referrer-policy") == "no-referrer"
    assert header(answer, "cache-control") == "no-store"
    assert header(answer, "content-security-policy") == "default-src 'none'; frame-ancestors 'none'"
    assert header(answer, "date")
    assert header(answer, "server") is None


async def test_own_headers_win_over_defaults(line: Line) -> None:
    line.site.refusal = Response(
        200, b"", ((b"Cache-Control", b"max-age=60"), (b"set-cookie", b"a"), (b"set-cookie", b"b"))
    )
    answer = await line.ask(GET)
    assert header(answer, "cache-control") == "max-age=60"
    assert answer.lower().count(b"cache-control") == 1
    assert answer.count(b"set-cookie") == 2


async def test_a_site_can_add_headers_to_every_answer(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line.site, "headers", lambda request: ((b"vary", b"Origin"),))
    assert header(await line.ask(GET), "vary") == "Origin"


async def test_a_header_cannot_smuggle_a_line(line: Line) -> None:
    line.site.refusal = Response(200, b"", ((b"location", b"/\r\nset-cookie: stolen"),))
    answer = await line.ask(GET)
    assert status(answer) == 500
    assert b"stolen" not in answer
    assert len(line.crashes) == 1


async def test_kept_alive_and_pipelined(line: Line) -> None:
    assert status(await line.ask(GET)) == 200
    answers = await line.ask(GET + GET + b"POST /direct HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc")
    assert answers.count(b"HTTP/1.1 200") == 3
    assert line.site.bodies == [b"abc"]


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"]
)
async def test_closing_when_the_client_asks_for_it(line: Line, head: bytes, autojump_clock: MockClock) -> None:
    await line.client.send_all(head)
    answer = await line.end()
    assert status(answer) == 200
    assert (header(answer, "connection") or "").lower() == "close"


async def test_head_gets_no_body(line: Line) -> None:
    answer = await line.ask(GET.replace(b"GET", b"HEAD"))
    assert header(answer, "content-length") == "5"
    assert body(answer) == b""
    assert body(await line.ask(GET)) == b"hello"


async def test_bodies_of_both_kinds_and_continue(line: Line) -> None:
    chunked = (
        b"POST /direct HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    assert body(await line.ask(chunked)) == b"got 5"
    head = b"POST /direct HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    assert (await line.ask(head)).startswith(b"HTTP/1.1 100")
    assert body(await line.ask(b"wxyz")) == b"got 4"
    assert line.site.bodies == [b"abcde", b"wxyz"]


async def test_a_declared_length_is_judged_at_once(line: Line, autojump_clock: MockClock) -> None:
    head = b"POST /direct HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n"
    answer = await line.ask(head)
    assert status(answer) == 413
    assert header(answer, "connection") == "close"
    assert b"TOO_LARGE" in body(answer)


async def test_a_chunked_body_is_judged_while_it_comes(line: Line, autojump_clock: MockClock) -> None:
    head = b"POST /direct HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    assert await line.ask(head + b"3e8\r\n" + b"x" * 1_000 + b"\r\n") == b""
    assert status(await line.ask(b"1\r\nx\r\n")) == 413


async def test_no_limit_on_bodies(line: Line) -> None:
    line.site.limit = 0
    answer = await line.ask(b"POST /direct HTTP/1.1\r\n" + HOST + b"Content-Length: 50000\r\n\r\n" + b"x" * 50_000)
    assert body(answer) == b"got 50000"


async def test_an_unread_body_is_skipped(line: Line) -> None:
    post = b"POST /app HTTP/1.1\r\n" + HOST + b"Content-Length: 900\r\n\r\n" + b"x" * 900
    assert (await line.ask(post + GET)).count(b"HTTP/1.1 200") == 2


async def test_an_unread_body_that_is_too_large_ends_the_connection(line: Line, autojump_clock: MockClock) -> None:
    await line.client.send_all(b"POST /app HTTP/1.1\r\n" + HOST + b"Content-Length: 90000\r\n\r\n" + b"x" * 900)
    assert status(await line.end()) == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"HELO\r\n\r\n",
        b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\xc3\xbc HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/2.0\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n",
        b"CONNECT chat.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)
async def test_garbage_is_answered_and_ended(line: Line, garbage: bytes, autojump_clock: MockClock) -> None:
    await line.client.send_all(garbage)
    line.client.shutdown_write()
    answer = await line.end()
    assert answer == b"" or status(answer) == 400
    assert not line.crashes


@pytest.mark.parametrize(
    "strange",
    [
        b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: \xff!\r\n",
        b"X-Name: J\xfcrgen\r\nCookie: \xff\xfe\r\n",
        b"Upgrade: websocket\r\n",
        b"Connection: Upgrade\r\n",
    ],
)
async def test_strange_headers_are_served(line: Line, strange: bytes) -> None:
    head = b"GET /app HTTP/1.1\r\n" + HOST + strange + b"\r\n"
    assert (await line.ask(head + GET)).count(b"HTTP/1.1 200") == 2


async def test_targets_of_every_form(line: Line) -> None:
    for target in (b"/a%20b?q=%ff", b"http://chat.example/a%20b?q=%ff", b"*", b"http://chat.example", b"/%ff"):
        await line.ask(b"OPTIONS " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    assert [request.path for request in line.site.seen] == ["/a b", "/a b", "/", "/", "/\ufffd"]
    assert line.site.seen[0].query == b"q=%ff"


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_head_too_large(line: Line, at_once: bool, autojump_clock: MockClock) -> None:
    await line.client.send_all(GET[:-2] + b"X: " + b"y" * 17_000 + (b"\r\n\r\n" if at_once else b""))
    assert status(await line.end()) == 431


async def test_a_handler_that_fails_is_a_500_and_the_connection_goes_on(line: Line) -> None:
    line.site.fault = RuntimeError("secret")
    answer = await line.ask(GET.replace(b"/app", b"/direct"))
    assert status(answer) == 500
    assert b"secret" not in answer
    assert [str(crash) for crash in line.crashes] == ["secret"]
    assert status(await line.ask(GET)) == 200


async def test_a_site_that_fails_is_a_500(
    line: Line, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    def fail(request: Request) -> Response | None:
        raise RuntimeError("as asked")

    monkeypatch.setattr(line.site, "refuse", fail)
    await line.client.send_all(GET)
    assert status(await line.end()) == 500
    assert len(line.crashes) == 1


async def test_one_connection_too_many_gets_an_answer(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    line = Line(nursery)
    line.busy = Response(503, b"full")
    line.start()
    await line.client.send_all(GET + GET)
    answer = await line.end()
    assert status(answer) == 503
    assert not line.site.seen


LENGTH, CHUNKED = b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"


async def test_chunk_extensions_and_trailers_have_an_end(line: Line, autojump_clock: MockClock) -> None:
    head = b"POST /direct HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n"
    await line.client.send_all(head + b"0\r\n" + b"X: %b\r\n" % (b"x" * 1_000) * 40)
    assert status(await line.end()) == 431


async def test_what_frames_a_body_is_counted_too(line: Line, autojump_clock: MockClock) -> None:
    head = b"POST /direct HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n"
    await line.client.send_all(head + b"1;%b\r\nx\r\n" % (b"e" * 10_000) * 10)
    assert status(await line.end()) == 413


async def test_many_small_chunks_are_one_piece(line: Line) -> None:
    pieces: list[bytes] = []

    async def app(scope: Event, receive: Receive, send: Send) -> None:
        more = True
        while more:
            event = await receive()
            pieces.append(event["body"])
            more = event["more_body"]
        await hello(scope, receive, send)

    async def get_app() -> Application:
        return app

    line.site.application = get_app  # type: ignore[method-assign]
    head = b"POST /app HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n"
    assert body(await line.ask(head + b"1\r\nx\r\n" * 500 + b"0\r\n\r\n")) == b"hello"
    assert pieces == [b"x" * 500, b""]
