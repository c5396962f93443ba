"""Listeners, over as many connections as it takes. Each knows only what it receives."""

from __future__ import annotations

import json
import random
import socket
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import trio

from chatd.client import ChatError, StreamGap, connect
from tests.outside.raw import CLOSE, PING, PONG, TEXT, HungUp, Raw, frame, request, upgrade
from tests.outside.server import token
from tests.trials.mixed.chat_dialects import ChatDialect

LOST = (OSError, HungUp, trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError)
WAIT_SECONDS = 5
SMALL_BUFFER = 4_096


class Attentive(Raw):
    """A connection that its client can stop reading."""

    listener: Listener

    async def _more(self) -> bool:
        await self.listener.reading.wait()
        return await super()._more()


class Listener:
    """One client: the messages that it received by each event name, in order, and the time of the first."""

    wire = ""

    def __init__(self, address: str, user: int, room: str, spoken: ChatDialect) -> None:
        self.address = address
        self.user = user
        self.room = room
        self.spoken = spoken
        self.received: dict[str, list[str]] = defaultdict(list)
        self.first: dict[str, float] = {}
        self.gaps: list[str] = []
        self.inside = False
        self.reading = trio.Event()
        self.reading.set()
        self.lags = False

    @property
    def who(self) -> str:
        return f"{self.wire} {self.spoken.dialect}, user {self.user}"

    def take(self, event: str, data: Any) -> None:
        """An event that may be a message."""
        if event in self.spoken.notifies:
            name = data["content"].partition(" ")[0]
            self.received[event].append(name)
            self.first.setdefault(name, trio.current_time())

    async def run(self) -> None:
        while True:
            try:
                async with await self._connect() as raw:
                    await self.live(raw)
            except LOST:
                pass
            self.inside = False
            await trio.sleep(random.uniform(0.02, 0.2))

    async def _connect(self) -> Raw:
        host, _, port = self.address.rpartition(":")
        connected = trio.socket.socket()
        if self.lags:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        await connected.connect((host, int(port)))
        raw = Attentive(trio.SocketStream(connected))
        raw.listener = self
        return raw

    async def live(self, raw: Raw) -> None:
        """One connection."""
        raise NotImplementedError


class RpcListener(Listener):
    """A plain WebSocket."""

    wire = "JSON-RPC"
    place = ""
    name = ""

    async def live(self, raw: Raw) -> None:
        path = f"{self.spoken.namespace}?dialect={self.spoken.dialect}"
        path += f"&{self.place}&connection={self.name}" if self.place else ""
        status, _ = await raw.asks(upgrade(path, token=token(self.user)))
        if status != 101:
            return
        joined, place = bool(self.place), ""
        async for message in _messages(raw):
            if message.get("method") == "ready":
                ready = message["params"]
                self.name = ready["connection"]
                if joined and not ready["recovered"]:
                    self.gaps.append(str(ready["reason"]))
                place = f"epoch={ready['epoch']}&pos={ready['pos']}"
                joined = joined and ready["recovered"]
                if joined or self.spoken.join is None:
                    self.place, self.inside = place, True
                else:
                    method, params = self.spoken.join(self.room, self.user)
                    await raw.say({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
            elif "method" not in message:
                assert "result" in message, f"{self.who}: {message}"
                self.place, self.inside = place, True
            else:
                if "pos" in message:
                    place = f"{place.partition('&')[0]}&pos={message['pos']}"
                    self.place = place if self.place else ""
                self.take(message["method"], message["params"])


async def _messages(raw: Raw) -> AsyncIterator[Any]:
    """The messages of a WebSocket, until it ends."""
    while (received := await raw.frame()) is not None and received[0] != CLOSE:
        if received[0] == PING:
            await raw.send(frame(PONG, received[1]))
        elif received[0] == TEXT:
            yield json.loads(received[1])


class StreamListener(Listener):
    """Server-Sent Events, as an EventSource does: it resumes after the last id."""

    wire = "SSE"
    last = ""

    async def live(self, raw: Raw) -> None:
        path, accept = f"/events?dialect={self.spoken.dialect}", "text/event-stream"
        await raw.send(request("GET", path, token=token(self.user), Accept=accept, Last_Event_ID=self.last))
        text = b""
        while True:
            await self.reading.wait()
            data = await raw.stream.receive_some(65_536)
            if not data:
                return
            *whole, text = (text + data).split(b"\n\n")
            for one in whole:
                lines = [line.split(": ", 1) for line in one.decode().split("\n") if ": " in line]
                fields = {name: value for name, value in lines if name.isalpha()}
                if "data" in fields:
                    self._take(fields)

    def _take(self, fields: dict[str, str]) -> None:
        params = json.loads(fields["data"])["params"]
        if fields["event"] == "ready":
            self.gaps += [] if params["recovered"] or not self.last else [params["reason"]]
            self.inside = True
        self.take(fields["event"], params)
        self.last = fields.get("id", self.last)


class PollListener(Listener):
    """GET /events as a repeated long poll."""

    wire = "long poll"
    place = ""

    async def live(self, raw: Raw) -> None:
        while True:
            path = f"/events?dialect={self.spoken.dialect}"
            path += f"&{self.place}&wait={WAIT_SECONDS}&limit=200" if self.place else ""
            self.inside = bool(self.place)
            status, body = await raw.asks(request("GET", path, token=token(self.user)))
            if status != 200:
                return
            try:
                answer = json.loads(body)
            except ValueError:
                return  # cut in the middle
            if self.place and not answer["recovered"]:
                self.gaps.append(str(answer.get("reason")))
            self.place = f"epoch={answer['epoch']}&pos={answer['pos']}"
            for event in answer["events"]:
                self.take(event["method"], event["params"])


class OwnListener(Listener):
    """chatd's client for Python."""

    wire = "chatd.client"

    async def run(self) -> None:
        try:
            url = f"http://{self.address}"
            namespace, dialect = self.spoken.namespace, self.spoken.dialect
            async with connect(url, token(self.user), namespace=namespace, dialect=dialect) as chat:
                if self.spoken.join is not None:
                    await chat.call(*self.spoken.join(self.room, self.user))
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._watch, chat)
                    async for event in chat.events():
                        if isinstance(event, StreamGap):
                            self.gaps.append(event.reason)
                        else:
                            self.take(event.name, event.data)
        except ChatError as end:
            self.gaps.append(f"ended: {end}")
            self.inside = False

    async def _watch(self, chat: Any) -> None:
        while True:
            self.inside = chat.connected
            await trio.sleep(0.05)
