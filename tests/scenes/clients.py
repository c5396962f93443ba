"""Clients for scenes that run twice, over JSON-RPC and over Socket.IO: two classes with one interface.

tells           send a call that wants no answer
asks            send a call with an id; the body of its answer, also of a refusal
does            send a call, and wait until the server has carried it out; for dialects without acknowledgements
receives           the payload of the next event, which must have that name
receives_nothing   check that the server has sent no further event
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

import pytest
import trio
from trio_websocket import WebSocketConnection

from tests.scenes.chat_server import TIMEOUT, ChatServer, RegisteredUser
from tests.scenes.socketio_client import ACK, EVENT, OPENED, IoSocket, open_namespace

Framing: TypeAlias = Literal["jsonrpc", "socketio"]
FRAMINGS: tuple[Framing, ...] = ("jsonrpc", "socketio")
both_framings = pytest.mark.parametrize("framing", FRAMINGS)


class Client:
    """The part that both share. `ignoring` names events that this scene drops."""

    def __init__(self, server: ChatServer, ignoring: Iterable[str]) -> None:
        self.server = server
        self.ignoring = frozenset(ignoring)
        self._received: deque[tuple[str, Any]] = deque()
        self.answers: dict[int, Any] = {}
        self._number = 0
        self.socket: WebSocketConnection

    async def send(self, event: str, args: tuple[Any, ...], number: int | None) -> None:
        raise NotImplementedError

    async def listen(self) -> None:
        """Receive the next message of the server."""
        raise NotImplementedError

    async def fence(self) -> None:
        """Wait until the server has read all calls of this client, and this client has received all earlier events."""
        raise NotImplementedError

    def keep(self, event: str, payload: Any) -> None:
        if event not in self.ignoring:
            self._received.append((event, payload))

    async def notifies(self, event: str, *args: Any) -> None:
        await self.send(event, args, None)

    async def asks(self, event: str, *args: Any) -> Any:
        self._number += 1
        number = self._number
        await self.send(event, args, number)
        while number not in self.answers:
            await self.listen()
        return self.answers.pop(number)

    async def performs(self, event: str, *args: Any) -> None:
        await self.notifies(event, *args)
        await self.settles()

    async def settles(self) -> None:
        """Wait until the server has carried out all calls, and this client has received their events."""
        await self.fence()
        await self.server.running.app.dispatch.settled()
        await self.fence()

    async def receives(self, event: str) -> Any:
        while not self._received:
            await self.listen()
        name, payload = self._received.popleft()
        assert name == event, f"expected {event}, received {name} {payload}, then {list(self._received)}"
        return payload

    async def receives_all(self) -> list[tuple[str, Any]]:
        await self.fence()
        received = list(self._received)
        self._received.clear()
        return received

    async def receives_nothing(self) -> None:
        assert await self.receives_all() == []

    async def leaves(self) -> None:
        """Close the connection, and wait for the server's close."""
        with trio.move_on_after(TIMEOUT):
            await self.socket.aclose()

    async def is_cut_off(self) -> None:
        """End the connection without a close frame."""
        await trio.aclose_forcefully(self.socket._stream)


class JsonRpcClient(Client):
    """A client over JSON-RPC. The body of a refusal is its `error.data`; `refused` is the last whole error."""

    def __init__(self, server: ChatServer, socket: WebSocketConnection, ignoring: Iterable[str]) -> None:
        super().__init__(server, ignoring)
        self.socket = socket
        self.ready: Any = None
        self.refused: Any = None

    async def send(self, event: str, args: tuple[Any, ...], number: int | None) -> None:
        call: dict[str, Any] = {"jsonrpc": "2.0", "method": event}
        if args:
            call["params"] = args[0] if len(args) == 1 and isinstance(args[0], dict) else list(args)
        await self.socket.send_message(json.dumps(call if number is None else {**call, "id": number}))

    async def listen(self) -> None:
        with trio.fail_after(TIMEOUT):
            said = json.loads(await self.socket.get_message())
        if "method" in said:
            self.keep(said["method"], said["params"])
        elif "error" in said:
            self.refused = said["error"]
            self.answers[said["id"]] = self.refused.get("data")
        else:
            self.answers[said["id"]] = said["result"]

    async def fence(self) -> None:
        assert await self.asks("rpc.ping") == "pong"


class SocketIoClient(Client):
    """A client over Socket.IO. An acknowledgement has one argument."""

    def __init__(self, server: ChatServer, io: IoSocket, ignoring: Iterable[str]) -> None:
        super().__init__(server, ignoring)
        self.io = io
        self.socket = io.socket
        self._fence = ""

    async def send(self, event: str, args: tuple[Any, ...], number: int | None) -> None:
        await self.io.emit(event, args, number)

    async def listen(self) -> None:
        kind, id, data = await self.io.receive()
        if kind == ACK:
            assert id is not None
            [self.answers[id]] = data
            return
        assert kind == EVENT, (kind, data)
        name, payload = data
        if name == "error" and self._fence and self._fence in payload["message"]:
            self._fence = ""
        else:
            self.keep(name, payload)

    async def fence(self) -> None:
        """Send an unknown call: every dialect rejects it at once."""
        self._number += 1
        self._fence = f"fence {self._number}!"
        await self.notifies(self._fence)
        while self._fence:
            await self.listen()


async def open_client(
    server: ChatServer,
    framing: Framing,
    dialect: str,
    who: RegisteredUser,
    namespace: str = "/chat",
    *,
    ignoring: Iterable[str] = (),
    **query: str,
) -> Client:
    """A client that is connected to a namespace, over that framing and in that dialect."""
    query = {"dialect": dialect, **query}
    if framing == "jsonrpc":
        socket = await server.socket(
            f"{namespace}?{urlencode(query)}", headers={"Authorization": f"Bearer {who.token}"}
        )
        client = JsonRpcClient(server, socket, ())
        client.ready = await client.receives("ready")
        client.ignoring = frozenset(ignoring)
        return client
    io = await open_namespace(server, namespace, {"token": f"Bearer {who.token}"}, **query)
    kind, _, data = await io.receive()
    assert kind == OPENED, data
    return SocketIoClient(server, io, ignoring)
