"""HTTP/1.1 on a memory stream under virtual time: each limit and deadline, and the handler of each request."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from websockets.frames import Frame, Opcode

from chatd.net.asgi import Application, Event, Receive, Send
from chatd.net.framer import frame_close, frame_text
from chatd.net.http import Direct, HttpRouter, HttpServer, LateBodyHandler
from chatd.net.http_connection import HttpRules
from chatd.net.memory import MemoryStream, memory_pair
from chatd.net.request import Request, Response
from chatd.net.socket import WebSocket, socket_rules
from protocol.errors import AUTH_INVALID, Refusal
from tests.chatd.listening import receive

HOST = b"Host: chat.example\r\n"
UPGRADE = (
    b"GET /chat?x=1 HTTP/1.1\r\n"
    + HOST
    + b"Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
GET = b"GET /app HTTP/1.1\r\n" + HOST + b"\r\n"


class RecordingRouter(HttpRouter):
    """A router that records what reaches it."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self.bodies: list[bytes] = []
        self.refusal: Response | None = None
        self.limit = 1_000
        self.fault: Exception | None = None

    def refuse(self, request: Request) -> Response | None:
        self.seen.append(request)
        return self.refusal

    async def websocket(self, request: Request, websocket: WebSocket) -> None:
        while True:
            for payload, _ in await receive(websocket):
                if payload == b"crash":
                    raise RuntimeError("as asked")
                if payload == b"leave":
                    return
                websocket.write(frame_text(payload))

    def direct(self, request: Request) -> Direct | LateBodyHandler | None:
        return self.answer if request.path.startswith("/direct") else None

    async def answer(self, request: Request, body: bytes) -> Response:
        if self.fault is not None:
            raise self.fault
        self.bodies.append(body)
        return Response(200, b"got %d" % len(body), ((b"content-type", b"text/plain"),))

    def body_limit(self, request: Request) -> int:
        return self.limit

    async def application(self) -> Application:
        return hello


async def hello(scope: Event, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


class Line:
    """One connection to a server, from the client's side."""

    def __init__(self, nursery: trio.Nursery, rules: HttpRules | None = None) -> None:
        self.site = RecordingRouter()
        self.crashes: list[BaseException] = []
        self.stream, self.client = memory_pair()
        self.server = HttpServer(
            self.site,
            nursery,
            rules or HttpRules(),
            socket_rules(message_bytes=1_000),
            crashed=self.crashes.append,
        )
        self.over = trio.Event()
        self.nursery = nursery
        self.busy: Response | None = None

    def start(self) -> Line:
        self.nursery.start_soon(self._serve)
        return self

    async def _serve(self) -> None:
        try:
            upgraded = await self.server.serve(self.stream, self.busy)
            if upgraded is not None:
                await upgraded
        except Exception as error:
            self.crashes.append(error)
        finally:
            self.stream.close()
            self.over.set()

    async def ask(self, data: bytes) -> bytes:
        """Send, and return what arrives until all tasks wait."""
        await self.client.send_all(data)
        return await self.listen()

    async def listen(self) -> bytes:
        got = b""
        await wait_all_tasks_blocked()
        while piece := self.client.take_now():
            got += piece
            await wait_all_tasks_blocked()
        return got

    async def end(self) -> bytes:
        """All bytes until the server closes."""
        got = b""
        while piece := await self.client.receive_some():
            got += piece
        self.client.close()
        await self.over.wait()
        return got


@pytest.fixture
async def line(nursery: trio.Nursery) -> AsyncIterator[Line]:
    made = Line(nursery)
    yield made.start()
    made.client.close()
    await made.over.wait()
    await wait_all_tasks_blocked()
    assert not nursery.child_tasks, "a task is left behind"


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


def status(answer: bytes) -> int:
    return int(answer[9:12])


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def header(answer: bytes, name: str) -> str | None:
    found = re.search(rf"(?im)^{name}: (.*)\r$", answer.partition(b"\r\n\r\n")[0].decode() + "\r")
    return found[1] if found else None


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


# -- upgrades ----------------------------------------------------------------------------------------------------


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


LENGTH, CHUNKED = b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"


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
