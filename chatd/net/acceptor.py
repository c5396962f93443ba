"""Accepts connections, runs each one in a task of its own, and stops them in order.

An exception of a connection ends that connection only, and is passed to `crashed`. An accept that fails is tried again:
at once if the client caused the failure, after RESUME_SECONDS if no file descriptor is free.

With a certificate the TCP listeners use TLS. A unix socket never does: it is for a proxy on the same machine.

A stop closes the listeners, ends idle HTTP connections, and calls `closing`, which closes the WebSockets (1012). The
connections that are open when the time is over are cut off.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import ssl
from collections.abc import Callable, Sequence

import trio
from msgspec import Struct

from chatd.net.connection_counts import ConnectionCounts
from chatd.net.epoll_reader import EpollReader
from chatd.net.http import TOO_MANY_CONNECTIONS, HttpRouter, HttpServer
from chatd.net.http_connection import HttpConnection, HttpRules
from chatd.net.listeners import Address, format_address, listen
from chatd.net.process import Trimmer, find_trim, max_descriptors
from chatd.net.proxies import Proxies
from chatd.net.request import Headers, Response
from chatd.net.socket import SocketRules
from chatd.net.stream import SocketStream, Stream, peer_of
from chatd.net.tls import TlsStream

log = logging.getLogger("chatd.net.acceptor")

RESUME_SECONDS = 0.5
ACCEPTS_AT_ONCE = 64
CONNECTIONS_PER_DESCRIPTOR = 0.9
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: 5\r\n\r\n"
USE_HTTPS_TEXT = b"This port speaks HTTPS: write https:// in the address.\n"
USE_HTTPS = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(USE_HTTPS_TEXT), USE_HTTPS_TEXT)
)
CLIENT_LEFT = frozenset(
    [errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EINTR, errno.EAGAIN]
)


class AcceptRules(Struct, frozen=True):
    """Connections in all (0: 90 % of the file descriptors) and per address (0: any number), and the TLS deadline."""

    connections: int = 0
    connections_per_address: int = 200
    handshake_seconds: float = 10.0
    dead_after: float = 20.0
    trusted_proxies: tuple[str, ...] = ()


def descriptor_share() -> int:
    """How many connections the process may hold. The other descriptors are for the database and files."""
    return int(max_descriptors() * CONNECTIONS_PER_DESCRIPTOR)


def log_crash(error: BaseException) -> None:
    """Log an exception that ended a connection."""
    log.error("a connection failed: %s", type(error).__name__, exc_info=error)


class Acceptor:
    """All listeners of a server. The constructor binds them, so a bad address raises before anything runs."""

    def __init__(
        self,
        router: HttpRouter,
        addresses: Sequence[Address],
        *,
        accepting: AcceptRules,
        http: HttpRules,
        sockets: SocketRules,
        tls: ssl.SSLContext | None = None,
        crashed: Callable[[BaseException], None] = log_crash,
        answered: Callable[[int], None] = lambda status: None,
    ) -> None:
        self._router = router
        self._rules = accepting
        self._http = http
        self._sockets = sockets
        self._tls = tls
        self._crashed = crashed
        self._answered = answered
        self._proxies = Proxies(accepting.trusted_proxies)
        self._limit = accepting.connections or descriptor_share()
        self._trimmer = Trimmer(find_trim())
        self._counts = ConnectionCounts(accepting.connections_per_address)
        self._server: HttpServer | None = None
        self._readers: EpollReader | None = None
        self._connections: trio.CancelScope | None = None
        self._accepting: trio.CancelScope | None = None
        self._all_ended: trio.Event | None = None
        self.open = 0
        self._listeners = self._bind(addresses)
        self._unencrypted = {listener for listener in self._listeners if listener.family == socket.AF_UNIX}
        self.addresses = [format_address(listener) for listener in self._listeners]

    def _bind(self, addresses: Sequence[Address]) -> list[socket.socket]:
        listeners: list[socket.socket] = []
        try:
            for address in addresses:
                listeners += listen(address, self._rules.dead_after)
        except BaseException:
            for listener in listeners:
                listener.close()
            raise
        return listeners

    def adopt(self, accepting: AcceptRules, http: HttpRules, sockets: SocketRules) -> None:
        """Use other rules, for new connections."""
        self._rules, self._http, self._sockets = accepting, http, sockets
        self._proxies = Proxies(accepting.trusted_proxies)
        self._limit = accepting.connections or descriptor_share()
        self._counts.limit = accepting.connections_per_address
        if self._server is not None:
            self._server.rules, self._server.sockets = http, sockets

    def _locate(self, peer: str, headers: Headers) -> tuple[str, str | None]:
        return self._proxies.locate(peer, headers)

    @property
    def scheme(self) -> str:
        return "https" if self._tls is not None else "http"

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Accept and serve until `stop`. Cancelled, everything ends at once."""
        try:
            async with trio.open_nursery() as nursery:
                self._connections = nursery.cancel_scope
                nursery.start_soon(self._trimmer.run)
                self._readers = EpollReader.create()
                if self._readers is not None:
                    nursery.start_soon(self._readers.run)
                self._server = HttpServer(
                    self._router,
                    nursery,
                    self._http,
                    self._sockets,
                    crashed=self._crashed,
                    locate=self._locate,
                    answered=self._answered,
                    counts=self._counts,
                )
                with trio.CancelScope() as self._accepting:
                    async with trio.open_nursery() as accept_loops:
                        for listener in self._listeners:
                            accept_loops.start_soon(self._accept_from, listener, nursery)
                        task_status.started()
        finally:
            self._close_listeners()

    async def stop(self, seconds: float, closing: Callable[[], None] = lambda: None) -> None:
        """Stop in at most `seconds`. The module's docstring has the steps."""
        if self._accepting is not None:
            self._accepting.cancel()
        self._close_listeners()
        if self._server is not None:
            self._server.stop()
        closing()
        if self.open:
            self._all_ended = trio.Event()
            with trio.move_on_after(seconds):
                await self._all_ended.wait()
        if self._connections is not None:
            self._connections.cancel()

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            if listener.fileno() < 0:
                continue
            name = listener.getsockname()
            trio.lowlevel.notify_closing(listener)
            listener.close()
            if isinstance(name, str) and os.path.exists(name):
                os.unlink(name)

    async def _accept_from(self, listener: socket.socket, nursery: trio.Nursery) -> None:
        while True:
            try:
                await trio.lowlevel.wait_readable(listener)
                for _ in range(ACCEPTS_AT_ONCE):
                    connected, address = listener.accept()
                    self._take_connection(
                        connected, peer_of(address), nursery, None if listener in self._unencrypted else self._tls
                    )
            except BlockingIOError:
                continue
            except trio.ClosedResourceError:
                return
            except OSError as error:
                if listener.fileno() < 0:
                    return
                if error.errno not in CLIENT_LEFT:
                    log.warning("accept failed, trying again in %s s: %s", RESUME_SECONDS, error)
                    await trio.sleep(RESUME_SECONDS)

    def _take_connection(
        self, connected: socket.socket, peer: str, nursery: trio.Nursery, context: ssl.SSLContext | None
    ) -> None:
        limit = 0 if self._proxies.trusts(peer) else self._counts.limit
        count = self._counts.count(peer)
        if self.open >= self._limit or 0 < limit * 2 <= count:
            _reject_connection(connected, plain=context is None)
            return
        self.open += 1
        self._counts.add(peer)
        stream = SocketStream(connected, peer, self._readers)
        nursery.start_soon(self._guard, stream, TOO_MANY_CONNECTIONS if 0 < limit <= count else None, context)

    async def _guard(self, stream: Stream, refusal: Response | None, context: ssl.SSLContext | None) -> None:
        """Run one connection from accept to close. Only a cancellation is raised."""
        assert self._server is not None
        try:
            if context is not None:
                tls = TlsStream(stream, context)
                if not await self._handshake(tls):
                    if tls.got_plain_http:
                        await self._explain_https(stream)
                    return
                stream = tls
            websocket = await self._server.serve(stream, refusal)
            if websocket is not None:
                await websocket
        except Exception as error:
            self._crashed(error)
        finally:
            stream.close()
            self._server.counts.end_request(stream)
            self._connection_ended(stream.peer)

    async def _handshake(self, tls: TlsStream) -> bool:
        with trio.move_on_after(self._rules.handshake_seconds):
            try:
                return await tls.handshake()
            except OSError:
                return False
        return False

    async def _explain_https(self, stream: Stream) -> None:
        """Answer a client that uses plain HTTP on the HTTPS port, in plain HTTP."""
        with contextlib.suppress(OSError):
            stream.send_now(USE_HTTPS)
            await HttpConnection(stream, self._http).linger()

    def _connection_ended(self, peer: str) -> None:
        self.open -= 1
        self._trimmer.connection_ended()
        self._counts.remove(peer)
        if not self.open and self._all_ended is not None:
            self._all_ended.set()


def _reject_connection(connected: socket.socket, *, plain: bool) -> None:
    """Close a connection above all limits, without a task. It gets a 503 if one send delivers that."""
    with connected:
        connected.setblocking(False)
        if plain:
            try:
                connected.send(BUSY)
                connected.shutdown(socket.SHUT_WR)
            except OSError:
                pass
