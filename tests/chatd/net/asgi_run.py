"""Runs an ASGI application for one request over a memory stream."""

from __future__ import annotations

from chatd.net.asgi import (
    Application,
    Event,
    run_application,
)
from chatd.net.http_connection import HttpConnection, HttpRules, Reject
from chatd.net.memory import memory_pair

GET = b"GET /a%20b?c=d HTTP/1.1\r\nHost: h\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n"


def piece(body: bytes, more: bool = True) -> Event:
    return {"type": "http.response.body", "body": body, "more_body": more}


class Run:
    """One request to an application; what the client got is in `got`."""

    def __init__(self, app: Application, head: bytes = GET, *, capacity: int = 65_536) -> None:
        self.app = app
        self.stream, self.client = memory_pair(capacity)
        self.head = head
        self.channel = HttpConnection(self.stream, HttpRules())
        self.channel.body_limit = 1_000
        self.crashes: list[BaseException] = []
        self.failure: BaseException | None = None

    async def __call__(self) -> None:
        if self.head:
            await self.client.send_all(self.head)
        assert await self.channel.wait_request()
        request = await self.channel.read_head()
        assert request is not None
        try:
            await run_application(self.app, self.channel, request, self.crashes.append)
        except (Reject, OSError) as failure:
            self.failure = failure

    def got(self) -> bytes:
        return self.client.take_now(1 << 20)


async def run(app: Application, head: bytes = GET) -> Run:
    made = Run(app, head)
    await made()
    return made
