"""A server in memory. It keeps a log, resumes clients, trims its log, refuses calls and closes, as a test directs."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import trio

from chatd.client import Chat, connect
from chatd.client.problems import ConnectionLost
from chatd.client.wire import Wire as ClientWire

Entry = tuple[int, str, str | None]
"""Position, name of the event, room."""


class FakeWire:
    """The client's end of a connection. The test controls it from the server's side."""

    def __init__(self, server: FakeServer, query: dict[str, str], token: str) -> None:
        self.server = server
        self.query = query
        self.token = token
        self.connection = f"c{len(server.wires)}"
        self.rooms: set[str] = set()
        self.unread: deque[dict[str, Any]] = deque()
        self.calls: list[tuple[str, Any]] = []
        self.ended: ConnectionLost | None = None
        self.lot = trio.lowlevel.ParkingLot()

    async def send(self, text: bytes) -> None:
        await trio.lowlevel.checkpoint()
        if self.ended:
            raise self.ended
        self.server.receive_call(self, json.loads(text))

    async def receive(self) -> str | bytes:
        await trio.lowlevel.checkpoint()
        while not self.unread:
            if self.ended:
                raise self.ended
            await self.lot.park()
        return json.dumps(self.unread.popleft())

    def send_to_client(self, message: dict[str, Any]) -> None:
        if not self.ended:
            self.unread.append({"jsonrpc": "2.0"} | message)
            self.lot.unpark_all()

    def push(self, name: str, data: Any, **fields: Any) -> None:
        self.send_to_client({"method": name, "params": data} | fields)

    def cut(self, code: int = 1006, keep: int | None = None, reason: str = "") -> None:
        """End the connection. Of the unread messages, the first `keep` still arrive."""
        if keep is not None:
            while len(self.unread) > keep:
                self.unread.pop()
        self.ended = self.ended or ConnectionLost(code, reason)
        self.lot.unpark_all()


class FakeServer:
    """A server whose failures a test sets by its attributes."""

    def __init__(self) -> None:
        self.epoch = "e0"
        self.history: list[Entry] = []
        self.trimmed = 0
        self.overlap = 0
        self.heartbeat = {"interval": 25.0, "timeout": 20.0}
        self.limits: dict[str, float] = {}
        self.wires: list[FakeWire] = []
        self.dials: list[float] = []
        self.failing_dials: deque[ConnectionLost] = deque()
        self.refusals: deque[tuple[int, dict[str, Any]]] = deque()
        self.messages: dict[str, int] = {}
        self.silent = False
        self.accepts_token: Callable[[str], bool] = lambda token: True
        self.before_answer: Callable[[FakeWire, str], None] = lambda wire, name: None

    @property
    def position(self) -> int:
        return self.history[-1][0] if self.history else 0

    @property
    def wire(self) -> FakeWire:
        return self.wires[-1]

    # Connections

    async def dial(self, url: str, token: str, use: Callable[[ClientWire], Awaitable[None]]) -> None:
        await trio.lowlevel.checkpoint()
        self.dials.append(trio.current_time())
        if self.failing_dials:
            raise self.failing_dials.popleft()
        wire = FakeWire(self, dict(parse_qsl(urlsplit(url).query)), token)
        self.wires.append(wire)
        if self.accepts_token(token):
            self._send_ready(wire)
        else:
            wire.push("error", {"code": "AUTH_INVALID", "message": "The token has expired"})
            wire.cut(4401, reason="token missing, invalid or expired")
        try:
            await use(wire)
        finally:
            wire.cut()

    def _send_ready(self, wire: FakeWire) -> None:
        query = wire.query
        reason = "none"
        if "epoch" in query:
            position = int(query["pos"])
            reason = "epoch" if query["epoch"] != self.epoch else "trimmed" if position < self.trimmed else ""
        ready = {"connection": wire.connection, "user": 1, "epoch": self.epoch, "pos": self.position}
        ready |= {"recovered": not reason, "heartbeat": self.heartbeat, "limits": self.limits}
        wire.push("ready", ready | ({"reason": reason} if reason else {}))
        if not reason:
            last = next((one for one in self.wires if one.connection == query.get("connection")), None)
            wire.rooms = set(last.rooms) if last else set()
            for entry in self.history:
                if entry[0] > position - self.overlap:
                    self._push_entry(wire, entry)

    def cut_all(self, code: int = 1006, keep: int | None = None) -> None:
        for wire in self.wires:
            wire.cut(code, keep)

    # Events and calls

    def publish(self, *names: str, room: str | None = None) -> None:
        """Publish an event under these names, at one new position."""
        position = self.position + 1
        for name in names or ("event",):
            entry = (position, name, room)
            self.history.append(entry)
            for wire in self.wires:
                self._push_entry(wire, entry)

    def _push_entry(self, wire: FakeWire, entry: Entry) -> None:
        position, name, room = entry
        if room is None or room in wire.rooms:
            wire.push(name, {"n": position}, pos=position, **({"room": room} if room else {}))

    def restore(self, position: int) -> None:
        """Restore the database to an earlier position."""
        self.history = [entry for entry in self.history if entry[0] <= position]
        self.epoch += "'"
        self.trimmed = 0
        self.messages = {name: at for name, at in self.messages.items() if at <= position}
        for wire in self.wires:
            wire.rooms = set()
            wire.cut()

    def receive_call(self, wire: FakeWire, call: dict[str, Any]) -> None:
        name, id = call["method"], call["id"]
        data: Any = call.get("params")
        wire.calls.append((name, data))
        if self.silent:
            return
        if name == "rpc.ping":
            wire.send_to_client({"id": id, "result": "pong"})
            return
        if self.refusals:
            number, body = self.refusals.popleft()
            wire.send_to_client({"id": id, "error": {"code": number, "message": "no", "data": body}})
            return
        result: dict[str, Any] = {"ok": True}
        if name == "conversation:join":
            wire.rooms.add(data["conversationId"])
        elif name == "conversation:leave":
            wire.rooms.discard(data["conversationId"])
        elif name == "message:send":
            result["data"] = {"_id": self._store(data["clientId"])}
        self.before_answer(wire, name)
        wire.send_to_client({"id": id, "result": result})

    def _store(self, client_id: str) -> int:
        if client_id not in self.messages:
            self.publish("message:created")
            self.messages[client_id] = self.position
        return self.messages[client_id]


@asynccontextmanager
async def chat_with(server: FakeServer, token: Any = "t", **options: Any) -> AsyncIterator[Chat]:
    """A chat with that server, whose random numbers are always a half."""
    options = {"random": lambda: 0.5} | options
    async with connect("http://chat.test", token, dial=server.dial, **options) as chat:
        yield chat
