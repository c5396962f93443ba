"""The chat that the application uses: calls, sends and events, over one connection after another."""

from __future__ import annotations

import math
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import trio
from msgspec import Struct
from msgspec.structs import replace

from chatd.client.backoff import Backoff
from chatd.client.buffer import EventBuffer
from chatd.client.calls import Unwritten
from chatd.client.events import Mark, StreamEvent
from chatd.client.problems import AnswerLost, Closed, ConnectionLost, Refused, SignedOut, Unreachable
from chatd.client.session import CATCH_UP_REASON, ClientSession, Ready, receive_ready
from chatd.client.stream_state import StreamState
from chatd.client.token_source import Token, TokenSource
from chatd.client.upload import FileUpload, Progress, UploadPlan, content_of
from chatd.client.wire import Dial, Wire

STABLE_AFTER_SECONDS = 10.0


class Options(Struct, frozen=True):
    """The options of `connect`, other than the address and the token."""

    dial: Dial
    random: Callable[[], float]
    dialect: str | None = None
    buffer: int = 1000
    patience: float = math.inf
    resume: Mark | None = None


class Chat:
    """One chat, made by `connect`. Its connections begin and end under it."""

    def __init__(self, url: str, server: str, token: Token, options: Options) -> None:
        self._url = url
        self._server = server
        self._token = TokenSource(token)
        self._dialed_token = ""
        self._options = options
        self._backoff = Backoff(options.random)
        self._state = StreamState(EventBuffer(options.buffer, self._has_open_calls), options.resume)
        self._read_mark = options.resume
        self._session: ClientSession | None = None
        self._changed = trio.lowlevel.ParkingLot()
        self._failure: Exception | None = None
        self._no_calls_until = -math.inf
        self._up_since = math.inf
        self.ready: Ready | None = None
        """The `ready` of the latest connection: the user, the limits."""

    # For the application

    @property
    def connected(self) -> bool:
        return self._session is not None

    @property
    def mark(self) -> Mark:
        """The mark after the last event that was read. `connect(resume=mark)` continues from there."""
        mark = self._read_mark or self._state.mark
        return replace(mark, connection=self._state.mark.connection)

    async def call(self, name: str, data: Any = None, *, repeat: bool = False) -> Any:
        """Wait for a connection, make a call, and return its ack. Raises Refused.

        When the connection ends before the answer, a call that is safe to repeat is made again. Safe are a call with
        `repeat`, and a call that joins or leaves a room. For any other call, AnswerLost is raised.
        """
        rooms = self._state.rooms
        repeat = repeat or rooms.is_room_call(name)
        backoff = Backoff(self._options.random)
        while True:
            session = await self._connected_session()
            try:
                result = await session.calls.call(name, data)
            except Unwritten:
                await trio.lowlevel.checkpoint()
            except AnswerLost:
                if not repeat:
                    raise
            except Refused as refused:
                if not (repeat and refused.again):
                    raise
                await self._wait_before_retry(
                    backoff.next_seconds(refused.retry_after), all_calls=refused.code == "RATE_LIMITED"
                )
            else:
                rooms.record(name, data)
                return result

    async def send(self, name: str, data: dict[str, Any], *, client_id: str | None = None) -> Any:
        """Send a message exactly once, and return its ack.

        The call is repeated until it is answered. The server stores one message for each clientId; without
        `client_id`, a random one is made.
        """
        message = {"clientId": client_id or secrets.token_hex(16), **data}
        return await self.call(name, message, repeat=True)

    async def upload(
        self, source: Path | str | bytes, *, name: str | None = None, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Upload a file or bytes, through breaks of the network, and return the file: its `url` goes into a message.

        `progress` is called with the bytes that the server has, and the size. Raises Refused, and OSError if the file
        can't be read.
        """
        size, read = content_of(source)
        named = name or ("file" if isinstance(source, bytes) else Path(source).name)
        backoff = Backoff(self._options.random)
        plan = UploadPlan(named, size, read, progress, self._token, backoff)
        return await FileUpload(self._server, plan).run()

    def events(self) -> AsyncIterator[StreamEvent]:
        """All events, each once, in order, and a StreamGap where events are missing. For one reader."""
        return _EventIterator(self._read)

    async def _read(self) -> StreamEvent:
        event, self._read_mark = await self._state.buffer.get()
        return event

    # Waiting

    def _has_open_calls(self) -> bool:
        return self._session is not None and len(self._session.calls) > 0

    async def _connected_session(self) -> ClientSession:
        while True:
            if self._failure is not None:
                raise self._failure
            now = trio.current_time()
            if self._no_calls_until > now:
                await trio.sleep_until(self._no_calls_until)
            elif self._session is None:
                await self._changed.park()
            else:
                return self._session

    async def _wait_before_retry(self, seconds: float, *, all_calls: bool) -> None:
        if all_calls:
            self._no_calls_until = max(self._no_calls_until, trio.current_time() + seconds)
        await trio.sleep(seconds)

    async def wait_connected(self) -> None:
        """Wait for the first connection."""
        await self._connected_session()

    # Connections

    async def run(self) -> None:
        """Connect again after each connection, until the server rejects this client or `patience` is over."""
        down_since = trio.current_time()
        while True:
            try:
                self._dialed_token = await self._token.get()
                await self._options.dial(self._address(), self._dialed_token, self._use_wire)
            except ConnectionLost as lost:
                end = lost
            except Exception as problem:  # raised by the function that supplies tokens
                self._fail(problem)
                return
            now = trio.current_time()
            steady = now - self._up_since
            if steady >= 0:
                down_since = now
            if steady >= STABLE_AFTER_SECONDS:
                self._backoff.reset()
            self._up_since = math.inf
            wait = 0.0 if end.reason == CATCH_UP_REASON else self._backoff.next_seconds(end.retry_after)
            failure = self._final_failure(end, now + wait - down_since)
            if failure is not None:
                self._fail(failure)
                return
            await trio.sleep(wait)

    def _final_failure(self, end: ConnectionLost, seconds_down: float) -> Exception | None:
        """The failure that ends the chat, or None to connect again."""
        if seconds_down > self._options.patience:
            return Unreachable(f"No connection to {urlsplit(self._url).netloc}: {end}")
        if end.can_reconnect:
            return None
        failure = end.failure()
        if isinstance(failure, SignedOut) and self._token.renew(self._dialed_token):
            return None
        return failure

    def _address(self) -> str:
        parts = urlsplit(self._url)
        query = {"rooms": "1"} | ({"dialect": self._options.dialect} if self._options.dialect else {})
        if self._state.mark.epoch:
            query |= self._state.mark.query()
        return urlunsplit(parts._replace(query=urlencode(query)))

    async def _use_wire(self, wire: Wire) -> None:
        """Use one connection. Raises ConnectionLost at its end."""
        ready = await receive_ready(wire)
        self._token.accepted()
        self._state.on_ready(ready.epoch, ready.pos, ready.connection, recovered=ready.recovered, reason=ready.reason)
        self.ready = ready
        self._up_since = trio.current_time()
        self._read_mark = self._read_mark or self._state.mark
        self._session = ClientSession(wire, ready, self._state, self._backoff)
        self._changed.unpark_all()
        try:
            await self._session.run()
        finally:
            self._session = None

    def _fail(self, failure: Exception) -> None:
        self._failure = failure
        self._state.buffer.end(failure)
        self._changed.unpark_all()

    def close(self) -> None:
        """End the chat: the block of `connect` has ended."""
        self._fail(Closed(1000, "this chat is closed"))


class _EventIterator:
    """An iterator that the reader may abandon at any point: unlike a generator, it holds no resources."""

    def __init__(self, read: Callable[[], Awaitable[StreamEvent]]) -> None:
        self._read = read

    def __aiter__(self) -> _EventIterator:
        return self

    async def __anext__(self) -> StreamEvent:
        return await self._read()
