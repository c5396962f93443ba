"""The site: what is at which path of the one port, and who may come in from where.

    an upgrade at a namespace's path, or /ws     a JSON-RPC connection
    /socket.io/                                  Socket.IO: polling, upgrades, and the stock client's files
    /healthz, /readyz                            answered here, without the REST application
    all else                                     the REST application, made at the first request that needs it

One rule for origins holds for all of them (chatd/net/origins.py): a page of a foreign origin is refused before anything
else, and gets no permission to read an answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import cache, partial
from importlib.resources import files
from typing import Any

import trio

from chatd.engine import Engine
from chatd.entrance import dialects_of, query_of, serve_jsonrpc
from chatd.house import House
from chatd.metrics import CONNECTIONS_REFUSED, render
from chatd.net import origins
from chatd.net.asgi import Application
from chatd.net.handshake import wants_websocket
from chatd.net.http import Direct
from chatd.net.request import Request, Response, refusal
from chatd.net.socket import WebSocket
from chatd.reception import open_engine
from protocol.errors import FORBIDDEN, NO_METHOD, NOT_FOUND, UNAVAILABLE, Refusal

SOCKETIO_PATH = "/socket.io/"
SCRIPTS = {  # path → file in chatd/web
    "/client.js": "client.js",
    "/socket.io/socket.io.min.js": "vendor/socket.io.min.js",
    "/socket.io/socket.io.esm.min.js": "vendor/socket.io.esm.min.js",
}
SCRIPT = (
    (b"content-type", b"text/javascript; charset=utf-8"),
    (b"cache-control", b"public, max-age=86400"),
    (b"cross-origin-resource-policy", b"cross-origin"),
)
TEXT = ((b"content-type", b"text/plain; charset=utf-8"),)


class Site:
    """See above; chatd/net/http.py asks it, in this order, what to do with a request."""

    def __init__(self, house: House, make_app: Callable[[], Awaitable[Application]]) -> None:
        self.house = house
        self._make_app = make_app
        self._direct: dict[str, Direct] = {"/healthz": self._healthz, "/readyz": self._readyz}
        if house.config.metrics.enabled and not house.config.metrics.port:
            self._direct["/metrics"] = tell_metrics
        self._direct |= {path: partial(_script, file) for path, file in SCRIPTS.items()}
        self._engine: Engine | None = None
        self.adopt()

    def adopt(self) -> None:
        """Take up what the configuration says of origins now."""
        self._allowed = origins.listed(self.house.config.server.allowed_origins)

    async def run(self) -> None:
        """Keep Socket.IO's sessions, for as long as the server runs."""
        async with trio.open_nursery() as nursery:
            self._engine = open_engine(self.house, nursery, self.headers)
            await self._engine.sweep()

    def refuse(self, request: Request) -> Response | None:
        """What is ended before anything else happens."""
        origin = request.get(b"origin")
        mine = self._own(request)
        if origins.is_preflight(request.method, origin, request.get(b"access-control-request-method")):
            return Response(204, headers=_bytes(origins.preflight(origin or "", mine, self._allowed)))
        if not origins.allowed(origin, mine, self._allowed):
            CONNECTIONS_REFUSED.child("origin").add()
            return refusal(FORBIDDEN, "Pages of this origin may not use this server", headers=_bytes(origins.VARY))
        if wants_websocket(request) and (answer := self._refuse_upgrade(request)) is not None:
            return answer
        engine = self._engine_for(request)
        return None if engine is None else engine.refuse(request)

    def _engine_for(self, request: Request) -> Engine | None:
        return self._engine if request.path == SOCKETIO_PATH else None

    def _refuse_upgrade(self, request: Request) -> Response | None:
        house = self.house
        if house.stopping:
            return refusal(UNAVAILABLE, "The server is stopping", close=True)
        try:
            if request.path != SOCKETIO_PATH:
                dialects_of(house, request.path, query_of(request))
        except Refusal as no:
            return refusal(no.code, no.message)
        return None

    def websocket(self, request: Request, websocket: WebSocket) -> Coroutine[Any, Any, None]:
        """The connection's whole life; no frame of this room stays in memory meanwhile."""
        engine = self._engine_for(request)
        return serve_jsonrpc(self.house, request, websocket) if engine is None else engine.websocket(request, websocket)

    def direct(self, request: Request) -> Direct | None:
        engine = self._engine_for(request)
        return self._direct.get(request.path) if engine is None else engine.direct(request)

    def body_limit(self, request: Request) -> int:
        engine = self._engine_for(request)
        return self.house.config.limits.body_bytes if engine is None else engine.body_limit(request)

    async def app(self) -> Application:
        return await self._make_app()

    def headers(self, request: Request) -> tuple[tuple[bytes, bytes], ...]:
        """What a browser must be told with every answer."""
        return _bytes(origins.cors(request.get(b"origin"), self._own(request), self._allowed))

    def _own(self, request: Request) -> str | None:
        return origins.own(request.scheme, request.get(b"host"))

    async def _healthz(self, request: Request, body: bytes) -> Response:
        """The process answers."""
        return Response(200, b"ok\n", TEXT)

    async def _readyz(self, request: Request, body: bytes) -> Response:
        """It takes connections, and could write when that was tried last. Nothing is written for this answer."""
        if self.house.stopping:
            return refusal(UNAVAILABLE, "The server is stopping")
        if (problem := self.house.database.problem) is not None:
            return refusal(UNAVAILABLE, f"The database can't be written to: {problem}")
        return Response(200, b"ready\n", TEXT)


async def _script(file: str, request: Request, body: bytes) -> Response:
    """A client for browsers."""
    if request.method not in ("GET", "HEAD"):
        return refusal(NO_METHOD)
    return Response(200, _read(file), SCRIPT)


@cache
def _read(file: str) -> bytes:
    return files("chatd").joinpath("web", file).read_bytes()


def _bytes(headers: origins.Headers) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower().encode(), value.encode()) for name, value in headers)


async def tell_metrics(request: Request, body: bytes) -> Response:
    """Every figure, as Prometheus reads it."""
    return Response(200, render().encode(), ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),))


class MetricsSite:
    """What is on the metrics' own port: nothing else."""

    def refuse(self, request: Request) -> Response | None:
        if request.path == "/metrics" and not wants_websocket(request):
            return None
        return refusal(NOT_FOUND, "There is nothing but /metrics here")

    def websocket(self, request: Request, websocket: WebSocket) -> Coroutine[Any, Any, None]:
        raise NotImplementedError  # refused before

    def direct(self, request: Request) -> Direct | None:
        return tell_metrics

    def body_limit(self, request: Request) -> int:
        return 0

    async def app(self) -> Application:
        raise NotImplementedError  # everything is direct
