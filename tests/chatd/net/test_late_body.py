"""A handler that reads the body itself: what it refuses first, and when its answer counts as sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from chatd.net.http import BodyReader, LateBodyHandler
from chatd.net.request import Request, Response
from tests.chatd.net.http_client import Line, RecordingRouter

POST = b"POST /late HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
Handle = Callable[[Request, BodyReader], Awaitable[Response]]


class LateRouter(RecordingRouter):
    """A router with one handler."""

    def __init__(self, handle: Handle) -> None:
        super().__init__()
        self.handle = handle

    def direct(self, request: Request) -> LateBodyHandler:
        return LateBodyHandler(self.handle)


def late(nursery: trio.Nursery, handle: Handle) -> Line:
    line = Line(nursery)
    line.site = LateRouter(handle)
    line.server.router = line.site
    return line.start()


async def echo(request: Request, read_body: BodyReader) -> Response:
    return Response(200, await read_body())


async def refuse(request: Request, read_body: BodyReader) -> Response:
    return Response(401, b"no")


async def test_it_reads_the_body(nursery: trio.Nursery) -> None:
    line = late(nursery, echo)
    assert (await line.ask(POST + b"\r\nab")) == b""
    assert (await line.ask(b"c")).endswith(b"\r\n\r\nabc")
    assert (await line.ask(POST + b"\r\nxyz")).endswith(b"\r\n\r\nxyz")


async def test_a_client_that_it_refuses_is_not_asked_for_its_body(nursery: trio.Nursery) -> None:
    line = late(nursery, refuse)
    got = await line.ask(POST + b"Expect: 100-continue\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 401")
    assert b"100 Continue" not in got


async def test_a_body_above_the_limit_is_refused_by_the_connection(nursery: trio.Nursery) -> None:
    line = late(nursery, echo)
    line.site.limit = 2
    assert (await line.ask(POST + b"\r\nabc")).startswith(b"HTTP/1.1 413")
    assert not line.crashes


async def test_its_fault_is_reported_and_the_connection_goes_on(nursery: trio.Nursery) -> None:
    faults = [ValueError("no room")]

    async def fail_once(request: Request, read_body: BodyReader) -> Response:
        if faults:
            raise faults.pop()
        return await echo(request, read_body)

    line = late(nursery, fail_once)
    assert (await line.ask(POST + b"\r\nabc")).startswith(b"HTTP/1.1 500")
    assert [str(crash) for crash in line.crashes] == ["no room"]
    assert (await line.ask(POST + b"\r\nabc")).startswith(b"HTTP/1.1 200")


async def test_its_answer_is_sent_when_the_client_has_it_or_is_gone(nursery: trio.Nursery) -> None:
    sent: list[int] = []

    async def large(request: Request, read_body: BodyReader) -> Response:
        return Response(200, bytes(10_000_000), on_sent=lambda: sent.append(1))

    line = late(nursery, large)
    await line.client.send_all(POST + b"\r\nabc")
    await trio.testing.wait_all_tasks_blocked()
    assert not sent
    line.client.close()
    await line.over.wait()
    assert sent == [1]


async def test_pipelined_requests_leave_the_others_their_turn(nursery: trio.Nursery) -> None:
    answered: list[str] = []

    async def count(request: Request, read_body: BodyReader) -> Response:
        answered.append("request")
        return Response(200)

    async def other_task() -> None:
        while "request" not in answered:
            await trio.lowlevel.checkpoint()
        for _ in range(5):
            answered.append("other")
            await trio.lowlevel.checkpoint()

    line = late(nursery, count)
    nursery.start_soon(other_task)
    await line.ask(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 20)
    assert answered.count("request") == 20
    assert answered.index("other") < 5
