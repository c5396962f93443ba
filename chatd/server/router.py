"""The site: what is at which path of the one port, and who may come in from where.

    an upgrade at a namespace's path, or /ws     a JSON-RPC connection
    /socket.io/                                  Socket.IO: polling, upgrades, and the stock client's files
    /healthz, /readyz, /metrics                  answered here, without the REST application
    /handshake                                   whether an upgrade would be refused, and why: a browser can't see that
    all else                                     the REST application, made at the first request that needs it

Whoever shows a token that was admitted before, or has a session of Socket.IO, is let through at once. Every other
request is charged to its client's address before anything else is looked at; a token that turns out to be valid gives
back what it has paid. An address that has nothing left is answered 429 from a prepared answer, a second later: so a
client that asks again and again on its connections is slowed down, at no cost here.

One rule for origins holds for all of them (chatd/net/origins.py): a page of a foreign origin is refused before anything
else, and gets no permission to read an answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import cache, partial
from importlib.resources import files
from typing import Any

import msgspec
import trio

from chatd.auth.verifier import bearer
from chatd.connections.jsonrpc import dialects_of, query_of, serve_jsonrpc, token_of
from chatd.connections.socketio import open_engine, session_rules
from chatd.core.app import App
from chatd.engineio.engine import Engine
from chatd.net import origins
from chatd.net.asgi import Application
from chatd.net.handshake import wants_websocket
from chatd.net.http import Direct
from chatd.net.proxies import address_block
from chatd.net.request import Request, Response, refusal
from chatd.net.socket import WebSocket
from chatd.rate_limit import Bucket, Rate
from chatd.server.limits import origin_policy
from chatd.services.service_tokens import METRICS_SCOPE
from chatd.telemetry.log import log
from chatd.telemetry.metrics import CONNECTIONS_REFUSED, REQUESTS_LIMITED, render
from protocol.dialects import dialect, names
from protocol.errors import AUTH_INVALID, FORBIDDEN, NO_METHOD, NOT_FOUND, RATE_LIMITED, UNAVAILABLE, Refusal

HANDSHAKE_PATH = "/handshake"
SOCKETIO_PATH = "/socket.io/"
ACCOUNTS_PATH = "/auth/"
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
REFUSED_WARNINGS = Rate(1 / 60, 10)
REFUSED_REMEMBERED = 1_000
READABLE_JSON = ((b"content-type", b"application/json"), (b"access-control-allow-origin", b"*"))
TOO_MANY = refusal(
    RATE_LIMITED,
    "Too many requests without a valid token from your address",
    headers=((b"retry-after", b"1"),),
    delay_seconds=1.0,
)
CHALLENGE = ((b"www-authenticate", b"Bearer"),)
TEXT = ((b"content-type", b"text/plain; charset=utf-8"),)


class RefusedOrigins:
    """One warning for each origin that is refused, and no more of them than a log can bear."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Warn anew: the settings have changed."""
        self._known: set[str] = set()
        self._warnings = Bucket(REFUSED_WARNINGS)

    def warn(self, origin: str, why: str) -> None:
        if origin in self._known or len(self._known) >= REFUSED_REMEMBERED:
            return
        if self._warnings.take(trio.current_time()):
            self._known.add(origin)
            log.warning("an origin was refused", origin=origin, why=why)


class Router:
    """See above; chatd/net/http.py asks it, in this order, what to do with a request."""

    def __init__(self, app: App, make_app: Callable[[], Awaitable[Application]]) -> None:
        self.app = app
        self._make_app = make_app
        self._direct: dict[str, Direct] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            HANDSHAKE_PATH: self._explain_handshake,
        }
        if app.config.metrics.enabled and not app.config.metrics.port:
            self._direct["/metrics"] = self._metrics
        self._direct |= {path: partial(_script, file) for path, file in SCRIPTS.items()}
        self._engine: Engine | None = None
        self._refused = RefusedOrigins()
        self.adopt()

    def adopt(self) -> None:
        """Take up what the configuration says of origins now."""
        self._policy = origin_policy(self.app.config)
        self._refused.forget()
        if self._engine is not None:
            self._engine.adopt(session_rules(self.app.config), self.app.config.limits.connections_per_address)

    async def run(self) -> None:
        """Keep Socket.IO's sessions, for as long as the server runs."""
        async with trio.open_nursery() as nursery:
            self._engine = open_engine(self.app, nursery, self.headers)
            await self._engine.sweep()

    def refuse(self, request: Request) -> Response | None:
        """What is ended before anything else happens."""
        if not self._charge(request):
            return TOO_MANY
        origin, host = request.get(b"origin"), request.get(b"host")
        mine = self._own(request)
        if request.path == HANDSHAKE_PATH:
            return None  # every page may read that answer, which says no more than whether it may use the others
        if origin is not None and not origins.allowed(origin, mine, self._policy.others):
            return self._refuse_origin(request, origin, host)
        if origins.is_preflight(request.method, origin, request.get(b"access-control-request-method")):
            return Response(204, headers=_bytes(origins.preflight(origin or "", mine, self._policy.others)))
        if self.app.config.auth.insecure_userid and not self._policy.knows(host):
            return refusal(FORBIDDEN, f"{origins.host_name(host)} is no name of this server: add it to server.hosts")
        if wants_websocket(request) and (answer := self._refuse_upgrade(request)) is not None:
            return answer
        engine = self._engine_for(request)
        return None if engine is None else engine.refuse(request)

    def _refuse_origin(self, request: Request, origin: str, host: str | None) -> Response:
        """A page that may not use this server: no, or a preflight's answer without permission, which browsers heed."""
        why = self._policy.advice(origin, host)
        self._refused.warn(origin, why)
        CONNECTIONS_REFUSED.child("origin").add()
        if origins.is_preflight(request.method, origin, request.get(b"access-control-request-method")):
            return Response(204, headers=_bytes(origins.VARY))
        return refusal(FORBIDDEN, why, headers=_bytes(origins.VARY))

    def _charge(self, request: Request) -> bool:
        """Whether the request may go on: because it is known, or because its address could pay."""
        app, engine = self.app, self._engine_for(request)
        if engine is not None and engine.has_session(request):
            return True
        token = self._shown(request)
        if token is not None and app.authenticator.knows_token(token):
            return True
        place = address_block(request.client)
        if not app.anonymous.take(place, trio.current_time()):
            REQUESTS_LIMITED.add()
            return False
        request.charged = place
        return True

    def _shown(self, request: Request) -> str | None:
        if wants_websocket(request):
            return token_of(request, query_of(request), [dialect(name) for name in names()])
        header = request.get(b"authorization")
        return None if header is None else bearer(header)

    def _engine_for(self, request: Request) -> Engine | None:
        return self._engine if request.path == SOCKETIO_PATH else None

    def _refuse_upgrade(self, request: Request) -> Response | None:
        app = self.app
        if app.stopping:
            return refusal(UNAVAILABLE, "The server is stopping", close=True)
        try:
            if request.path != SOCKETIO_PATH:
                dialects_of(app, request.path, query_of(request))
        except Refusal as no:
            return refusal(no.code, no.message)
        return None

    def websocket(self, request: Request, websocket: WebSocket) -> Coroutine[Any, Any, None]:
        """The connection's whole life; no frame of this room stays in memory meanwhile."""
        engine = self._engine_for(request)
        return serve_jsonrpc(self.app, request, websocket) if engine is None else engine.websocket(request, websocket)

    def direct(self, request: Request) -> Direct | None:
        engine = self._engine_for(request)
        return self._direct.get(request.path) if engine is None else engine.direct(request)

    def body_limit(self, request: Request) -> int:
        engine, limits = self._engine_for(request), self.app.config.limits
        if engine is not None:
            return engine.body_limit(request)
        return min(filter(None, (limits.first_body_bytes, limits.body_bytes)), default=0)

    async def widen_body(self, request: Request) -> int:
        """The limit for a longer body: that of a client whose token is valid. A Refusal where the token is not."""
        config, shown = self.app.config, request.get(b"authorization")
        if request.path == SOCKETIO_PATH or request.path in self._direct or request.path.startswith(ACCOUNTS_PATH):
            return self.body_limit(request)
        if shown is not None or not config.auth.insecure_userid:
            await self.app.authenticator.authenticate(bearer(shown or ""), services=True)
        return config.limits.body_bytes

    async def application(self) -> Application:
        return await self._make_app()

    def headers(self, request: Request) -> tuple[tuple[bytes, bytes], ...]:
        """What a browser must be told with every answer."""
        return _bytes(origins.cors(request.get(b"origin"), self._own(request), self._policy.others))

    def _own(self, request: Request) -> str | None:
        return self._policy.own(request.scheme, request.get(b"host")) if request.get(b"origin") is not None else None

    async def _explain_handshake(self, request: Request, body: bytes) -> Response:
        """What a WebSocket handshake of this page would come to; the query names its `namespace` and `dialect`."""
        origin, query = request.get(b"origin"), query_of(request)
        try:
            if not origins.allowed(origin, self._own(request), self._policy.others):
                raise Refusal(FORBIDDEN, self._policy.advice(origin or "", request.get(b"host")))
            dialects_of(self.app, query.get("namespace", "/chat"), query)
        except Refusal as no:
            found = {"allowed": False, "close": no.code.close, "message": no.message}
        else:
            found = {"allowed": True}
        return Response(200, msgspec.json.encode(found), READABLE_JSON)

    async def _healthz(self, request: Request, body: bytes) -> Response:
        """The process answers."""
        return Response(200, b"ok\n", TEXT)

    async def _readyz(self, request: Request, body: bytes) -> Response:
        """It takes connections, and could write when that was tried last. Nothing is written for this answer."""
        if self.app.stopping:
            return refusal(UNAVAILABLE, "The server is stopping")
        if (problem := self.app.database.problem) is not None:
            return refusal(UNAVAILABLE, f"The database can't be written to: {problem}")
        return Response(200, b"ready\n", TEXT)

    async def _metrics(self, request: Request, body: bytes) -> Response:
        """The figures, for administrators and services with that scope: they say much about a server and its users."""
        try:
            actor = await self.app.authenticator.authenticate(
                bearer(request.get(b"authorization") or ""), services=True
            )
            if METRICS_SCOPE not in (actor.scopes or ()) and not (actor.admin and actor.scopes is None):
                raise Refusal(FORBIDDEN, "Only an administrator, or a service with the scope metrics, may do that")
        except Refusal as no:
            return refusal(no.code, no.message, headers=CHALLENGE if no.code is AUTH_INVALID else ())
        return await tell_metrics(request, body)


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


class MetricsRouter:
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
        return 1024

    async def application(self) -> Application:
        raise NotImplementedError  # everything is direct
