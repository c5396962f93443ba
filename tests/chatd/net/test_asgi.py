"""The ASGI adapter: scopes, bodies, streams, clients that leave, applications that misbehave, and Quart-Trio itself."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import AsyncGenerator
from functools import partial

import pytest
import trio
from quart import Response as QuartResponse
from quart import request as quart_request
from quart_trio import QuartTrio
from trio.testing import MockClock, wait_all_tasks_blocked

from chatd.net.asgi import (
    AFTERWARDS,
    PROMPT_SECONDS,
    Event,
    Receive,
    Send,
    run_application,
)
from chatd.net.http_connection import HttpConnection, HttpRules, Reject
from chatd.net.memory import memory_pair
from tests.chatd.net.asgi_run import GET, Run, piece, run

START: Event = {"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]}
OLD = b"GET / HTTP/1.0\r\n\r\n"


async def test_the_scope() -> None:
    scopes = []

    async def app(scope: Event, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        assert await receive() == {"type": "http.request", "body": b"", "more_body": False}
        await send(START)
        await send(piece(b"", more=False))
        assert await receive() == {"type": "http.disconnect"}

    made = await run(app)
    (scope,) = scopes
    assert made.failure is None
    assert scope["path"] == "/a b"
    assert scope["raw_path"] == b"/a%20b"
    assert scope["query_string"] == b"c=d"
    assert scope["headers"] == [(b"host", b"h"), (b"x-two", b"1"), (b"x-two", b"2")]
    assert scope["http_version"] == "1.1"
    assert b"content-length: 0\r\n" in made.got()


async def test_a_body_comes_in_pieces_and_ends() -> None:
    bodies = []

    async def app(scope: Event, receive: Receive, send: Send) -> None:
        more = True
        while more:
            event = await receive()
            bodies.append(event["body"])
            more = event["more_body"]
        await send(START)
        await send(piece(b"ok", more=False))

    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert (await run(app, head)).failure is None
    assert bodies == [b"abcde", b""]  # what has come is one piece, in however many chunks


async def stream_two(scope: Event, receive: Receive, send: Send) -> None:
    await send(START)
    await send(piece(b"one"))
    await send(piece(b"two"))
    await send(piece(b"", more=False))


async def test_no_length_means_chunks_or_the_end_of_the_connection() -> None:
    got = (await run(stream_two)).got()
    assert b"transfer-encoding: chunked\r\n" in got.lower()
    assert got.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
    got = (await run(stream_two, OLD)).got()
    assert b"chunked" not in got
    assert got.endswith(b"\r\n\r\nonetwo")


async def test_head_of_a_stream_has_no_body() -> None:
    assert (await run(stream_two, GET.replace(b"GET", b"HEAD"))).got().endswith(b"\r\n\r\n")


async def test_an_application_that_crashes_before_its_answer() -> None:
    async def app(scope: Event, receive: Receive, send: Send) -> None:
        raise RuntimeError("as asked")

    made = await run(app)
    assert isinstance(made.failure, Reject)
    assert made.failure.answer is not None
    assert made.failure.answer.status == 500
    assert len(made.crashes) == 1


@pytest.mark.parametrize("events", [[], [START], [START, piece(b"half")]])
async def test_an_application_that_leaves_its_answer_unfinished(events: list[Event]) -> None:
    async def app(scope: Event, receive: Receive, send: Send) -> None:
        for event in events:
            await send(event)

    assert isinstance((await run(app)).failure, Reject)


async def test_an_application_that_sends_what_http_does_not_know() -> None:
    async def app(scope: Event, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})

    assert isinstance((await run(app)).crashes[0], ValueError)


async def test_a_body_too_large_is_the_clients_fault_whatever_the_application_makes_of_it() -> None:
    async def app(scope: Event, receive: Receive, send: Send) -> None:
        with contextlib.suppress(Reject):
            await receive()
        raise RuntimeError("confused")

    made = await run(app, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n")
    assert isinstance(made.failure, Reject)
    assert made.failure.answer is not None
    assert made.failure.answer.status == 413
    assert not made.crashes


async def test_a_bare_send_loop_lets_others_run(nursery: trio.Nursery) -> None:
    turns = []

    async def app(scope: Event, receive: Receive, send: Send) -> None:
        await send(START)
        for _ in range(50):
            await send(piece(b"x"))
        await send(piece(b"", more=False))
        turns.append("end")

    async def others() -> None:
        for _ in range(20):
            turns.append("turn")
            await trio.lowlevel.checkpoint()

    nursery.start_soon(others)
    await run(app)
    assert turns.index("end") > 10


async def test_a_client_that_does_not_read_ends_the_stream(autojump_clock: MockClock) -> None:
    async def app(scope: Event, receive: Receive, send: Send) -> None:
        await send(START)
        while True:
            await send(piece(b"x" * 1_000))

    began = trio.current_time()
    made = await run(app)
    assert isinstance(made.failure, TimeoutError)
    assert not made.crashes
    assert trio.current_time() - began == pytest.approx(30, abs=0.1)


# -- Quart-Trio --------------------------------------------------------------------------------------------------


@pytest.fixture
async def quart() -> QuartTrio:
    app = QuartTrio(__name__)
    app.left = trio.Event()  # type: ignore[attr-defined]

    @app.get("/a b")
    async def plain() -> dict[str, str]:
        return {"c": quart_request.args["c"]}

    @app.post("/")
    async def length() -> dict[str, int]:
        return {"length": len(await quart_request.get_data())}

    @app.get("/events")
    async def events() -> QuartResponse:
        async def source() -> AsyncGenerator[bytes, None]:
            try:
                yield b"data: first\n\n"
                await trio.sleep_forever()
            finally:
                app.left.set()  # type: ignore[attr-defined]

        answer = QuartResponse(source(), content_type="text/event-stream")
        answer.timeout = None
        return answer

    return app


async def test_quart_answers(quart: QuartTrio) -> None:
    made = await run(quart)
    assert made.failure is None
    assert made.got().endswith(b'{"c":"d"}\n')


async def test_quart_reads_bodies(quart: QuartTrio) -> None:
    made = await run(quart, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
    assert made.got().endswith(b'{"length":3}\n')


async def test_quart_and_a_body_too_large(quart: QuartTrio) -> None:
    made = await run(quart, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n")
    assert isinstance(made.failure, Reject)
    assert not made.crashes


async def test_a_client_that_half_closes_gets_its_answer(quart: QuartTrio) -> None:
    made = Run(quart)
    await made.client.send_all(GET)
    made.client.shutdown_write()
    made.head = b""
    await made()
    assert made.failure is None
    assert made.got().endswith(b'{"c":"d"}\n')


async def test_an_abandoned_long_wait_is_cancelled(autojump_clock: MockClock) -> None:
    """The client leaves while its answer is prepared: the handler ends long before its time."""
    app, ended = QuartTrio("waits"), list[float]()

    @app.get("/wait")
    async def wait() -> str:
        try:
            await trio.sleep(30)
        finally:
            ended.append(trio.current_time())
        return "late"

    made = Run(app, b"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made)
        await trio.sleep(1)
        made.client.shutdown_write()
    assert ended == [began + PROMPT_SECONDS]
    assert isinstance(made.failure, Reject)
    assert made.failure.answer is None
    assert made.crashes == []


async def test_quart_notices_that_the_reader_of_a_stream_left(quart: QuartTrio, nursery: trio.Nursery) -> None:
    made = Run(quart, b"GET /events HTTP/1.1\r\nHost: h\r\n\r\n")
    nursery.start_soon(made)
    await wait_all_tasks_blocked()
    assert b"data: first\n\n" in made.got()
    made.client.close()
    await quart.left.wait()  # type: ignore[attr-defined]
    await wait_all_tasks_blocked()
    assert not nursery.child_tasks


async def test_a_pipelining_reader_of_a_stream_is_not_gone(quart: QuartTrio, nursery: trio.Nursery) -> None:
    made = Run(quart, b"GET /events HTTP/1.1\r\nHost: h\r\n\r\n")
    nursery.start_soon(made)
    await wait_all_tasks_blocked()
    await made.client.send_all(GET * 10)
    await wait_all_tasks_blocked()
    assert not quart.left.is_set()  # type: ignore[attr-defined]
    nursery.cancel_scope.cancel()


async def test_an_answer_that_failed_is_freed_at_once(autojump_clock: MockClock) -> None:
    """Without the collector: no cycle of exchange, failure and traceback keeps what could not be sent."""
    app, body = QuartTrio("large"), bytes(10_000_000)

    @app.get("/large")
    async def large() -> QuartResponse:
        return QuartResponse(body)

    for _ in range(2):  # whatever Quart makes once is made by the first
        gc.collect()
        before = sys.getrefcount(body)
        gc.disable()
        try:
            stream, client = memory_pair()
            await client.send_all(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
            channel = HttpConnection(stream, HttpRules())
            assert await channel.wait_request()
            request = await channel.read_head()
            assert request is not None
            failed = True
            with contextlib.suppress(TimeoutError):
                await run_application(app, channel, request, lambda error: None)
                failed = False
            assert failed
            held = sys.getrefcount(body) - before
        finally:
            gc.enable()
    assert held == 0


async def test_what_is_to_be_done_afterwards_is_done_however_it_ends(autojump_clock: MockClock) -> None:
    done = list[str]()

    async def app(scope: Event, receive: Receive, send: Send) -> None:
        scope[AFTERWARDS].append(partial(done.append, scope["path"]))
        if scope["path"] == "/fails":
            raise ZeroDivisionError
        await send(START)
        await send(piece(b"x" * 1_000_000 if scope["path"] == "/unread" else b"", more=False))

    for path in ("/fine", "/fails", "/unread"):
        await run(app, b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % path.encode())
    assert done == ["/fine", "/fails", "/unread"]
