"""A server in memory: it keeps a log, resumes, forgets, refuses and hangs up as a test says."""

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


class Wire:
    """The client's end of a connection, and the server's handle on it."""

    def __init__(self, server: Server, query: dict[str, str], token: str) -> None:
        self.server = server
        self.query = query
        self.token = token
        self.name = f"c{len(server.wires)}"
        self.rooms: set[str] = set()
        self.inbox: deque[dict[str, Any]] = deque()
        self.calls: list[tuple[str, Any]] = []
        self.ended: ConnectionLost | None = None
        self.lot = trio.lowlevel.ParkingLot()

    async def send(self, text: bytes) -> None:
        await trio.lowlevel.checkpoint()
        if self.ended:
            raise self.ended
        self.server.hear(self, json.loads(text))

    async def receive(self) -> str | bytes:
        await trio.lowlevel.checkpoint()
        while not self.inbox:
            if self.ended:
                raise self.ended
            await self.lot.park()
        return json.dumps(self.inbox.popleft())

    def say(self, message: dict[str, Any]) -> None:
        if not self.ended:
            self.inbox.append({"jsonrpc": "2.0"} | message)
            self.lot.unpark_all()

    def push(self, name: str, data: Any, **beside: Any) -> None:
        self.say({"method": name, "params": data} | beside)

    def cut(self, code: int = 1006, keep: int | None = None, reason: str = "") -> None:
        """End it; of what is on the way, `keep` messages still arrive."""
        if keep is not None:
            while len(self.inbox) > keep:
                self.inbox.pop()
        self.ended = self.ended or ConnectionLost(code, reason)
        self.lot.unpark_all()


class Server:
    """See above."""

    def __init__(self) -> None:
        self.epoch = "e0"
        self.history: list[Entry] = []
        self.trimmed = 0
        self.overlap = 0
        self.heartbeat = {"interval": 25.0, "timeout": 20.0}
        self.limits: dict[str, float] = {}
        self.wires: list[Wire] = []
        self.dials: list[float] = []
        self.closed_doors: deque[ConnectionLost] = deque()
        self.refusals: deque[tuple[int, dict[str, Any]]] = deque()
        self.messages: dict[str, int] = {}
        self.silent = False
        self.good: Callable[[str], bool] = lambda token: True
        self.before_answer: Callable[[Wire, str], None] = lambda wire, name: None

    @property
    def position(self) -> int:
        return self.history[-1][0] if self.history else 0

    @property
    def wire(self) -> Wire:
        return self.wires[-1]

    # Connections

    async def dial(self, url: str, token: str, live: Callable[[ClientWire], Awaitable[None]]) -> None:
        await trio.lowlevel.checkpoint()
        self.dials.append(trio.current_time())
        if self.closed_doors:
            raise self.closed_doors.popleft()
        wire = Wire(self, dict(parse_qsl(urlsplit(url).query)), token)
        self.wires.append(wire)
        if self.good(token):
            self._welcome(wire)
        else:
            wire.push("error", {"code": "AUTH_INVALID", "message": "The token has expired"})
            wire.cut(4401, reason="token missing, invalid or expired")
        try:
            await live(wire)
        finally:
            wire.cut()

    def _welcome(self, wire: Wire) -> None:
        query = wire.query
        reason = "none"
        if "epoch" in query:
            position = int(query["pos"])
            reason = "epoch" if query["epoch"] != self.epoch else "trimmed" if position < self.trimmed else ""
        ready = {"connection": wire.name, "user": 1, "epoch": self.epoch, "pos": self.position}
        ready |= {"recovered": not reason, "heartbeat": self.heartbeat, "limits": self.limits}
        wire.push("ready", ready | ({"reason": reason} if reason else {}))
        if not reason:
            last = next((one for one in self.wires if one.name == query.get("connection")), None)
            wire.rooms = set(last.rooms) if last else set()
            for entry in self.history:
                if entry[0] > position - self.overlap:
                    self._tell(wire, entry)

    def cut_all(self, code: int = 1006, keep: int | None = None) -> None:
        for wire in self.wires:
            wire.cut(code, keep)

    # What happens

    def publish(self, *names: str, room: str | None = None) -> None:
        """Something happens, and is told under these names."""
        position = self.position + 1
        for name in names or ("event",):
            entry = (position, name, room)
            self.history.append(entry)
            for wire in self.wires:
                self._tell(wire, entry)

    def _tell(self, wire: Wire, entry: Entry) -> None:
        position, name, room = entry
        if room is None or room in wire.rooms:
            wire.push(name, {"n": position}, pos=position, **({"room": room} if room else {}))

    def restore(self, position: int) -> None:
        """The database is put back to an earlier state."""
        self.history = [entry for entry in self.history if entry[0] <= position]
        self.epoch += "'"
        self.trimmed = 0
        self.messages = {name: at for name, at in self.messages.items() if at <= position}
        for wire in self.wires:
            wire.rooms = set()
            wire.cut()

    def hear(self, wire: Wire, call: dict[str, Any]) -> None:
        name, id = call["method"], call["id"]
        data: Any = call.get("params")
        wire.calls.append((name, data))
        if self.silent:
            return
        if name == "rpc.ping":
            wire.say({"id": id, "result": "pong"})
            return
        if self.refusals:
            number, body = self.refusals.popleft()
            wire.say({"id": id, "error": {"code": number, "message": "no", "data": body}})
            return
        result: dict[str, Any] = {"ok": True}
        if name == "conversation:join":
            wire.rooms.add(data["conversationId"])
        elif name == "conversation:leave":
            wire.rooms.discard(data["conversationId"])
        elif name == "message:send":
            result["data"] = {"_id": self._store(data["clientId"])}
        self.before_answer(wire, name)
        wire.say({"id": id, "result": result})

    def _store(self, client_id: str) -> int:
        if client_id not in self.messages:
            self.publish("message:created")
            self.messages[client_id] = self.position
        return self.messages[client_id]


@asynccontextmanager
async def chat_with(server: Server, token: Any = "t", **manner: Any) -> AsyncIterator[Chat]:
    """A chat with that server, whose dice always fall on a half."""
    manner = {"random": lambda: 0.5} | manner
    async with connect("http://chat.test", token, dial=server.dial, **manner) as chat:
        yield chat
