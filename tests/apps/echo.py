"""An echo server on chatd.net: for Autobahn's fuzzing client and for measurements.

    python tests/apps/echo.py [PORT] [CERTIFICATE KEY]

Every WebSocket echoes, with a limit of 16 MiB. A small ASGI application answers GET /anything.
"""

from __future__ import annotations

import sys
from pathlib import Path

import trio

sys.path.insert(0, str(Path(__file__).parents[2]))

from chatd.net.acceptor import Acceptor, AcceptRules
from chatd.net.asgi import Application, Event, Receive, Send
from chatd.net.http import Direct
from chatd.net.http_connection import HttpRules
from chatd.net.listeners import Address
from chatd.net.request import Request, Response
from chatd.net.socket import WebSocket, frame_binary, frame_text, socket_rules
from chatd.net.tls import server_context
from protocol.frames import Packet

MESSAGE_BYTES = 16 << 20


class EchoSite:
    """Sends back what it receives."""

    def refuse(self, request: Request) -> Response | None:
        return None

    async def websocket(self, request: Request, websocket: WebSocket) -> None:
        del request

        def echo(messages: list[Packet]) -> bool:
            for payload, binary in messages:
                websocket.write(frame_binary(payload) if binary else frame_text(payload))
            return True

        while True:
            await websocket.listen(echo)

    def direct(self, request: Request) -> Direct | None:
        return None

    def body_limit(self, request: Request) -> int:
        return 1 << 20

    async def application(self) -> Application:
        return hello


async def hello(scope: Event, receive: Receive, send: Send) -> None:
    """The smallest ASGI application."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def main(port: int, *tls: str) -> None:
    front = Acceptor(
        EchoSite(),
        [Address(port=port)],
        accepting=AcceptRules(connections_per_address=0),
        http=HttpRules(),
        sockets=socket_rules(message_bytes=MESSAGE_BYTES, fragments=0, outbox_bytes=0, farewell_seconds=2.0),
        tls=server_context(tls[0], tls[1]) if tls else None,
    )
    print(f"listening on {front.scheme}://{front.addresses[0]}", file=sys.stderr, flush=True)
    await front.serve()


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 0, *sys.argv[2:])
