"""The REST application: one loop mounts every dialect's Route rows; each asks the same door as the sockets do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from chatd.auth.verifier import bearer
from chatd.core.accounts import Accounts
from chatd.core.app import App
from chatd.net.asgi import AFTERWARDS
from chatd.net.proxies import address_block
from chatd.rest import events
from chatd.rest.answers import JSON, answer, refuse, refuse_status
from chatd.rest.event_stream import EventStream
from chatd.rest.unsent import Unsent
from chatd.services.context import Actor
from chatd.telemetry.log import log
from protocol.commands import Command, CreateConversation
from protocol.dialects import accounts as shared
from protocol.dialects import dialect, names
from protocol.dialects.grammar import Dialect, ErrorTexts, Route
from protocol.dialects.routing import RouteCodec
from protocol.errors import AUTH_INVALID, INTERNAL, RATE_LIMITED, UNAVAILABLE, Refusal

Handler = Callable[..., Awaitable[Response]]


def make_app(app: App, accounts: Accounts) -> QuartTrio:
    rest_app = QuartTrio("chatd", static_folder=None)
    rest_app.config["MAX_CONTENT_LENGTH"] = None  # the limit is kept below, in chatd/net/http.py
    rest_app.url_map.strict_slashes = False
    unsent = Unsent()
    rest_app.url_map.merge_slashes = False  # or a path with two slashes would be redirected, in HTML
    for spoken in (dialect(name) for name in names()):
        for route in spoken.routes:
            _mount(rest_app, route, _asker(app, unsent, RouteCodec(route, spoken.replies.error_texts), spoken))
    for route in shared.ROUTES:
        _mount(rest_app, route, _public(app, accounts, RouteCodec(route, ErrorTexts())))
    rest_app.add_url_rule(
        "/events", "GET /events", _events(app, unsent), methods=["GET"], provide_automatic_options=False
    )
    rest_app.register_error_handler(HTTPException, _refuse_http)
    rest_app.register_error_handler(Exception, _refuse_fault)
    return rest_app


def _mount(rest_app: QuartTrio, route: Route, handler: Handler) -> None:
    path = route.path.replace("{", "<").replace("}", ">")
    rest_app.add_url_rule(
        path, f"{route.method} {path}", handler, methods=[route.method], provide_automatic_options=False
    )


def _asker(app: App, unsent: Unsent, guide: RouteCodec, spoken: Dialect) -> Handler:
    """A route that somebody must be known for."""

    async def handle(**path: str) -> Response:
        query = list(request.args.items(multi=True))
        try:
            if _believed(app, spoken):
                actor, command = await _claimed(app, guide, path, query)
            else:
                actor = await _actor(app, services=True)
                _limit(app, actor.id or actor.name)
                command = guide.decode(path, query, await _body())
            _check_running(app)
            user, limit = actor.id or actor.name, app.config.limits.unsent_per_user
            unsent.check(user, limit)
            said = guide.answer(await app.dispatch.request(actor, command))
            if request.method == "GET":  # what has been done is answered in any case
                unsent.check(user, limit, len(said.body))
        except Refusal as refusal:
            return refuse(spoken.reword(refusal))
        _hold(unsent, user, len(said.body))
        return answer(said, request.path, query)

    return handle


def _public(app: App, accounts: Accounts, guide: RouteCodec) -> Handler:
    """A route by which somebody becomes known."""

    async def handle(**path: str) -> Response:
        address = request.remote_addr or ""
        try:
            _limit(app, address)
            command = guide.decode(path, list(request.args.items(multi=True)), await _body())
            _check_running(app)
            result = await accounts.perform(command, address)
        except Refusal as refusal:
            return refuse(refusal)
        return answer(guide.answer(result), request.path, [])

    return handle


def _events(app: App, unsent: Unsent) -> Handler:
    """The recovery stream: see chatd/rest/events.py and event_stream.py."""

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
    scope: Any = request.scope
    scope[AFTERWARDS].append(unsent.hold(user, size))


async def _actor(app: App, *, services: bool = False) -> Actor:
    shown = request.headers.get("Authorization")
    if shown is None:
        raise Refusal(AUTH_INVALID, "This needs a token in the Authorization header")
    token = bearer(shown)
    charged = "" if app.authenticator.knows_token(token) else address_block(request.remote_addr or "")
    return await app.authenticate(token, charged, services=services)


def _believed(app: App, spoken: Dialect) -> bool:
    """Whether whoever shows no token is who they say they are: see `--insecure-userid`."""
    return app.config.auth.insecure_userid and spoken.user_id_in_query and "Authorization" not in request.headers


async def _claimed(
    app: App, guide: RouteCodec, path: dict[str, str], query: list[tuple[str, str]]
) -> tuple[Actor, Command]:
    """Who asks, in `?userId=` or else in the payload, and what. Those with whom they would talk are there too."""
    command = guide.decode(path, [one for one in query if one[0] != "userId"], await _body())
    said = dict(query).get("userId") or (command.claimed_user and command.claimed_user.number)
    if not said:
        raise Refusal(AUTH_INVALID, "This needs a token in the Authorization header, or ?userId=")
    if isinstance(command, CreateConversation):
        for key in command.members:
            await app.authenticator.user_by_id(key.number)
    actor = await app.authenticator.user_by_id(said)
    app.refund(address_block(request.remote_addr or ""))
    _limit(app, actor.id)
    return actor, command


def _limit(app: App, who: object) -> None:
    now = trio.current_time()
    if not app.rest.take(who, now):
        wait = app.rest.retry_after(who, now)
        raise Refusal(RATE_LIMITED, "You are asking too fast", retry_after=wait)


def _check_running(app: App) -> None:
    """A server that stops performs nothing more: the connection may be cut before the answer."""
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
