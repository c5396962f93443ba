"""The network under a client: one WebSocket, by trio-websocket. Tests replace it with a wire of their own."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, WebSocketConnection, wrap_client_stream

from chatd.client.problems import ABNORMAL_CLOSE, TLS_FAILED, ConnectionLost, rejected_handshake

HANDSHAKE_TIMEOUT_SECONDS = 10.0
CLOSE_TIMEOUT_SECONDS = 2.0


class Wire(Protocol):
    """A connection that carries text messages in both directions. Both methods raise ConnectionLost at its end."""

    async def send(self, text: bytes) -> None: ...

    async def receive(self) -> str | bytes: ...


Dial: TypeAlias = Callable[[str, str, Callable[[Wire], Awaitable[None]]], Awaitable[None]]
"""`await dial(url, token, use)`: connect, run `use(wire)`, close. Raises ConnectionLost when no server answers."""


class _HandshakeStream(trio.abc.Stream):
    """A stream that cancels `scope` when the server closes it. During the handshake, trio-websocket does not notice."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self.scope = trio.CancelScope()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        try:
            data = await self._stream.receive_some(max_bytes)
        except trio.BrokenResourceError:
            self.scope.cancel()
            raise
        if not data:
            self.scope.cancel()
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._stream.aclose()


class _WebSocketWire:
    """A WebSocket as a Wire."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self._socket = socket

    async def send(self, text: bytes) -> None:
        try:
            await self._socket.send_message(text.decode())
        except ConnectionClosed as closed:
            raise _connection_lost(closed) from None

    async def receive(self) -> str | bytes:
        try:
            return await self._socket.get_message()
        except ConnectionClosed as closed:
            raise _connection_lost(closed) from None


def _connection_lost(closed: ConnectionClosed) -> ConnectionLost:
    return ConnectionLost(closed.reason.code, closed.reason.reason or "") if closed.reason else ConnectionLost()


async def dial(url: str, token: str, use: Callable[[Wire], Awaitable[None]]) -> None:
    """Implement Dial with trio-websocket."""
    stream = await open_stream(url)
    try:
        async with trio.open_nursery() as nursery:
            socket = await _handshake(nursery, stream, url, token)
            try:
                await use(_WebSocketWire(socket))
            finally:
                with trio.move_on_after(CLOSE_TIMEOUT_SECONDS):
                    await socket.aclose()
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        raise _single_failure(group) from None
    finally:
        await trio.aclose_forcefully(stream)


async def open_stream(url: str) -> trio.abc.Stream:
    """Connect to the host of a URL. Raises ConnectionLost."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme in ("wss", "https")
    port = parts.port or (443 if secure else 80)
    try:
        with trio.fail_after(HANDSHAKE_TIMEOUT_SECONDS):
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
        raise _open_failure(problem) from None


def _open_failure(problem: Exception) -> ConnectionLost:
    """Translate a failure to connect: temporary, or final when TLS is the cause."""
    cause = problem.__cause__
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
        return ConnectionLost(TLS_FAILED, f"TLS: {getattr(cause, 'verify_message', '') or cause.reason or cause}")
    return ConnectionLost(ABNORMAL_CLOSE, str(problem) or "no answer")


async def _handshake(nursery: trio.Nursery, stream: trio.abc.Stream, url: str, token: str) -> WebSocketConnection:
    parts = urlsplit(url)
    watched = _HandshakeStream(stream)
    watched.scope.deadline = trio.current_time() + HANDSHAKE_TIMEOUT_SECONDS
    with watched.scope:
        return await wrap_client_stream(
            nursery,
            watched,  # type: ignore[arg-type]  # any stream works
            parts.netloc,
            f"{parts.path}?{parts.query}",
            extra_headers=[(b"Authorization", f"Bearer {token}".encode())],
        )
    raise ConnectionLost(ABNORMAL_CLOSE, "no WebSocket server at this address")


def _single_failure(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Reduce a group of exceptions to one: any other exception, else a ConnectionLost."""
    lost, others = group.split((ConnectionLost, ConnectionRejected))
    if others is not None:
        return others.exceptions[0] if len(others.exceptions) == 1 else others
    assert lost is not None
    first: BaseException = lost
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, ConnectionRejected):
        headers = {name.lower(): value.decode("latin-1") for name, value in first.headers or ()}
        return rejected_handshake(first.status_code, headers.get(b"retry-after"))
    return first
