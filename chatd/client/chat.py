"""The chat as its user has it: calls, sends and events, over one connection after another."""

from __future__ import annotations

import math
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import trio
from msgspec import Struct
from msgspec.structs import replace

from chatd.client.backoff import Backoff
from chatd.client.buffer import Buffer
from chatd.client.calls import Unwritten
from chatd.client.events import Mark, StreamEvent
from chatd.client.problems import Closed, ConnectionLost, MessagesLost, Refused, SignedOut, Unreachable
from chatd.client.session import CATCHING_UP, ClientSession, Ready, hear_ready
from chatd.client.stream_state import StreamState
from chatd.client.wire import Dial, Wire

STEADY_SECONDS = 10.0
Token = str | Callable[[], Awaitable[str]]


class Options(Struct, frozen=True):
    """How a chat connects: all that `connect` is told, beside where and as whom."""

    dial: Dial
    random: Callable[[], float]
    dialect: str | None = None
    buffer: int = 1000
    patience: float = math.inf
    resume: Mark | None = None


class Chat:
    """See above; made by `connect`."""

    def __init__(self, url: str, token: Token, manner: Options) -> None:
        self._url = url
        self._token = token
        self._shown: str | None = token if isinstance(token, str) else None
        self._manner = manner
        self._backoff = Backoff(manner.random)
        self._memory = StreamState(Buffer(manner.buffer, self._hurried), manner.resume)
        self._taken = manner.resume
        self._session: ClientSession | None = None
        self._changed = trio.lowlevel.ParkingLot()
        self._failure: Exception | None = None
        self._quiet_until = -math.inf
        self._up_since = math.inf
        self._renewed = False
        self.ready: Ready | None = None
        """What the server said when it was last connected to: the user, the limits."""

    # What its user does

    @property
    def connected(self) -> bool:
        return self._session is not None

    @property
    def mark(self) -> Mark:
        """Where the events go on after the last one that was read: kept somewhere, `connect(resume=mark)` goes on."""
        mark = self._taken or self._memory.mark
        return replace(mark, connection=self._memory.mark.connection)

    async def call(self, name: str, data: Any = None, *, repeat: bool = False) -> Any:
        """Make a call: the ack. It waits for a connection. Raises Refused.

        When the connection ends before the answer, it is made again if that does no harm (`repeat`; joining and
        leaving a room is always repeated), else Lost is raised.
        """
        rooms = self._memory.rooms
        repeat = repeat or rooms.concerns(name)
        backoff = Backoff(self._manner.random)
        while True:
            session = await self._online()
            try:
                result = await session.calls.ask(name, data)
            except Unwritten:
                await trio.lowlevel.checkpoint()
            except MessagesLost:
                if not repeat:
                    raise
            except Refused as refused:
                if not (repeat and refused.again):
                    raise
                await self._calm_down(backoff.wait(refused.retry_after), everybody=refused.code == "RATE_LIMITED")
            else:
                rooms.done(name, data)
                return result

    async def send(self, name: str, data: dict[str, Any], *, client_id: str | None = None) -> Any:
        """Send a message, once, whatever happens to connections and servers: the ack.

        Under its clientId (made here when there is none) the call is repeated until it is answered.
        """
        named = {"clientId": client_id or secrets.token_hex(16), **data}
        return await self.call(name, named, repeat=True)

    def events(self) -> AsyncIterator[StreamEvent]:
        """What the server tells, each once, in order; Gap where something is missing. For one reader."""
        return _Events(self._read)

    async def _read(self) -> StreamEvent:
        event, self._taken = await self._memory.buffer.get()
        return event

    # Waiting

    def _hurried(self) -> bool:
        return self._session is not None and len(self._session.calls) > 0

    async def _online(self) -> ClientSession:
        while True:
            if self._failure is not None:
                raise self._failure
            now = trio.current_time()
            if self._quiet_until > now:
                await trio.sleep_until(self._quiet_until)
            elif self._session is None:
                await self._changed.park()
            else:
                return self._session

    async def _calm_down(self, seconds: float, *, everybody: bool) -> None:
        if everybody:
            self._quiet_until = max(self._quiet_until, trio.current_time() + seconds)
        await trio.sleep(seconds)

    async def opened(self) -> None:
        """Wait for the first connection."""
        await self._online()

    # Connections

    async def run(self) -> None:
        """Connect, again and again, until the server or our patience says no."""
        down_since = trio.current_time()
        while True:
            try:
                await self._manner.dial(self._address(), await self._shows(), self._live)
            except ConnectionLost as cut:
                end = cut
            except Exception as problem:  # of the function that gives tokens
                self._fail(problem)
                return
            now = trio.current_time()
            steady = now - self._up_since
            if steady >= 0:
                down_since = now
            if steady >= STEADY_SECONDS:
                self._backoff.reset()
            self._up_since = math.inf
            wait = 0.0 if end.reason == CATCHING_UP else self._backoff.wait(end.retry_after)
            failure = self._verdict(end, now + wait - down_since)
            if failure is not None:
                self._fail(failure)
                return
            await trio.sleep(wait)

    def _verdict(self, end: ConnectionLost, down: float) -> Exception | None:
        """Why not to try again, if so."""
        if down > self._manner.patience:
            return Unreachable(f"No connection to {urlsplit(self._url).netloc}: {end}")
        if end.again:
            return None
        failure = end.failure()
        if isinstance(failure, SignedOut) and not isinstance(self._token, str) and not self._renewed:
            self._renewed = True
            self._shown = None
            return None
        return failure

    async def _shows(self) -> str:
        if self._shown is None:
            assert not isinstance(self._token, str)
            try:
                self._shown = await self._token()
            except OSError as problem:
                raise ConnectionLost(reason=str(problem)) from None
        return self._shown

    def _address(self) -> str:
        parts = urlsplit(self._url)
        query = {"rooms": "1"} | ({"dialect": self._manner.dialect} if self._manner.dialect else {})
        if self._memory.mark.epoch:
            query |= self._memory.mark.query()
        return urlunsplit(parts._replace(query=urlencode(query)))

    async def _live(self, wire: Wire) -> None:
        """One connection. Raises Cut at its end."""
        ready = await hear_ready(wire)
        self._renewed = False
        self._memory.begin(ready.epoch, ready.pos, ready.connection, recovered=ready.recovered, reason=ready.reason)
        self.ready = ready
        self._up_since = trio.current_time()
        self._taken = self._taken or self._memory.mark
        self._session = ClientSession(wire, ready, self._memory, self._backoff)
        self._changed.unpark_all()
        try:
            await self._session.run()
        finally:
            self._session = None

    def _fail(self, failure: Exception) -> None:
        self._failure = failure
        self._memory.buffer.end(failure)
        self._changed.unpark_all()

    def close(self) -> None:
        """The block is over."""
        self._fail(Closed(1000, "this chat is closed"))


class _Events:
    """An iterator that can be left at any point: unlike a generator it holds nothing open."""

    def __init__(self, read: Callable[[], Awaitable[StreamEvent]]) -> None:
        self._read = read

    def __aiter__(self) -> _Events:
        return self

    async def __anext__(self) -> StreamEvent:
        return await self._read()
