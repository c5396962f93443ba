"""The REST application: one loop mounts the Route rows of every dialect. Their commands go through dispatch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from chatd.auth.verifier import bearer
from chatd.core.app import App
from chatd.net.asgi import AFTERWARDS
from chatd.net.proxies import address_block
from chatd.rest import events
from chatd.rest.answers import JSON, answer, refuse, refuse_status
from chatd.rest.event_stream import EventStream
from chatd.rest.unsent import Unsent
from chatd.services.context import Actor, anonymous
from chatd.telemetry.log import log
from protocol.commands import Command, CreateConversation
from protocol.dialects import accounts as shared
from protocol.dialects import dialect as dialect_named
from protocol.dialects import names
from protocol.dialects.grammar import Dialect, ErrorTexts, Route
from protocol.dialects.routing import RouteCodec
from protocol.errors import AUTH_INVALID, INTERNAL, RATE_LIMITED, UNAVAILABLE, Refusal

Handler = Callable[..., Awaitable[Response]]


def make_app(app: App) -> QuartTrio:
    rest_app = QuartTrio("chatd", static_folder=None)
    rest_app.config["MAX_CONTENT_LENGTH"] = None  # chatd/net/http.py checks the limit
    rest_app.url_map.strict_slashes = False
    rest_app.url_map.merge_slashes = False  # otherwise a path with two slashes is redirected, in HTML
    unsent = Unsent()
    for dialect in map(dialect_named, names()):
        for route in dialect.routes:
            codec = RouteCodec(route, dialect.replies.error_texts)
            _mount(rest_app, route, _authenticated(app, unsent, codec, dialect))
    for route in shared.ROUTES:
        _mount(rest_app, route, _public(app, RouteCodec(route, ErrorTexts())))
    events_handler = _events(app, unsent)
    rest_app.add_url_rule("/events", "GET /events", events_handler, methods=["GET"], provide_automatic_options=False)
    rest_app.register_error_handler(HTTPException, _refuse_http)
    rest_app.register_error_handler(Exception, _refuse_fault)
    return rest_app


def _mount(rest_app: QuartTrio, route: Route, handler: Handler) -> None:
    path = route.path.replace("{", "<").replace("}", ">")
    rest_app.add_url_rule(
        path, f"{route.method} {path}", handler, methods=[route.method], provide_automatic_options=False
    )


def _authenticated(app: App, unsent: Unsent, codec: RouteCodec, dialect: Dialect) -> Handler:
    """The handler of a route that needs a user or a service."""

    async def handle(**path: str) -> Response:
        query = list(request.args.items(multi=True))
        try:
            if _may_claim_user(app, dialect):
                actor, command = await _claimed(app, codec, path, query)
            else:
                actor = await _actor(app, services=True)
                _limit(app, actor.id or actor.name)
                command = codec.decode(path, query, await _body())
            _check_running(app)
            user, limit = actor.id or actor.name, app.config.limits.unsent_per_user
            unsent.check(user, limit)
            answered = codec.answer(await app.dispatch.request(actor, command))
            if request.method == "GET":  # a change that is committed is answered in any case
                unsent.check(user, limit, len(answered.body))
        except Refusal as refusal:
            return refuse(dialect.reword(refusal))
        _hold(unsent, user, len(answered.body))
        return answer(answered, request.path, query)

    return handle


def _public(app: App, codec: RouteCodec) -> Handler:
    """The handler of a route that needs no access token: register, login, refresh, logout."""

    async def handle(**path: str) -> Response:
        address = request.remote_addr or ""
        try:
            _limit(app, address)
            command = codec.decode(path, list(request.args.items(multi=True)), await _body())
            _check_running(app)
            result = await app.dispatch.request(anonymous(address), command)
        except Refusal as refusal:
            return refuse(refusal)
        return answer(codec.answer(result), request.path, [])

    return handle


def _events(app: App, unsent: Unsent) -> Handler:
    """The handler of `GET /events`: chatd/rest/events.py makes the list, event_stream.py the stream."""

    async def handle() -> Response:
        try:
            actor = await _actor(app)
            _limit(app, actor.id)
            query = events.read_query(request.args.items(multi=True))
            if request.method == "GET" and "text/event-stream" in request.headers.get("Accept", ""):
                stream = await EventStream.open(app, actor, query, request.headers.get("Last-Event-ID"))
                response = Response(stream, 200, content_type="text/event-stream")
                response.timeout = None
                return response
            limit = app.config.limits.unsent_per_user
            unsent.check(actor.id, limit)
            found = await events.listing(app, actor, query)
            unsent.check(actor.id, limit, len(found))
            _hold(unsent, actor.id, len(found))
            return Response(found, 200, content_type=JSON)
        except Refusal as refusal:
            return refuse(refusal)

    return handle


def _hold(unsent: Unsent, user: object, size: int) -> None:
    """Count the answer to this request until it is sent."""
    scope: Any = request.scope
    scope[AFTERWARDS].append(unsent.hold(user, size))


async def _actor(app: App, *, services: bool = False) -> Actor:
    """The holder of the token in the Authorization header. With `services`, it may be a service."""
    authorization = request.headers.get("Authorization")
    if authorization is None:
        raise Refusal(AUTH_INVALID, "This needs a token in the Authorization header")
    token = bearer(authorization)
    charged = "" if app.authenticator.knows_token(token) else address_block(request.remote_addr or "")
    return await app.authenticate(token, charged, services=services)


def _may_claim_user(app: App, dialect: Dialect) -> bool:
    """Whether this request needs no token and may claim to be any user, as `--insecure-userid` allows."""
    return app.config.auth.insecure_userid and dialect.user_id_in_query and "Authorization" not in request.headers


async def _claimed(
    app: App, codec: RouteCodec, path: dict[str, str], query: list[tuple[str, str]]
) -> tuple[Actor, Command]:
    """The user that `?userId=` or else the payload claims, and the command.

    The members of a new conversation are looked up too: they are made when they don't exist yet.
    """
    command = codec.decode(path, [(key, value) for key, value in query if key != "userId"], await _body())
    claimed = dict(query).get("userId") or (command.claimed_user and command.claimed_user.number)
    if not claimed:
        raise Refusal(AUTH_INVALID, "This needs a token in the Authorization header, or ?userId=")
    if isinstance(command, CreateConversation):
        for key in command.members:
            await app.authenticator.user_by_id(key.number)
    actor = await app.authenticator.user_by_id(claimed)
    app.refund(address_block(request.remote_addr or ""))
    _limit(app, actor.id)
    return actor, command


def _limit(app: App, requester: object) -> None:
    """Count one request of a user id, a service's name or an address. Refuse it above the limit."""
    now = trio.current_time()
    if not app.rest.take(requester, now):
        wait = app.rest.retry_after(requester, now)
        raise Refusal(RATE_LIMITED, "You are asking too fast", retry_after=wait)


def _check_running(app: App) -> None:
    """Refuse every command when the server stops: the connection may be cut before the answer."""
    if app.stopping:
        raise Refusal(UNAVAILABLE, "The server is stopping", retry_after=1.0)


async def _refuse_http(error: HTTPException) -> Response:
    allow: Any = getattr(error, "valid_methods", None)
    return refuse_status(error.code or 500, ", ".join(sorted(allow)) if allow else "")


async def _refuse_fault(error: Exception) -> Response:
    if isinstance(error, Refusal):
        return refuse(error)
    log.fault("request failed", error, path=request.path)
    return refuse(Refusal(INTERNAL))


async def _body() -> bytes:
    data = await request.get_data()
    return data if isinstance(data, bytes) else data.encode()
