"""The network under a client: one WebSocket, by trio-websocket. Tests put a wire of their own in its place."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, WebSocketConnection, wrap_client_stream

from chatd.client.problems import LOST, TLS_FAILED, ConnectionLost, turned_away

HELLO_SECONDS = 10.0
GOODBYE_SECONDS = 2.0


class Wire(Protocol):
    """A connection: messages of text both ways. Both calls raise Cut when it has ended."""

    async def send(self, text: bytes) -> None: ...

    async def receive(self) -> str | bytes: ...


Dial: TypeAlias = Callable[[str, str, Callable[[Wire], Awaitable[None]]], Awaitable[None]]
"""`await dial(url, token, live)`: connect, let `live` use the wire, hang up. Raises Cut when nobody answers."""


class _Watched(trio.abc.Stream):
    """A stream that says when the other side has hung up: during the handshake trio-websocket does not."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self.hello = trio.CancelScope()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        try:
            data = await self._stream.receive_some(max_bytes)
        except trio.BrokenResourceError:
            self.hello.cancel()
            raise
        if not data:
            self.hello.cancel()
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Socket:
    """A WebSocket as a Wire."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self._socket = socket

    async def send(self, text: bytes) -> None:
        try:
            await self._socket.send_message(text.decode())
        except ConnectionClosed as closed:
            raise _cut(closed) from None

    async def receive(self) -> str | bytes:
        try:
            return await self._socket.get_message()
        except ConnectionClosed as closed:
            raise _cut(closed) from None


def _cut(closed: ConnectionClosed) -> ConnectionLost:
    return ConnectionLost(closed.reason.code, closed.reason.reason or "") if closed.reason else ConnectionLost()


async def dial(url: str, token: str, live: Callable[[Wire], Awaitable[None]]) -> None:
    """See Dial."""
    stream = await _open(url)
    try:
        async with trio.open_nursery() as nursery:
            socket = await _greet(nursery, stream, url, token)
            try:
                await live(_Socket(socket))
            finally:
                with trio.move_on_after(GOODBYE_SECONDS):
                    await socket.aclose()
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        raise _leaf(group) from None
    finally:
        await trio.aclose_forcefully(stream)


async def _open(url: str) -> trio.abc.Stream:
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "wss"
    port = parts.port or (443 if secure else 80)
    try:
        with trio.fail_after(HELLO_SECONDS):
            if secure:
                encrypted = await trio.open_ssl_over_tcp_stream(host, port, https_compatible=True)
                try:
                    await encrypted.do_handshake()
                except BaseException:
                    await trio.aclose_forcefully(encrypted)
                    raise
                return encrypted
            return await trio.open_tcp_stream(host, port)
    except (OSError, trio.TooSlowError, trio.BrokenResourceError) as problem:
        raise _not_open(problem) from None


def _not_open(problem: Exception) -> ConnectionLost:
    """No connection: for now, or because the two sides can't agree on TLS."""
    cause = problem.__cause__
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
        return ConnectionLost(TLS_FAILED, f"TLS: {getattr(cause, 'verify_message', '') or cause.reason or cause}")
    return ConnectionLost(LOST, str(problem) or "no answer")


async def _greet(nursery: trio.Nursery, stream: trio.abc.Stream, url: str, token: str) -> WebSocketConnection:
    parts = urlsplit(url)
    watched = _Watched(stream)
    watched.hello.deadline = trio.current_time() + HELLO_SECONDS
    with watched.hello:
        return await wrap_client_stream(
            nursery,
            watched,  # type: ignore[arg-type]  # any stream will do
            parts.netloc,
            f"{parts.path}?{parts.query}",
            extra_headers=[(b"Authorization", f"Bearer {token}".encode())],
        )
    raise ConnectionLost(LOST, "no WebSocket answers there")


def _leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What a group of exceptions comes down to: one that matters, or a Cut."""
    cuts, others = group.split((ConnectionLost, ConnectionRejected))
    if others is not None:
        return others.exceptions[0] if len(others.exceptions) == 1 else others
    assert cuts is not None
    first: BaseException = cuts
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, ConnectionRejected):
        headers = {name.lower(): value.decode("latin-1") for name, value in first.headers or ()}
        return turned_away(first.status_code, headers.get(b"retry-after"))
    return first
