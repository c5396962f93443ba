"""A small Socket.IO 5 client on one WebSocket, for scenes with many steps.

test_socketio_client.py and test_examples.py use the stock client itself.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from tests.scenes.chat_server import TIMEOUT, ChatServer

PACKET = re.compile(r"4([0-4])(?:(/[^,]*),)?(\d*)(.*)", re.DOTALL)
OPENED, CLOSED, EVENT, ACK, TURNED_AWAY = "01234"


class IoSocket:
    """One namespace on one connection."""

    def __init__(self, socket: WebSocketConnection, namespace: str) -> None:
        self.socket = socket
        self.namespace = namespace

    async def emit(self, event: str, args: tuple[Any, ...], number: int | None = None) -> None:
        prefix = "" if self.namespace == "/" else f"{self.namespace},"
        await self.socket.send_message(f"42{prefix}{'' if number is None else number}{json.dumps([event, *args])}")

    async def receive(self) -> tuple[str, int | None, Any]:
        """The next packet of the namespace: its type, its id and its data."""
        while True:
            with trio.fail_after(TIMEOUT):
                text = str(await self.socket.get_message())
            if text == "2":
                await self.socket.send_message("3")
                continue
            found = PACKET.fullmatch(text)
            assert found, text
            kind, namespace, id, data = found.groups()
            assert (namespace or "/") == self.namespace, text
            return kind, int(id) if id else None, json.loads(data) if data else None

    async def is_over(self) -> bool:
        """Whether the connection below has ended."""
        try:
            with trio.move_on_after(TIMEOUT):
                await self.socket.get_message()
        except ConnectionClosed:
            return True
        return False


async def open_namespace(
    server: ChatServer, namespace: str, auth: Any = None, *, authorization: str = "", **query: str
) -> IoSocket:
    """Open a connection and send CONNECT for a namespace. The next packet is the server's answer."""
    asked = urlencode({"EIO": "4", "transport": "websocket", **query})
    headers = {"Authorization": authorization} if authorization else {}
    socket = await server.socket(f"/socket.io/?{asked}", headers=headers)
    with trio.fail_after(TIMEOUT):
        opened = str(await socket.get_message())
    assert opened.startswith("0{"), opened
    prefix = "" if namespace == "/" else f"{namespace},"
    await socket.send_message(f"40{prefix}{'' if auth is None else json.dumps(auth)}")
    return IoSocket(socket, namespace)
