"""The router: what is at which path of the one port, and which requests are refused.

    an upgrade at a namespace's path, or /ws     a JSON-RPC connection
    /socket.io/                                  Socket.IO: polling, upgrades, and the stock client's files
    /healthz, /readyz, /metrics                  answered here, without the REST application
    /, /web/                                     the page, and the files that it loads: chatd/server/site.py
    /handshake                                   whether an upgrade would be refused, and why: a browser can't see that
    the routes of the dialects, and of accounts  chatd/rest/route_handlers.py
    all else                                     the REST application

A request with a token that was accepted before, or with a session of Socket.IO, passes at once. Every other request
takes from the bucket of its client's address before anything else is checked. A valid token gives that back. An address
with an empty bucket gets a prepared answer, 429, after a second. So a client that asks again and again is slowed down,
at no cost for the server.

One rule for origins holds for all paths (chatd/net/origins.py). A page of a foreign origin is refused before anything
else, and may read no answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import cache, partial
from importlib.resources import files
from typing import Any

import msgspec
import trio

from chatd.auth.verifier import bearer
from chatd.config.settings import Config
from chatd.connections.jsonrpc import dialects_of, query_of, serve_jsonrpc, token_of
from chatd.connections.socketio import open_engine, session_rules
from chatd.core.app import App
from chatd.engineio.engine import Engine
from chatd.net import origins
from chatd.net.asgi import Application
from chatd.net.handshake import wants_websocket
from chatd.net.http import Direct, ExchangeHandler, HttpRouter, LateBodyHandler
from chatd.net.proxies import address_block
from chatd.net.request import Request, Response, refusal
from chatd.net.socket import WebSocket
from chatd.rate_limit import Bucket, Rate
from chatd.rest.route_handlers import Routes
from chatd.server.limits import origin_policy
from chatd.server.site import PATHS as SITE_PATHS
from chatd.server.site import PREFIX as SITE_PREFIX
from chatd.server.site import Site
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
    "/upload.js": "upload.js",
    "/socket.io/socket.io.min.js": "vendor/socket.io.min.js",
    "/socket.io/socket.io.esm.min.js": "vendor/socket.io.esm.min.js",
}
SCRIPT = (
    (b"content-type", b"text/javascript; charset=utf-8"),
    (b"cache-control", b"public, max-age=86400"),
    (b"cross-origin-resource-policy", b"cross-origin"),
)
ORIGIN_WARNINGS = Rate(1 / 60, 10)
MAX_WARNED_ORIGINS = 1_000
READABLE_JSON = ((b"content-type", b"application/json"), (b"access-control-allow-origin", b"*"))
TOO_MANY_REQUESTS = refusal(
    RATE_LIMITED,
    "Too many requests without a valid token from your address",
    headers=((b"retry-after", b"1"),),
    delay_seconds=1.0,
)
CHALLENGE = ((b"www-authenticate", b"Bearer"),)
TEXT = ((b"content-type", b"text/plain; charset=utf-8"),)


class RefusedOrigins:
    """Logs one warning for each refused origin, and a limited number of warnings in all."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Warn about every origin again: the settings have changed."""
        self._known: set[str] = set()
        self._warnings = Bucket(ORIGIN_WARNINGS)

    def warn(self, origin: str, why: str) -> None:
        if origin in self._known or len(self._known) >= MAX_WARNED_ORIGINS:
            return
        if self._warnings.take(trio.current_time()):
            self._known.add(origin)
            log.warning("an origin was refused", origin=origin, why=why)


class Router(HttpRouter):
    """Decides what happens to each request. chatd/net/http.py calls these methods in this order."""

    def __init__(self, app: App, routes: Routes, get_app: Callable[[], Awaitable[Application]]) -> None:
        self.app = app
        self._routes = routes
        self._get_app = get_app
        self._direct: dict[str, Direct] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            HANDSHAKE_PATH: self._explain_handshake,
        }
        if app.config.metrics.enabled and not app.config.metrics.port:
            self._direct["/metrics"] = self._metrics
        self._direct |= {path: partial(_script, file) for path, file in SCRIPTS.items()}
        self._site = Site()
        self._direct |= dict.fromkeys(SITE_PATHS, self._site.answer)
        self._engine: Engine | None = None
        self._refused = RefusedOrigins()
        self.adopt(app.config)

    def adopt(self, config: Config) -> None:
        """Use other origins from now on, and other rules for new sessions of Socket.IO."""
        self._policy = origin_policy(config)
        self._refused.forget()
        if self._engine is not None:
            self._engine.adopt(session_rules(config), config.limits.connections_per_address)

    async def run(self) -> None:
        """Run the sessions of Socket.IO, as long as the server runs."""
        async with trio.open_nursery() as nursery:
            self._engine = open_engine(self.app, nursery, self.headers)
            await self._engine.sweep()

    def refuse(self, request: Request) -> Response | None:
        """The answer to a request that goes no further; None for all others."""
        if not self._charge(request):
            return TOO_MANY_REQUESTS
        origin, host = request.get(b"origin"), request.get(b"host")
        mine = self._own(request)
        if request.path == HANDSHAKE_PATH:
            return None  # every page may read this answer: it contains only whether the page may use the other paths
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
        """The answer to a page that may not use this server. A preflight's answer gives no permission."""
        why = self._policy.advice(origin, host)
        self._refused.warn(origin, why)
        CONNECTIONS_REFUSED.child("origin").add()
        if origins.is_preflight(request.method, origin, request.get(b"access-control-request-method")):
            return Response(204, headers=_bytes(origins.VARY))
        return refusal(FORBIDDEN, why, headers=_bytes(origins.VARY))

    def _charge(self, request: Request) -> bool:
        """Whether the request may be answered: its client is known, or the bucket of its address was not empty."""
        app, engine = self.app, self._engine_for(request)
        if _is_site_file(request):
            return app.page_files.take(address_block(request.client), trio.current_time())
        if engine is not None and engine.has_session(request):
            return True
        token = self._token_of(request)
        if token is not None and app.authenticator.knows_token(token):
            return True
        network = address_block(request.client)
        if not app.anonymous.take(network, trio.current_time()):
            REQUESTS_LIMITED.add()
            return False
        request.charged = network
        return True

    def _token_of(self, request: Request) -> str | None:
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
        """What serves the connection until it closes. No stack frame of the router stays in memory meanwhile."""
        engine = self._engine_for(request)
        return serve_jsonrpc(self.app, request, websocket) if engine is None else engine.websocket(request, websocket)

    def direct(self, request: Request) -> Direct | LateBodyHandler | ExchangeHandler | None:
        engine = self._engine_for(request)
        if engine is not None:
            return engine.direct(request)
        if request.path.startswith(SITE_PREFIX):
            return self._site.answer
        return self._direct.get(request.path) or self._routes.direct(request)

    def body_limit(self, request: Request) -> int:
        engine, limits = self._engine_for(request), self.app.config.limits
        if engine is not None:
            return engine.body_limit(request)
        return min(filter(None, (limits.first_body_bytes, limits.body_bytes)), default=0)

    async def widen_body(self, request: Request) -> int:
        """The limit for a longer body: that of a client whose token is valid. An invalid token raises a Refusal."""
        config, token_header = self.app.config, request.get(b"authorization")
        if request.path == SOCKETIO_PATH or request.path in self._direct or request.path.startswith(ACCOUNTS_PATH):
            return self.body_limit(request)
        if token_header is not None or not config.auth.insecure_userid:
            await self.app.authenticator.authenticate(bearer(token_header or ""), services=True)
        return config.limits.body_bytes

    async def application(self) -> Application:
        return await self._get_app()

    def headers(self, request: Request) -> tuple[tuple[bytes, bytes], ...]:
        """The CORS headers of every answer to the request."""
        return _bytes(origins.cors(request.get(b"origin"), self._own(request), self._policy.others))

    def _own(self, request: Request) -> str | None:
        return self._policy.own(request.scheme, request.get(b"host")) if request.get(b"origin") is not None else None

    async def _explain_handshake(self, request: Request, body: bytes) -> Response:
        """Whether a WebSocket handshake of this page would succeed; the query names its `namespace` and `dialect`."""
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
        """Whether the process answers."""
        return Response(200, b"ok\n", TEXT)

    async def _readyz(self, request: Request, body: bytes) -> Response:
        """Whether the server accepts connections, and whether its last write succeeded. This request writes nothing."""
        if self.app.stopping:
            return refusal(UNAVAILABLE, "The server is stopping")
        if (problem := self.app.database.problem) is not None:
            return refusal(UNAVAILABLE, f"The database can't be written to: {problem}")
        return Response(200, b"ready\n", TEXT)

    async def _metrics(self, request: Request, body: bytes) -> Response:
        """The metrics, for administrators and services with that scope. Metrics describe a server and its users in
        detail."""
        try:
            actor = await self.app.authenticator.authenticate(
                bearer(request.get(b"authorization") or ""), services=True
            )
            if METRICS_SCOPE not in (actor.scopes or ()) and not (actor.admin and actor.scopes is None):
                raise Refusal(FORBIDDEN, "Only an administrator, or a service with the scope metrics, may do that")
        except Refusal as no:
            return refusal(no.code, no.message, headers=CHALLENGE if no.code is AUTH_INVALID else ())
        return await answer_metrics(request, body)


def _is_site_file(request: Request) -> bool:
    """Whether a request loads a file of the page. An upgrade at / is a client of the namespace there."""
    return (request.path in SITE_PATHS or request.path.startswith(SITE_PREFIX)) and not wants_websocket(request)


def own_origin(app: App, request: Request) -> str | None:
    """The server's own origin, as the browser of a request sees it."""
    return origin_policy(app.config).own(request.scheme, request.get(b"host"))


async def _script(file: str, request: Request, body: bytes) -> Response:
    """A script for browsers."""
    if request.method not in ("GET", "HEAD"):
        return refusal(NO_METHOD)
    return Response(200, _read(file), SCRIPT)


@cache
def _read(file: str) -> bytes:
    return files("chatd").joinpath("web", file).read_bytes()


def _bytes(headers: origins.Headers) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower().encode(), value.encode()) for name, value in headers)


async def answer_metrics(request: Request, body: bytes) -> Response:
    """Every metric, in the text format of Prometheus."""
    return Response(200, render().encode(), ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),))


class MetricsRouter(HttpRouter):
    """The router of the metrics' own port, which has nothing but /metrics."""

    def refuse(self, request: Request) -> Response | None:
        if request.path == "/metrics" and not wants_websocket(request):
            return None
        return refusal(NOT_FOUND, "There is nothing but /metrics here")

    def websocket(self, request: Request, websocket: WebSocket) -> Coroutine[Any, Any, None]:
        raise NotImplementedError  # `refuse` refuses every upgrade

    def direct(self, request: Request) -> Direct | None:
        return answer_metrics

    def body_limit(self, request: Request) -> int:
        return 1024

    async def application(self) -> Application:
        raise NotImplementedError  # `direct` answers everything
