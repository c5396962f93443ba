"""HTTP/1.1 on one stream: reads requests under deadlines and limits, and passes each one to its handler.

The steps of a request, in this order:

    router.refuse(request)        a Response is the answer (rate and connection limits, a foreign Origin)
    WebSocket upgrade             router.websocket(request, websocket), also on a kept-alive connection
    router.widen_body(request)    the limit of a body that is longer than router.body_limit(request)
    router.direct(request)        a handler without ASGI: async (request, body) -> Response
    all other requests            the ASGI application of router.application(), through chatd/net/asgi.py

h11 parses; chatd/net/http_connection.py keeps the deadlines and limits. After a 101 no object of HTTP stays in memory.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeAlias

import trio

from chatd.net.asgi import Application, run_application
from chatd.net.connection_counts import ConnectionCounts
from chatd.net.handshake import BadHandshake, accept, wants_websocket
from chatd.net.http_connection import HttpConnection, HttpRules, Reject, reject
from chatd.net.request import Headers, Request, Response, challenge, refusal
from chatd.net.socket import Gone, SocketRules, WebSocket
from chatd.net.stream import Stream
from protocol.errors import BAD_REQUEST, INTERNAL, UNAVAILABLE, Refusal

# A name or an address, and a port. The REST application raises for any other Host header: it parses the header before
# its error handlers apply.
HOST = re.compile(r"(?:(?:[\w-]{1,63}\.)*[\w-]{0,63}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?", re.ASCII)

Direct: TypeAlias = Callable[[Request, bytes], Awaitable[Response]]
BodyReader: TypeAlias = Callable[[], Awaitable[bytes]]
Upgraded: TypeAlias = Coroutine[Any, Any, None]
Locate: TypeAlias = Callable[[str, Headers], tuple[str, str | None]]


TOO_MANY_CONNECTIONS = refusal(UNAVAILABLE, "Too many connections from your address", close=True)
"""The answer to a client that has as many connections as it may have."""


class LongPollHandler:
    """A direct handler that may take long. It is cancelled when the client leaves."""

    __slots__ = ("_handler",)

    def __init__(self, handler: Direct) -> None:
        self._handler = handler

    def __call__(self, request: Request, body: bytes) -> Awaitable[Response]:
        return self._handler(request, body)


class BodyHandler:
    """A direct handler that needs the request's body. `on_spoilt` is called when the body can't be read to its end."""

    __slots__ = ("_handler", "on_spoilt")

    def __init__(self, handler: Direct, on_spoilt: Callable[[], None]) -> None:
        self._handler = handler
        self.on_spoilt = on_spoilt

    def __call__(self, request: Request, body: bytes) -> Awaitable[Response]:
        return self._handler(request, body)


class LateBodyHandler:
    """A direct handler that reads the request's body itself, after it has checked whether the client may send one."""

    __slots__ = ("_handler",)

    def __init__(self, handler: Callable[[Request, BodyReader], Awaitable[Response]]) -> None:
        self._handler = handler

    def __call__(self, request: Request, read_body: BodyReader) -> Awaitable[Response]:
        return self._handler(request, read_body)


class ExchangeHandler:
    """A direct handler that reads the body and sends the answer piece by piece, or returns a whole answer."""

    __slots__ = ("_handler",)

    def __init__(self, handler: Callable[[Request, HttpConnection], Awaitable[Response | None]]) -> None:
        self._handler = handler

    def __call__(self, request: Request, connection: HttpConnection) -> Awaitable[Response | None]:
        return self._handler(request, connection)


class HttpRouter(Protocol):
    """The handlers of a server's requests. `application` is called once per request; its first call may take long.

    `body_limit` is for a client that is not known yet (0: no limit).
    """

    def refuse(self, request: Request) -> Response | None: ...

    def websocket(self, request: Request, websocket: WebSocket) -> Upgraded: ...

    def direct(self, request: Request) -> Direct | LateBodyHandler | ExchangeHandler | None: ...

    def body_limit(self, request: Request) -> int: ...

    async def widen_body(self, request: Request) -> int:
        """The limit for a body that is longer than `body_limit`, asked before the body is read; or a Refusal."""
        return self.body_limit(request)

    def headers(self, request: Request) -> Headers:
        """What every answer to the request carries, unless the answer has a header of that name (CORS)."""
        return ()

    async def application(self) -> Application: ...


def directly(peer: str, headers: Headers) -> tuple[str, str | None]:
    """The client and scheme without trusted proxies: the peer, and the scheme of the stream."""
    return peer, None


class HttpServer:
    """What all connections share. `crashed` is called with every exception that a handler raises."""

    __slots__ = (
        "answered",
        "counts",
        "crashed",
        "idle",
        "locate",
        "nursery",
        "router",
        "rules",
        "sockets",
        "stopping",
    )

    def __init__(
        self,
        router: HttpRouter,
        nursery: trio.Nursery,
        rules: HttpRules,
        sockets: SocketRules,
        *,
        crashed: Callable[[BaseException], None],
        locate: Locate = directly,
        answered: Callable[[int], None] = lambda status: None,
        counts: ConnectionCounts | None = None,
    ) -> None:
        self.router = router
        self.nursery = nursery
        self.rules = rules
        self.sockets = sockets
        self.crashed = crashed
        self.locate = locate
        self.answered = answered
        self.counts = ConnectionCounts() if counts is None else counts
        self.idle: set[Stream] = set()  # connections of which no whole request is known
        self.stopping = False

    def stop(self) -> None:
        """End idle connections. From now on no connection is kept alive."""
        self.stopping = True
        for stream in self.idle:
            stream.abort()

    async def serve(self, stream: Stream, busy: Response | None = None) -> Upgraded | None:
        """Serve requests until the connection ends or becomes a WebSocket. Then it returns the WebSocket's coroutine.

        The coroutine is returned, not awaited here, so that the frames and objects of HTTP are freed meanwhile.
        `busy` is the answer to the only request of a connection above the limits.
        """
        connection = HttpConnection(stream, self.rules, self.answered)
        try:
            while not self.stopping and (request := await self._next_request(connection)) is not None:
                answer = busy or self._refuse(stream, request)
                if answer is not None:
                    await self._delay(stream, answer.delay_seconds)
                    await connection.respond(answer)
                elif wants_websocket(request):
                    upgraded = await self._upgrade(connection, request)
                    if upgraded is not None:
                        return upgraded
                else:
                    await self._answer(connection, request)
                self.counts.end_request(stream)
                if busy or not await connection.next_cycle():
                    break
                if connection.has_input:  # many requests may arrive in one piece: others have their turn between them
                    await trio.lowlevel.checkpoint()
            await connection.linger()
        except Reject as rejected:
            await connection.reject(rejected)
        except OSError:
            stream.abort()
        except Exception as error:
            self.crashed(error)
            await connection.reject(reject(INTERNAL))
        return None

    async def _next_request(self, connection: HttpConnection) -> Request | None:
        """The next request; None at the end. A request that arrives after `stop` is dropped: its connection has
        ended, so no answer could be sent.
        """
        stream = connection.stream
        self.idle.add(stream)
        try:
            request = await connection.read_head() if await connection.wait_request() else None
        finally:
            self.idle.discard(stream)
        if self.stopping:
            return None
        if request is not None:
            request.client, scheme = self.locate(stream.peer, request.headers)
            request.scheme = scheme or ("https" if stream.secure else "http")
            connection.body_limit = self.router.body_limit(request)
            connection.extra_headers = self.router.headers(request)
        return request

    def _refuse(self, stream: Stream, request: Request) -> Response | None:
        if not self.counts.begin_request(stream, request.client):
            return TOO_MANY_CONNECTIONS
        if request.method == "CONNECT":
            return refusal(BAD_REQUEST, "This is no proxy", close=True)
        if not HOST.fullmatch(request.get(b"host") or ""):
            return refusal(BAD_REQUEST, "The Host header names no host", close=True)
        return self.router.refuse(request)

    async def _delay(self, stream: Stream, seconds: float) -> None:
        """Wait before an answer. The connection counts as idle meanwhile: `stop` ends it."""
        if seconds:
            self.idle.add(stream)
            try:
                await trio.sleep(seconds)
            finally:
                self.idle.discard(stream)

    async def _answer(self, connection: HttpConnection, request: Request) -> None:
        router = self.router
        direct = router.direct(request)
        if isinstance(direct, ExchangeHandler):
            await self._answer_late(connection, direct, request)
            return
        if connection.declares_more:
            try:
                connection.body_limit = await router.widen_body(request)
            except Refusal as no:
                await connection.respond(refusal(no.code, no.message, headers=challenge(no.code), close=True))
                return
        if direct is None:
            await run_application(await router.application(), connection, request, self.crashed)
            return
        if isinstance(direct, LateBodyHandler):
            await self._answer_late(connection, direct, request)
            return
        try:
            body = await connection.read_body()
        except BaseException:
            if isinstance(direct, BodyHandler):
                direct.on_spoilt()
            raise
        answer: Response | None
        try:
            if isinstance(direct, LongPollHandler):
                answer = await self._hold(connection, direct, request, body)
            else:
                answer = await direct(request, body)
        except Exception as error:
            self.crashed(error)
            answer = refusal(INTERNAL)
        if answer is None:
            raise Reject(None)
        await connection.respond(answer)

    async def _answer_late(
        self, connection: HttpConnection, handler: LateBodyHandler | ExchangeHandler, request: Request
    ) -> None:
        answer: Response | None = None
        try:
            try:
                if isinstance(handler, LateBodyHandler):
                    answer = await handler(request, connection.read_body)
                else:
                    answer = await handler(request, connection)
            except (Reject, OSError):
                raise
            except Exception as error:
                self.crashed(error)
                if connection.begun:
                    raise Reject(None) from error
                answer = refusal(INTERNAL)
            if answer is not None:
                if connection.begun:
                    raise Reject(None)
                await connection.respond(answer)
        finally:
            if answer is not None and answer.on_sent is not None:
                answer.on_sent()

    @staticmethod
    async def _hold(
        connection: HttpConnection, handler: LongPollHandler, request: Request, body: bytes
    ) -> Response | None:
        """Call a handler that may take long. None when the client left before the answer."""
        answer: Response | None = None
        async with trio.open_nursery() as nursery:

            async def leave() -> None:
                await connection.watch()
                nursery.cancel_scope.cancel()

            nursery.start_soon(leave)
            answer = await handler(request, body)
            nursery.cancel_scope.cancel()
        return answer

    async def _upgrade(self, connection: HttpConnection, request: Request) -> Upgraded | None:
        """Answer the handshake. Returns the WebSocket's coroutine, or None when the handshake was refused."""
        try:
            head, subprotocol = accept(request, self.sockets.subprotocols)
        except BadHandshake as bad:
            headers: tuple[tuple[bytes, bytes], ...] = ()
            if bad.status == 426:
                headers = ((b"upgrade", b"websocket"), (b"sec-websocket-version", b"13"))
            await connection.respond(refusal(BAD_REQUEST, bad.text, status=bad.status, headers=headers, close=True))
            return None
        followed = await connection.switch()
        await connection.send(head)
        websocket = WebSocket(connection.stream, self.nursery, self.sockets, subprotocol)
        return run_websocket(self.router, request, websocket, followed)


async def run_websocket(router: HttpRouter, request: Request, websocket: WebSocket, followed: bytes) -> None:
    """Run a WebSocket until its handler ends, and close it."""
    websocket.prepend(followed)
    handler = router.websocket(request, websocket)
    del request, router  # an idle connection keeps its request only as long as its handler does
    try:
        await handler
    except Gone:
        pass
    except Exception:
        websocket.close(1011, "internal error")
        await websocket.settle()
        raise
    websocket.close()
    await websocket.settle()
