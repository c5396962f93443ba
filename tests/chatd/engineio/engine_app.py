"""An application for Engine.IO's tests: an engine with an echo, HTTP without sockets, WebSockets in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio

from chatd.engineio.engine import Engine, Headers, Serve, SessionRules
from chatd.engineio.session import EngineSession
from chatd.net.http import run_websocket
from chatd.net.memory import MemoryStream, memory_pair
from chatd.net.request import Request, Response
from chatd.net.socket import WebSocket, socket_rules
from tests.apps.socketio_echo import echo_messages

MASK = b"\1\2\3\4"
UPGRADE = ((b"upgrade", b"websocket"), (b"connection", b"Upgrade"))
RULES = SessionRules(interval_seconds=0.3, timeout_seconds=0.2)


def masked(head: int, payload: bytes) -> bytes:
    """A client's frame of up to 65,535 bytes."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes((0x80 | head,)) + length + MASK + bytes(byte ^ MASK[i % 4] for i, byte in enumerate(payload))


class Peer:
    """A client's end of a WebSocket, frame by frame."""

    def __init__(self, stream: MemoryStream) -> None:
        self.stream = stream
        self._data = b""

    def send(self, *messages: str | bytes) -> None:
        """Messages in one piece, so that the server reads them at once."""
        self.send_raw(b"".join(masked(2, m) if isinstance(m, bytes) else masked(1, m.encode()) for m in messages))

    def send_raw(self, data: bytes) -> None:
        assert self.stream.send_now(data) == len(data)

    async def receive(self) -> str | bytes | None:
        """The next message, None at a close or the end."""
        head = await self._exactly(2)
        if len(head) < 2:
            return None
        size = head[1]
        if size == 126:
            size = int.from_bytes(await self._exactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self._exactly(8), "big")
        payload = await self._exactly(size)
        if head[0] & 0xF == 8:
            self.stream.send_now(masked(8, payload))
            return None
        return payload if head[0] & 0xF == 2 else payload.decode()

    async def receive_open(self) -> dict[str, Any]:
        said = await self.receive()
        assert isinstance(said, str)
        assert said[0] == "0"
        fields: dict[str, Any] = json.loads(said[1:])
        return fields

    async def _exactly(self, size: int) -> bytes:
        while len(self._data) < size and (more := await self.stream.receive_some()):
            self._data += more
        taken, self._data = self._data[:size], self._data[size:]
        return taken


class EngineApp:
    """The requests and connections of a client to an engine."""

    def __init__(self, engine: Engine, nursery: trio.Nursery) -> None:
        self.engine = engine
        self.nursery = nursery
        self.crashes: list[BaseException] = []

    # HttpRouter

    def refuse(self, request: Request) -> Response | None:
        return self.engine.refuse(request)

    async def websocket(self, request: Request, websocket: WebSocket) -> None:
        await self.engine.websocket(request, websocket)

    def direct(self, request: Request) -> Any:
        return self.engine.direct(request)

    def body_limit(self, request: Request) -> int:
        return self.engine.body_limit(request)

    async def application(self) -> Any:
        raise NotImplementedError

    # HTTP

    async def ask(self, method: str, query: str, body: bytes = b"", *headers: tuple[bytes, bytes]) -> Response:
        request = self.request(method, query, *headers, (b"content-length", b"%d" % len(body)))
        refused = self.engine.refuse(request)
        if refused is not None:
            return refused
        return await self.engine.direct(request)(request, body)

    @staticmethod
    def request(method: str, query: str, *headers: tuple[bytes, bytes]) -> Request:
        request = Request(method, b"/engine.io/?" + query.encode(), headers)
        request.client = "192.0.2.1"
        return request

    async def handshake(self, *headers: tuple[bytes, bytes]) -> str:
        answer = await self.ask("GET", "EIO=4&transport=polling", b"", *headers)
        assert answer.status == 200
        sid: str = json.loads(answer.body[1:])["sid"]
        return sid

    async def get(self, sid: str, *headers: tuple[bytes, bytes]) -> Response:
        return await self.ask("GET", f"EIO=4&transport=polling&sid={sid}", b"", *headers)

    async def post(self, sid: str, body: bytes, *headers: tuple[bytes, bytes]) -> Response:
        return await self.ask("POST", f"EIO=4&transport=polling&sid={sid}", body, *headers)

    async def is_over(self, sid: str) -> bool:
        """Whether the server does not know the session."""
        answer = await self.get(sid)
        return (answer.status, json.loads(answer.body or b"0")) == (400, {"code": 1, "message": "Session ID unknown"})

    # WebSockets

    def connect(self, sid: str = "", *headers: tuple[bytes, bytes]) -> Peer:
        """A WebSocket after its 101."""
        ours, theirs = memory_pair(1 << 20)
        query = f"EIO=4&transport=websocket&sid={sid}" if sid else "EIO=4&transport=websocket"
        request = self.request("GET", query, *headers, *UPGRADE)
        self.nursery.start_soon(self._serve, request, ours)
        return Peer(theirs)

    async def _serve(self, request: Request, stream: MemoryStream) -> None:
        socket = WebSocket(stream, self.nursery, socket_rules(message_bytes=1_000_000))
        await run_websocket(self, request, socket, b"")
        stream.close()

    async def upgrade(self, sid: str) -> Peer:
        """A WebSocket after a successful probe, before the "5"."""
        peer = self.connect(sid)
        peer.send("2probe")
        assert await peer.receive() == "3probe"
        return peer


@asynccontextmanager
async def app(serve: Serve = echo_messages, rules: SessionRules = RULES, **settings: Any) -> AsyncIterator[EngineApp]:
    """Open during the test. Afterwards no session and no task of one may be left."""
    crashes: list[BaseException] = []
    async with trio.open_nursery() as nursery:
        async with trio.open_nursery() as sessions:
            engine = Engine(rules, serve, sessions, crashed=crashes.append, **settings)
            nursery.start_soon(engine.sweep)
            with trio.fail_after(1_000):
                found = EngineApp(engine, sessions)
                found.crashes = crashes
                yield found
                engine.close(1012, "restarting")
                await trio.sleep(20)
                assert not engine.sessions, "a session is never forgotten"
                assert not sessions.child_tasks, "a task is left behind"
        nursery.cancel_scope.cancel()


async def both(*steps: Callable[[], Any]) -> list[Any]:
    """Run steps at the same time; return their results in order. Each step has begun before the next one starts."""
    results: list[Any] = [None] * len(steps)

    async def one(index: int, step: Callable[[], Any]) -> None:
        results[index] = await step()

    async with trio.open_nursery() as nursery:
        for index, step in enumerate(steps):
            nursery.start_soon(one, index, step)
            await trio.testing.wait_all_tasks_blocked()
    return results


__all__ = ["RULES", "EngineApp", "EngineSession", "Headers", "Peer", "SessionRules", "app", "both"]
