"""The application that the official suites of Engine.IO and Socket.IO need, on chatd's own listener and framing.

    python -m tests.apps.socketio_echo [PORT]

/engine.io/ sends every message back. /socket.io/ accepts clients in "/" and "/custom" and sends them what they showed
("auth"). It answers "message" with "message-back" and acknowledges "message-with-ack", with attachments.
The suites expect a ping of 300 ms, a timeout of 200 ms and payloads of 1,000,000 bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import trio
from msgspec import Raw

from chatd.engineio.engine import Engine, EngineSession, SessionRules
from chatd.net.acceptor import Acceptor, AcceptRules
from chatd.net.asgi import Application
from chatd.net.framer import frame_binary, frame_text
from chatd.net.http import Direct, HttpRouter
from chatd.net.http_connection import HttpRules
from chatd.net.listeners import Address
from chatd.net.request import Request, Response, refusal
from chatd.net.socket import Gone, WebSocket, socket_rules
from protocol.errors import NOT_FOUND
from protocol.frames import Call, Close, Frame, Open, Packet
from protocol.framings.socketio import SocketIo

RULES = SessionRules(interval_seconds=0.3, timeout_seconds=0.2)
NAMESPACES = ("/", "/custom")


def frame(packet: Packet) -> bytes:
    return frame_binary(packet.data) if packet.binary else frame_text(packet.data)


async def echo_messages(session: EngineSession, request: Request) -> None:
    """Engine.IO: every message comes back."""
    session.namespace_opened()

    def echo(packets: list[Packet]) -> bool:
        for data, binary in packets:
            session.write(frame_binary(data) if binary else frame_text(b"4" + data))
        return True

    while True:
        await session.listen(echo)


class Client:
    """Socket.IO: one client of the echo."""

    def __init__(self, write: Callable[[bytes], None], leave: Callable[[int, str], None], sid: str) -> None:
        self.framing = SocketIo()
        self.open: set[str] = set()
        self.write = write
        self.leave = leave
        self.sid = sid

    def say(self, packets: Sequence[Packet]) -> None:
        for packet in packets:
            self.write(frame(packet))

    def receive(self, received: Frame) -> None:
        if isinstance(received, Close):
            if received.fault:
                self.leave(1002, received.fault)
            self.open.discard(received.namespace or "")
        elif isinstance(received, Open):
            self.let_in(received)
        elif isinstance(received, Call) and received.namespace in self.open:
            self.call(received)
        else:
            self.leave(1002, "invalid state")

    def let_in(self, received: Open) -> None:
        if received.namespace not in NAMESPACES:
            self.write(frame_text(SocketIo.rejected(received.namespace, "Invalid namespace")))
            return
        self.open.add(received.namespace)
        self.write(frame_text(SocketIo.opened(received.namespace, self.sid)))
        self.write(frame_text(SocketIo.push(received.namespace, "auth", bytes(received.auth) or b"{}", None, None)))

    def call(self, received: Call) -> None:
        arguments = bytes(received.arguments)
        if isinstance(received.arguments, Raw) and arguments[:1] == b"{":
            arguments = b"[%b]" % arguments
        if received.name == "message":
            said = b'["message-back",%b' % arguments[1:] if arguments else b'["message-back"]'
            self.say(SocketIo.event(received.namespace, said, received.attachments))
        elif received.name == "message-with-ack" and received.id is not None:
            self.say(SocketIo.acknowledge(received.id, arguments or b"[]", received.attachments))


async def echo_events(session: EngineSession, request: Request) -> None:
    client = Client(session.write, session.close, session.sid)

    def receive(packets: list[Packet]) -> bool:
        for packet in packets:
            for received in client.framing.receive(packet):
                if isinstance(received, Open):
                    session.namespace_opened()
                client.receive(received)
        return True

    while True:
        await session.listen(receive)


class Echo(HttpRouter):
    """The router: two engines, and nothing else."""

    def __init__(self, nursery: trio.Nursery, rules: SessionRules = RULES) -> None:
        self.engines = {
            "/engine.io/": Engine(rules, echo_messages, nursery, crashed=crash),
            "/socket.io/": Engine(rules, echo_events, nursery, crashed=crash),
        }

    def refuse(self, request: Request) -> Response | None:
        engine = self.engines.get(request.path)
        return refusal(NOT_FOUND) if engine is None else engine.refuse(request)

    async def websocket(self, request: Request, websocket: WebSocket) -> None:
        await self.engines[request.path].websocket(request, websocket)

    def direct(self, request: Request) -> Direct | None:
        return self.engines[request.path].direct(request)

    def body_limit(self, request: Request) -> int:
        return self.engines[request.path].body_limit(request)

    async def application(self) -> Application:
        raise NotImplementedError


def crash(error: BaseException) -> None:
    """An exception must not pass unseen."""
    if not isinstance(error, Gone):
        raise error


async def main(port: int) -> None:
    async with trio.open_nursery() as nursery:
        site = Echo(nursery)
        front = Acceptor(
            site,
            [Address("127.0.0.1", port)],
            accepting=AcceptRules(),
            http=HttpRules(),
            sockets=socket_rules(message_bytes=1_000_000),
            crashed=crash,
        )
        for engine in site.engines.values():
            nursery.start_soon(engine.sweep)
        await nursery.start(front.serve)
        print("\n".join(front.addresses), flush=True)


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
