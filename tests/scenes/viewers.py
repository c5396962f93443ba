"""Viewers: clients that keep a view of the chat, made only of what they receive, as an application does.

    conversation:created       join it; after the answer load it; apply the events that came meanwhile
    message:…, members:…       change the view of the conversation named in "room"
    members:removed (myself),  drop the conversation: no more of its events may come
    conversation:deleted
    the connection ends        keep the view; resume from the last position, with or without the connection's name
    `ready.recovered` false    drop everything, and load it again

A viewer fails at once when it receives a push twice, a position that goes back, or a gap that is none.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from tests.outside.raw import CLOSE, PING, PONG, TEXT, Raw, frame, upgrade
from tests.scenes.chat_server import TIMEOUT

Load = Callable[[int, str], Awaitable[Any]]
"""Send a REST request as a user: the JSON, or None for what does not exist."""

UNTOLD = ("ready", "unread:count", "notification:count")  # the state at a position, and not events with a position


async def history(load: Load, user: int, where: str) -> list[Any] | None:
    """All messages of a conversation, page by page; None if the user may not see it."""
    found: list[Any] = []
    while True:
        path = f"/conversations/{where}/messages?limit=200" + (f"&before={found[0]['_id']}" if found else "")
        page = await load(user, path)
        if page is None:
            return None
        found = page + found
        if not page:  # a shorter page need not be the last: large messages make pages shorter
            return found


class Room:
    """The view of one conversation. While it loads, pushes wait in `waiting`."""

    def __init__(self) -> None:
        self.waiting: list[dict[str, Any]] | None = []
        self.messages: dict[str, str] = {}
        self.seen: dict[str, set[int]] = {}
        self.senders: dict[str, int] = {}
        self.members: set[int] = set()

    def load(self, messages: list[Any], members: list[Any]) -> None:
        for message in messages:
            self._put(message)
        self.members = {member["user_id"] for member in members}
        waiting, self.waiting = self.waiting or [], None
        for push in waiting:
            self.apply(push)

    def apply(self, push: dict[str, Any]) -> None:
        if self.waiting is not None:
            self.waiting.append(push)
            return
        about = push["params"]
        match push["method"]:
            case "message:created" | "message:updated":
                self._put(about)
            case "message:deleted":
                self.messages.pop(about["messageId"], None)
            case "message:read":
                for message, sender in self.senders.items():
                    if message[8:] <= about["messageId"][8:] and sender != about["readerId"]:
                        self.seen[message].add(about["readerId"])
            case "members:added":
                self.members.add(about["userId"])
            case "members:removed":
                self.members.discard(about["userId"])

    def _put(self, message: dict[str, Any]) -> None:
        id = message["_id"]
        self.messages[id] = message["content"]
        self.senders[id] = message["sender_id"]
        self.seen.setdefault(id, set()).update(message["seen_by"])


class Viewer:
    """One client of one user. It keeps its pushes in `received`, each with two positions of the server: when the
    connection began, and when the client had received what it missed."""

    def __init__(self, user: int, token: str, load: Load) -> None:
        self.user = user
        self.token = token
        self.load = load
        self.rooms: dict[str, Room] = {}
        self.left: set[str] = set()
        self.unread: Any = None
        self.place: dict[str, Any] = {}
        self.received: list[tuple[list[int], dict[str, Any]]] = []
        self.span: list[int] = []
        self.coming = False
        self.codes: list[int] = []
        self.resumed = 0
        self.gaps: list[tuple[int, str]] = []
        self.awake = trio.Event()
        self.awake.set()
        self._told: set[tuple[int, str]] = set()
        self._answers: dict[int, tuple[trio.Event, list[Any]]] = {}
        self._sending = trio.Lock()
        self._number = 0
        self._raw: Raw | None = None
        self._scope: trio.CancelScope | None = None
        self._nursery: trio.Nursery | None = None

    @property
    def connected(self) -> bool:
        return self._raw is not None

    # Connecting

    async def connect(self, address: str, nursery: trio.Nursery, *, named: bool) -> bool:
        """Connect or reconnect; whether the view is complete without loading."""
        path = "/chat?rooms=1"
        if self.place:
            path += f"&epoch={self.place['epoch']}&pos={self.place['pos']}"
            path += f"&connection={self.place['connection']}" if named else ""
        stream = trio.socket.socket()
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        host, _, port = address.rpartition(":")
        await stream.connect((host, int(port)))
        raw = Raw(trio.SocketStream(stream))
        status, _ = await raw.asks(upgrade(path, token=self.token))
        assert status == 101, status
        ready = (await raw.message())["params"]
        self._raw, self._nursery = raw, nursery
        recovered = bool(ready["recovered"])
        before = self.place
        if not recovered and before:
            self.gaps.append((before["pos"], ready["reason"]))
        if not recovered:
            self.rooms, self.left, self._told, self.unread = {}, set(), set(), None
            self.place = {"pos": ready["pos"]}
        self.resumed += recovered
        self.span = []
        self.place |= {"epoch": ready["epoch"], "connection": ready["connection"]}
        nursery.start_soon(self._read, raw)
        return recovered

    async def load_all(self) -> None:
        """Load everything that the user may see."""
        for one in await self.load(self.user, "/conversations?limit=200"):
            self.follow(one["_id"])

    def rejoin(self, *, all: bool) -> None:
        """Join and load again: everything, or only what was being loaded when the connection ended."""
        for where, room in list(self.rooms.items()):
            if all or room.waiting is not None:
                self.follow(where)

    def cut(self) -> None:
        """End the connection without a close frame."""
        if self._raw is not None:
            self._raw.cut()
            self._gone()

    def _gone(self) -> None:
        self._raw = None
        self.awake.set()
        for event, _ in self._answers.values():
            event.set()
        self._answers.clear()

    # Receiving

    async def _read(self, raw: Raw) -> None:
        position = 0
        try:
            while self._raw is raw:
                await self.awake.wait()
                received = await raw.frame()
                if received is None or received[0] == CLOSE:
                    self.codes.append(int.from_bytes(received[1][:2], "big") if received else 1006)
                    break
                if received[0] == PING:
                    await self._send(raw, frame(PONG, received[1]))
                elif received[0] == TEXT:
                    message = json.loads(received[1])
                    if "method" in message:
                        assert message.get("pos", position) >= position, f"{position}, then {message}"
                        position = message.get("pos", position)
                        self._receive_push(message)
                    elif (asked := self._answers.pop(message["id"], None)) is not None:
                        asked[1].append(message)
                        asked[0].set()
        except (trio.BrokenResourceError, trio.ClosedResourceError, OSError):
            pass
        if self._raw is raw:
            await trio.aclose_forcefully(raw.stream)
            self._gone()

    def _receive_push(self, push: dict[str, Any]) -> None:
        name, position = push["method"], push.get("pos")
        if name == "unread:count":
            self.unread = push["params"]
        if position is None or name in UNTOLD:
            return
        assert (position, name) not in self._told, f"told twice: {push}"
        self._told.add((position, name))
        self.place["pos"] = position
        self.received.append((self.span, push))
        where = push.get("room", "").removeprefix("conversation:")
        if name == "conversation:created":
            if where not in self.rooms:
                self.left.discard(where)
                self.follow(where)
        elif name == "conversation:deleted" or (
            name == "members:removed" and push["params"]["userId"] == self.user and where
        ):
            self.rooms.pop(where, None)
        elif where in self.rooms:
            self.rooms[where].apply(push)

    # Calling

    @property
    def has_open_calls(self) -> bool:
        """Whether a call waits for its answer, which a client that reads no more would never see."""
        return bool(self._answers)

    async def call(self, method: str, params: dict[str, Any]) -> Any:
        """The answer; None if the connection ends first."""
        raw = self._raw
        if raw is None:
            return None
        self._number += 1
        number = self._number
        asked: tuple[trio.Event, list[Any]] = (trio.Event(), [])
        self._answers[number] = asked
        try:
            await self._send(raw, frame(TEXT, json.dumps({"id": number, "method": method, "params": params}).encode()))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return None
        with trio.fail_after(TIMEOUT):
            await asked[0].wait()
        return asked[1][0] if asked[1] else None

    async def _send(self, raw: Raw, data: bytes) -> None:
        async with self._sending:
            await raw.send(data)

    def follow(self, where: str) -> None:
        """Join a conversation and load it."""
        room = self.rooms[where] = Room()
        assert self._nursery is not None
        self._nursery.start_soon(self._follow, where, room)

    async def _follow(self, where: str, room: Room) -> None:
        answer = await self.call("conversation:join", {"conversationId": where})
        if answer is None:
            return
        if "error" in answer:  # removed meanwhile; outside the room, it receives no event about that
            if self.rooms.get(where) is room:
                del self.rooms[where]
            return
        messages = await history(self.load, self.user, where)
        members = await self.load(self.user, f"/conversations/{where}/members")
        if messages is not None and members is not None and self._raw is not None:
            room.load(messages, members)

    async def leave_room(self, where: str) -> None:
        self.rooms.pop(where, None)
        self.left.add(where)
        await self.call("conversation:leave", {"conversationId": where})

    async def settle(self) -> None:
        """Wait until this client has received everything that was sent until now."""
        await self.call("rpc.ping", {})
