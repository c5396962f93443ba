"""HTTP/1.1 on one stream: requests in under deadlines and limits, each to its place, answers out.

A request goes, in this order, to whoever wants it:

    site.refuse(request)        a Response ends the matter (rate and connection limits, a foreign Origin)
    WebSocket upgrade           site.websocket(request, websocket), also on a kept-alive connection
    site.widen_body(request)    the limit of a body that is longer than site.body_limit(request)
    site.direct(request)        a handler that the site keeps for itself: async (request, body) -> Response
    the rest                    the ASGI application of site.app(), through chatd/net/asgi.py

h11 reads and frames; chatd/net/http_connection.py keeps its deadlines and limits. After a 101 nothing of HTTP stays in
memory.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeAlias

import trio

from chatd.net.asgi import Application, run_application
from chatd.net.handshake import BadHandshake, accept, wants_websocket
from chatd.net.http_connection import HttpConnection, HttpRules, Reject, reject
from chatd.net.places import Places
from chatd.net.request import Headers, Request, Response, challenge, refusal
from chatd.net.socket import Gone, SocketRules, WebSocket
from chatd.net.stream import Stream
from protocol.errors import BAD_REQUEST, INTERNAL, UNAVAILABLE, Refusal

# A name or an address, and a port. The REST application takes the Host apart before it guards itself: from another one
# it raises.
HOST = re.compile(r"(?:(?:[\w-]{1,63}\.)*[\w-]{0,63}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?", re.ASCII)

Direct: TypeAlias = Callable[[Request, bytes], Awaitable[Response]]
Upgraded: TypeAlias = Coroutine[Any, Any, None]
Locate: TypeAlias = Callable[[str, Headers], tuple[str, str | None]]


CROWDED = refusal(UNAVAILABLE, "Too many connections from your address", close=True)
"""The answer to a client that has as many connections as it may have."""


class LongPollHandler:
    """A direct handler that may wait long for its answer, and is cancelled when the client leaves meanwhile."""

    __slots__ = ("_handler",)

    def __init__(self, handler: Direct) -> None:
        self._handler = handler

    def __call__(self, request: Request, body: bytes) -> Awaitable[Response]:
        return self._handler(request, body)


class BodyHandler:
    """A direct handler that counts on the request's body, and hears of it when that can't be read to its end."""

    __slots__ = ("_handler", "on_spoilt")

    def __init__(self, handler: Direct, spoilt: Callable[[], None]) -> None:
        self._handler = handler
        self.on_spoilt = spoilt

    def __call__(self, request: Request, body: bytes) -> Awaitable[Response]:
        return self._handler(request, body)


class HttpRouter(Protocol):
    """What the floors above are to this one. `app` is asked once per request and may take its time the first time.

    `body_limit` is for a client that is not known yet (0: no limit).
    """

    def refuse(self, request: Request) -> Response | None: ...

    def websocket(self, request: Request, websocket: WebSocket) -> Upgraded: ...

    def direct(self, request: Request) -> Direct | None: ...

    def body_limit(self, request: Request) -> int: ...

    async def widen_body(self, request: Request) -> int:
        """The limit for a body that is longer than `body_limit`, asked before the body is read; or a Refusal."""
        return self.body_limit(request)

    def headers(self, request: Request) -> Headers:
        """What every answer to the request carries, unless the answer has a header of that name (CORS)."""
        return ()

    async def application(self) -> Application: ...


def directly(peer: str, headers: Headers) -> tuple[str, str | None]:
    """Without trusted proxies the client is the peer, and the scheme the stream's own."""
    return peer, None


class HttpServer:
    """What all connections share. `crashed` hears of every exception that a handler lets out."""

    __slots__ = (
        "answered",
        "crashed",
        "idle",
        "locate",
        "nursery",
        "places",
        "rules",
        "site",
        "sockets",
        "stopping",
    )

    def __init__(
        self,
        site: HttpRouter,
        nursery: trio.Nursery,
        rules: HttpRules,
        sockets: SocketRules,
        *,
        crashed: Callable[[BaseException], None],
        locate: Locate = directly,
        answered: Callable[[int], None] = lambda status: None,
        places: Places | None = None,
    ) -> None:
        self.site = site
        self.nursery = nursery
        self.rules = rules
        self.sockets = sockets
        self.crashed = crashed
        self.locate = locate
        self.answered = answered
        self.places = Places() if places is None else places
        self.idle: set[Stream] = set()  # connections of which no whole request is known
        self.stopping = False

    def stop(self) -> None:
        """No connection is kept alive from now on, and the idle ones end."""
        self.stopping = True
        for stream in self.idle:
            stream.abort()

    async def serve(self, stream: Stream, busy: Response | None = None) -> Upgraded | None:
        """Serve requests until the connection ends, or until it becomes a WebSocket: then what remains to be awaited.

        The remainder is handed out, not awaited here, so that the frames and objects of HTTP are gone meanwhile.
        `busy` is the answer to the one request of a connection that is one too many.
        """
        channel = HttpConnection(stream, self.rules, self.answered)
        try:
            while not self.stopping and (request := await self._next_request(channel)) is not None:
                answer = busy or self._refuse(stream, request)
                if answer is not None:
                    await self._delay(stream, answer.delay_seconds)
                    await channel.respond(answer)
                elif wants_websocket(request):
                    upgraded = await self._upgrade(channel, request)
                    if upgraded is not None:
                        return upgraded
                else:
                    await self._answer(channel, request)
                self.places.take_back(stream)
                if busy or not await channel.next_cycle():
                    break
            await channel.linger()
        except Reject as rejected:
            await channel.reject(rejected)
        except OSError:
            stream.abort()
        except Exception as error:
            self.crashed(error)
            await channel.reject(reject(INTERNAL))
        return None

    async def _next_request(self, channel: HttpConnection) -> Request | None:
        """The next request; None at the end. A request that arrives after `stop` is not performed: its connection
        has ended, so that it could not be answered.
        """
        stream = channel.stream
        self.idle.add(stream)
        try:
            request = await channel.read_head() if await channel.wait_request() else None
        finally:
            self.idle.discard(stream)
        if self.stopping:
            return None
        if request is not None:
            request.client, scheme = self.locate(stream.peer, request.headers)
            request.scheme = scheme or ("https" if stream.secure else "http")
            channel.body_limit = self.site.body_limit(request)
            channel.extra_headers = self.site.headers(request)
        return request

    def _refuse(self, stream: Stream, request: Request) -> Response | None:
        if not self.places.lend(stream, request.client):
            return CROWDED
        if request.method == "CONNECT":
            return refusal(BAD_REQUEST, "This is no proxy", close=True)
        if not HOST.fullmatch(request.get(b"host") or ""):
            return refusal(BAD_REQUEST, "The Host header names no host", close=True)
        return self.site.refuse(request)

    async def _delay(self, stream: Stream, seconds: float) -> None:
        """Wait before an answer. A connection that waits here is idle: `stop` ends it."""
        if seconds:
            self.idle.add(stream)
            try:
                await trio.sleep(seconds)
            finally:
                self.idle.discard(stream)

    async def _answer(self, channel: HttpConnection, request: Request) -> None:
        site = self.site
        if channel.declares_more:
            try:
                channel.body_limit = await site.widen_body(request)
            except Refusal as no:
                await channel.respond(refusal(no.code, no.message, headers=challenge(no.code), close=True))
                return
        direct = site.direct(request)
        if direct is None:
            await run_application(await site.application(), channel, request, self.crashed)
            return
        try:
            body = await channel.read_body()
        except BaseException:
            if isinstance(direct, BodyHandler):
                direct.on_spoilt()
            raise
        answer: Response | None
        try:
            if isinstance(direct, LongPollHandler):
                answer = await self._hold(channel, direct, request, body)
            else:
                answer = await direct(request, body)
        except Exception as error:
            self.crashed(error)
            answer = refusal(INTERNAL)
        if answer is None:
            raise Reject(None)
        await channel.respond(answer)

    @staticmethod
    async def _hold(
        channel: HttpConnection, handler: LongPollHandler, request: Request, body: bytes
    ) -> Response | None:
        """The answer that may take long, or None because the client left before it came."""
        answer: Response | None = None
        async with trio.open_nursery() as nursery:

            async def leave() -> None:
                await channel.watch()
                nursery.cancel_scope.cancel()

            nursery.start_soon(leave)
            answer = await handler(request, body)
            nursery.cancel_scope.cancel()
        return answer

    async def _upgrade(self, channel: HttpConnection, request: Request) -> Upgraded | None:
        """Answer the handshake; give what the connection is from now on, or None when the answer was no."""
        try:
            head, subprotocol = accept(request, self.sockets.subprotocols)
        except BadHandshake as bad:
            headers: tuple[tuple[bytes, bytes], ...] = ()
            if bad.status == 426:
                headers = ((b"upgrade", b"websocket"), (b"sec-websocket-version", b"13"))
            await channel.respond(refusal(BAD_REQUEST, bad.text, status=bad.status, headers=headers, close=True))
            return None
        followed = await channel.switch()
        await channel.send(head)
        websocket = WebSocket(channel.stream, self.nursery, self.sockets, subprotocol)
        return run_websocket(self.site, request, websocket, followed)


async def run_websocket(site: HttpRouter, request: Request, websocket: WebSocket, followed: bytes) -> None:
    """A WebSocket's whole life, and a close for whatever end its handler comes to."""
    websocket.follow(followed)
    handler = site.websocket(request, websocket)
    del request, site  # an idle connection keeps its request only as long as its handler does
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
