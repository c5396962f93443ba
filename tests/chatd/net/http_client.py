"""A client of an HTTP server on a memory stream, and a router that records its requests."""

from __future__ import annotations

import re

import trio
from trio.testing import wait_all_tasks_blocked

from chatd.net.asgi import Application, Event, Receive, Send
from chatd.net.framer import frame_text
from chatd.net.http import Direct, HttpRouter, HttpServer, LateBodyHandler
from chatd.net.http_connection import HttpRules
from chatd.net.memory import memory_pair
from chatd.net.request import Request, Response
from chatd.net.socket import WebSocket, socket_rules
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


def status(answer: bytes) -> int:
    return int(answer[9:12])


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def header(answer: bytes, name: str) -> str | None:
    found = re.search(rf"(?im)^{name}: (.*)\r$", answer.partition(b"\r\n\r\n")[0].decode() + "\r")
    return found[1] if found else None
