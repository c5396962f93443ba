"""A real server on a real port, and its clients.

A client keeps everything that it receives, in order. `receives` takes the next event, which must have the name that the
test expects. `receives_nothing` sends a call, and checks that no event came before its answer. So no test sleeps, and
no test passes because it checked too early.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, connect_websocket_url

from chatd.config.load import load
from chatd.server.main import RunningServer, running

TIMEOUT = 20.0
QUIET = {
    "limits.sends_per_user": "0",
    "limits.calls_per_connection": "0",
    "limits.rest_per_user": "0",
    "limits.connections_per_address": "0",
    "limits.anonymous_per_address": "0",
    "limits.typing_per_connection": "0",
    "limits.registrations_per_address": "0",
    "limits.renewals_per_address": "0",
    "limits.groups_per_user": "0",
    "limits.additions_per_user": "0",
}


class Rest:
    """HTTP requests, as curl makes them."""

    def __init__(self, base: str) -> None:
        self.base = base

    async def ask(
        self, method: str, path: str, body: Any = None, *, token: str = "", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any, Mapping[str, str]]:
        """The status, the JSON, and the headers of an answer."""

        def send() -> tuple[int, Any, Mapping[str, str]]:
            data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
            request = Request(self.base + path, data=data, method=method, headers=dict(headers or {}))
            if "Content-Type" not in (headers or {}):
                request.add_header("Content-Type", "application/json")
            if token:
                request.add_header("Authorization", f"Bearer {token}")
            try:
                with urlopen(request, timeout=TIMEOUT) as answer:
                    text = answer.read()
                    json_said = "json" in answer.headers.get("Content-Type", "")
                    return answer.status, json.loads(text) if json_said else text or None, answer.headers
            except OSError as error:
                status = getattr(error, "code", None)
                if status is None:
                    raise
                with error as answer:  # type: ignore[attr-defined]
                    text = answer.read()
                    try:
                        said = json.loads(text)
                    except ValueError:
                        said = text
                    return status, said, answer.headers

        return await trio.to_thread.run_sync(send)


class RegisteredUser:
    """A user with an account."""

    def __init__(self, rest: Rest, account: Mapping[str, Any]) -> None:
        self.rest = rest
        self.id: int = account["user"]["id"]
        self.object_id: str = account["user"]["_id"]
        self.name: str = account["user"]["username"]
        self.token: str = account["accessToken"]

    async def asks(self, method: str, path: str, body: Any = None, *, status: int = 0) -> Any:
        """Send a REST request, which must succeed or have the given status."""
        given, said, _ = await self.rest.ask(method, path, body, token=self.token)
        assert given == status or (not status and given < 300), f"{method} {path}: {given} {said}"
        return said


class RpcClient:
    """A plain WebSocket client that speaks JSON-RPC."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self.socket = socket
        self._received: list[dict[str, Any]] = []
        self._number = 0
        self.ready: dict[str, Any] = {}
        self.position = 0

    async def _next(self) -> dict[str, Any]:
        with trio.fail_after(TIMEOUT):
            message: dict[str, Any] = json.loads(await self.socket.get_message())
        return message

    async def sends(self, text: str | bytes) -> None:
        await self.socket.send_message(text)

    async def calls(self, method: str, params: Any = None, *, ns: str | None = None) -> dict[str, Any]:
        """Call, and wait for the answer. Events that come before it are kept."""
        self._number += 1
        call = {"jsonrpc": "2.0", "id": self._number, "method": method}
        call |= {"params": params} if params is not None else {}
        call |= {"ns": ns} if ns else {}
        await self.sends(json.dumps(call))
        while True:
            message = await self._next()
            if message.get("id") == self._number and "method" not in message:
                return message
            self._keep(message)

    def _keep(self, message: dict[str, Any]) -> None:
        self._received.append(message)
        self.position = message.get("pos", self.position)

    async def asks(self, method: str, params: Any = None) -> Any:
        """Send a call that must succeed; its result."""
        answer = await self.calls(method, params)
        assert "result" in answer, answer
        return answer["result"]

    async def is_refused(self, method: str, params: Any, code: int) -> dict[str, Any]:
        """Send a call that must fail with that number; its error."""
        answer = await self.calls(method, params)
        assert answer.get("error", {}).get("code") == code, answer
        error: dict[str, Any] = answer["error"]
        return error

    async def notifies(self, method: str, params: Any) -> None:
        """Send a call that wants no answer."""
        await self.sends(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))

    async def receives(self, method: str) -> Any:
        """The payload of the next event, which must have that name."""
        if not self._received:
            self._keep(await self._next())
        message = self._received.pop(0)
        assert message.get("method") == method, f"expected {method}, received {message}, then {self._received}"
        return message["params"]

    async def skips_to(self, method: str) -> Any:
        """The payload of the next event with that name; earlier events are dropped."""
        while True:
            if not self._received:
                self._keep(await self._next())
            message = self._received.pop(0)
            if message.get("method") == method:
                return message["params"]

    async def receives_nothing(self) -> None:
        """Check that the server has sent nothing more until now."""
        await self.asks("rpc.ping")
        assert not self._received, self._received

    async def receives_all(self) -> list[tuple[str, Any]]:
        """Everything that the server has sent until now."""
        await self.asks("rpc.ping")
        received, self._received = self._received, []
        return [(message["method"], message["params"]) for message in received]

    async def is_closed_by_server(self) -> int:
        """Wait until the server closes; the close code."""
        with trio.fail_after(TIMEOUT):
            while True:
                try:
                    self._keep(json.loads(await self.socket.get_message()))
                except ConnectionClosed as closed:
                    return closed.reason.code if closed.reason else 1006

    async def leaves(self) -> None:
        """Close the connection, and wait for the server's close."""
        with trio.move_on_after(TIMEOUT):
            await self.socket.aclose()

    async def is_cut_off(self) -> None:
        """End the connection without a close frame."""
        await trio.aclose_forcefully(self.socket._stream)


class ChatServer:
    """A server, and all its clients."""

    def __init__(self, running: RunningServer, nursery: trio.Nursery) -> None:
        self.running = running
        self.nursery = nursery
        self.address = running.front.addresses[0]
        self.rest = Rest(f"http://{self.address}")
        self._sockets: list[WebSocketConnection] = []

    async def register(self, name: str, **account: Any) -> RegisteredUser:
        """Register a new user."""
        status, said, _ = await self.rest.ask(
            "POST", "/auth/register", {"username": name, "password": "correct horse", **account}
        )
        assert status == 201, said
        return RegisteredUser(self.rest, said)

    async def socket(
        self, path: str, *, headers: Mapping[str, str] | None = None, subprotocols: list[str] | None = None
    ) -> WebSocketConnection:
        lines = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        socket = await connect_websocket_url(
            self.nursery, f"ws://{self.address}{path}", extra_headers=lines, subprotocols=subprotocols
        )
        self._sockets.append(socket)
        return socket

    async def close_all(self) -> None:
        """End all connections that are still open."""
        for socket in self._sockets:
            await trio.aclose_forcefully(socket._stream)

    async def rpc(self, who: RegisteredUser | str, path: str = "/chat") -> RpcClient:
        """A JSON-RPC client with its token in the header. It has received `ready`."""
        token = who if isinstance(who, str) else who.token
        client = RpcClient(await self.socket(path, headers={"Authorization": f"Bearer {token}"}))
        client.ready = await client.receives("ready")
        client.position = client.ready["pos"]
        return client


@asynccontextmanager
async def chat_server(folder: Path, **settings: str) -> AsyncIterator[ChatServer]:
    """A new server, on a free port."""
    given = {"server.port": "0", "data.directory": str(folder / "data"), "auth.registration": "open", **QUIET}
    given |= {name.replace("__", "."): value for name, value in settings.items()}
    config = load(flags=tuple(("test", name, value) for name, value in given.items()), environ={})
    async with running(config) as started, trio.open_nursery() as nursery:
        server = ChatServer(started, nursery)
        try:
            yield server
        finally:
            with trio.CancelScope(shield=True):
                await server.close_all()
            nursery.cancel_scope.cancel()
