"""Players for scenes that are played twice, once over JSON-RPC and once over Socket.IO: two classes, one interface.

tells           a call that wants no answer
asks            a call with an id: the body of its answer, whether yes or no
does            a call that must succeed, and that is done when this returns; in dialects that acknowledge nothing
hears           the next thing heard, which must be that event
hears_nothing   everything that the server had to say by now was heard before
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

from tests.scenes.io import ACK, EVENT, OPENED, IoSocket, knock
from tests.scenes.stage import TIMEOUT, Person, Stage

Way: TypeAlias = Literal["jsonrpc", "socketio"]
WAYS: tuple[Way, ...] = ("jsonrpc", "socketio")
both_ways = pytest.mark.parametrize("way", WAYS)


class Player:
    """What both have in common. `deaf` are events that this scene is not about."""

    def __init__(self, on: Stage, deaf: Iterable[str]) -> None:
        self.on = on
        self.deaf = frozenset(deaf)
        self._heard: deque[tuple[str, Any]] = deque()
        self.answers: dict[int, Any] = {}
        self._number = 0
        self.socket: WebSocketConnection

    async def send(self, event: str, args: tuple[Any, ...], number: int | None) -> None:
        raise NotImplementedError

    async def listen(self) -> None:
        """Take the next thing that the server says."""
        raise NotImplementedError

    async def fence(self) -> None:
        """Everything that was sent has been read, and everything that was said before that has been heard."""
        raise NotImplementedError

    def keep(self, event: str, payload: Any) -> None:
        if event not in self.deaf:
            self._heard.append((event, payload))

    async def tells(self, event: str, *args: Any) -> None:
        await self.send(event, args, None)

    async def asks(self, event: str, *args: Any) -> Any:
        self._number += 1
        number = self._number
        await self.send(event, args, number)
        while number not in self.answers:
            await self.listen()
        return self.answers.pop(number)

    async def does(self, event: str, *args: Any) -> None:
        await self.tells(event, *args)
        await self.settles()

    async def settles(self) -> None:
        """What was told is done, and whatever it brought is heard."""
        await self.fence()
        await self.on.server.app.dispatch.settled()
        await self.fence()

    async def hears(self, event: str) -> Any:
        while not self._heard:
            await self.listen()
        name, payload = self._heard.popleft()
        assert name == event, f"expected {event}, heard {name} {payload}, then {list(self._heard)}"
        return payload

    async def hears_all(self) -> list[tuple[str, Any]]:
        await self.fence()
        heard = list(self._heard)
        self._heard.clear()
        return heard

    async def hears_nothing(self) -> None:
        assert await self.hears_all() == []

    async def leaves(self) -> None:
        """Say goodbye, and wait until it is answered."""
        with trio.move_on_after(TIMEOUT):
            await self.socket.aclose()

    async def is_cut_off(self) -> None:
        """The network is gone: no goodbye."""
        await trio.aclose_forcefully(self.socket._stream)


class RpcActor(Player):
    """Over JSON-RPC. The body of a refusal is what its error carries as data; `refused` is the last one whole."""

    def __init__(self, on: Stage, socket: WebSocketConnection, deaf: Iterable[str]) -> None:
        super().__init__(on, deaf)
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


class IoActor(Player):
    """Over Socket.IO. An answer is its only argument."""

    def __init__(self, on: Stage, io: IoSocket, deaf: Iterable[str]) -> None:
        super().__init__(on, deaf)
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
        """A call that nobody knows is told so at once, in every dialect."""
        self._number += 1
        self._fence = f"fence {self._number}!"
        await self.tells(self._fence)
        while self._fence:
            await self.listen()


async def play(
    on: Stage, way: Way, dialect: str, who: Person, namespace: str = "/chat", *, deaf: Iterable[str] = (), **query: str
) -> Player:
    """Somebody in a namespace, over that way and in that dialect."""
    query = {"dialect": dialect, **query}
    if way == "jsonrpc":
        socket = await on.socket(f"{namespace}?{urlencode(query)}", headers={"Authorization": f"Bearer {who.token}"})
        player = RpcActor(on, socket, ())
        player.ready = await player.hears("ready")
        player.deaf = frozenset(deaf)
        return player
    io = await knock(on, namespace, {"token": f"Bearer {who.token}"}, **query)
    kind, _, data = await io.receive()
    assert kind == OPENED, data
    return IoActor(on, io, deaf)
