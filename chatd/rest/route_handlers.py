"""The handlers of the routes: who asks → which command → dispatch → the answer.

They use requests and responses of chatd/net, not of Quart: a request that Quart handles costs three times as much
(docs/performance.md). The caller and the limits are checked before the body is read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from chatd.core.app import App
from chatd.files.resumable import ResumableUploads
from chatd.files.uploads import Uploads
from chatd.net.http import BodyReader, ExchangeHandler, LateBodyHandler
from chatd.net.request import Request, Response
from chatd.rest.answers import answer, refuse
from chatd.rest.exchange import ExchangeRoute
from chatd.rest.files import FileRoutes
from chatd.rest.page_sessions import OwnOrigin, PageSessions
from chatd.rest.requests import Query, actor_of, check_running, limit_requests, query_pairs
from chatd.rest.route_table import RouteTable
from chatd.rest.tus import TusRoutes
from chatd.rest.unsent import Unsent
from chatd.services.context import Actor, anonymous
from protocol.commands import Command, CreateConversation, Refresh
from protocol.dialects import accounts as shared
from protocol.dialects import dialect as dialect_named
from protocol.dialects import names
from protocol.dialects.grammar import Dialect, ErrorTexts
from protocol.dialects.routing import RouteCodec
from protocol.errors import AUTH_INVALID, NO_METHOD, Refusal

Parameters: TypeAlias = dict[str, str]
MAX_DEVICE_CHARS = 200
RouteHandler: TypeAlias = Callable[[Parameters, Request, BodyReader], Awaitable[Response]]


class Routes:
    """The routes of every dialect, and the routes of accounts that all dialects share."""

    def __init__(self, app: App, unsent: Unsent, uploads: Uploads, own_origin: OwnOrigin) -> None:
        sessions = PageSessions(app, own_origin)
        self._table: RouteTable[RouteHandler | ExchangeRoute] = RouteTable()
        tus = TusRoutes(app, ResumableUploads(app.dispatch, uploads))
        for method, path, exchange in (*FileRoutes(app, uploads).rows, *tus.rows):
            self._table.add(method, path, exchange)
        for dialect in map(dialect_named, names()):
            for route in dialect.routes:
                codec = RouteCodec(route, dialect.replies.error_texts)
                self._table.add(route.method, route.path, CommandRoute(app, unsent, codec, dialect).handle)
        for route in shared.ROUTES:
            self._table.add(
                route.method, route.path, PublicRoute(app, RouteCodec(route, ErrorTexts()), sessions).handle
            )

    def direct(self, request: Request) -> LateBodyHandler | ExchangeHandler | None:
        """The handler of a request; None when no route has its path."""
        match = self._table.find(request.method, request.path)
        if isinstance(match.handler, ExchangeRoute):
            return ExchangeHandler(partial(match.handler.handle, match.parameters))
        if match.handler is not None:
            return LateBodyHandler(partial(match.handler, match.parameters))
        if match.methods:
            return LateBodyHandler(partial(_refuse_method, match.methods))
        return None


class CommandRoute:
    """A route that needs a user or a service."""

    def __init__(self, app: App, unsent: Unsent, codec: RouteCodec, dialect: Dialect) -> None:
        self._app = app
        self._unsent = unsent
        self._codec = codec
        self._dialect = dialect

    async def handle(self, parameters: Parameters, request: Request, read_body: BodyReader) -> Response:
        app, codec, query = self._app, self._codec, query_pairs(request)
        try:
            authorization = request.get(b"authorization")
            if authorization is None and app.config.auth.insecure_userid and self._dialect.user_id_in_query:
                actor, command = await self._claimed(request, parameters, query, read_body)
            else:
                actor = await actor_of(app, authorization, request.charged, services=True)
                limit_requests(app, actor.id or actor.name)
                command = codec.decode(parameters, query, await read_body())
            check_running(app)
            user, limit = actor.id or actor.name, app.config.limits.unsent_per_user
            self._unsent.check(user, limit)
            answered = codec.answer(await app.dispatch.request(actor, command))
            if request.method == "GET":  # a change that is committed is answered in any case
                self._unsent.check(user, limit, len(answered.body))
        except Refusal as refusal:
            return refuse(self._dialect.reword(refusal))
        return answer(answered, request.path, query, on_sent=self._unsent.hold(user, len(answered.body)))

    async def _claimed(
        self, request: Request, parameters: Parameters, query: Query, read_body: BodyReader
    ) -> tuple[Actor, Command]:
        """The user that `?userId=` or else the payload claims, and the command.

        The members of a new conversation are looked up too: they are made when they don't exist yet.
        """
        app = self._app
        rest = [(key, value) for key, value in query if key != "userId"]
        command = self._codec.decode(parameters, rest, await read_body())
        claimed = dict(query).get("userId") or (command.claimed_user and command.claimed_user.number)
        if not claimed:
            raise Refusal(AUTH_INVALID, "This needs a token in the Authorization header, or ?userId=")
        if isinstance(command, CreateConversation):
            for key in command.members:
                await app.authenticator.user_by_id(key.number)
        actor = await app.authenticator.user_by_id(claimed)
        app.refund(request.charged)
        limit_requests(app, actor.id)
        return actor, command


def device_of(request: Request) -> str | None:
    """What the browser or program of a request says of itself."""
    text = (request.get(b"user-agent") or "").strip()
    return text[:MAX_DEVICE_CHARS] if text.isprintable() and text else None


class PublicRoute:
    """A route that needs no access token: register, login, refresh, logout."""

    def __init__(self, app: App, codec: RouteCodec, sessions: PageSessions) -> None:
        self._app = app
        self._codec = codec
        self._sessions = sessions

    async def handle(self, parameters: Parameters, request: Request, read_body: BodyReader) -> Response:
        app, codec, wants_cookie = self._app, self._codec, False
        try:
            limit_requests(app, request.client)
            wants_cookie = self._sessions.wants_cookie(request)
            if wants_cookie and codec.route.command is Refresh:
                command = self._sessions.refresh(request)
            else:
                command = codec.decode(parameters, query_pairs(request), await read_body())
            check_running(app)
            if wants_cookie:
                command = self._sessions.with_token(request, command)
            result = await app.dispatch.request(anonymous(request.client, device_of(request)), command)
        except Refusal as refusal:
            refused = refuse(refusal)
            is_over = wants_cookie and refusal.code is AUTH_INVALID and codec.route.command is Refresh
            return self._sessions.forget(request, refused) if is_over else refused
        answered = codec.answer(result)
        if wants_cookie:
            return self._sessions.answer(request, answered.status, result)
        return answer(answered, request.path, [])


async def _refuse_method(methods: tuple[str, ...], request: Request, read_body: BodyReader) -> Response:
    return refuse(Refusal(NO_METHOD), ((b"allow", ", ".join(methods).encode()),))
