"""The REST application: a Quart-Trio application for everything that is not a row of a table of routes.

That is `GET /events`, as a list and as a stream, and every path that does not exist. The routes of the dialects are
answered by chatd/rest/route_handlers.py, before the application is asked.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from chatd.core.app import App
from chatd.net.asgi import AFTERWARDS
from chatd.net.proxies import address_block
from chatd.net.request import Response as PlainResponse
from chatd.rest import events
from chatd.rest.answers import JSON_HEADERS, refuse
from chatd.rest.event_stream import EventStream
from chatd.rest.requests import actor_of, limit_requests
from chatd.rest.unsent import Unsent
from chatd.services.context import Actor
from chatd.telemetry.log import log
from protocol.errors import CODES, INTERNAL, NO_METHOD, NOT_FOUND, Code, Refusal

_TEXTS = {404: "There is nothing at this path", 405: NO_METHOD.text}


def make_app(app: App, unsent: Unsent) -> QuartTrio:
    rest_app = QuartTrio("chatd", static_folder=None)
    rest_app.config["MAX_CONTENT_LENGTH"] = None  # chatd/net/http.py checks the limit
    rest_app.url_map.strict_slashes = False
    rest_app.url_map.merge_slashes = False  # otherwise a path with two slashes is redirected, in HTML

    async def handle_events() -> Response:
        return await _events(app, unsent)

    rest_app.add_url_rule("/events", "GET /events", handle_events, methods=["GET"], provide_automatic_options=False)
    rest_app.register_error_handler(HTTPException, _refuse_http)
    rest_app.register_error_handler(Exception, _refuse_fault)
    return rest_app


async def _events(app: App, unsent: Unsent) -> Response:
    """`GET /events`: chatd/rest/events.py makes the list, event_stream.py the stream."""
    try:
        actor = await _actor(app)
        limit_requests(app, actor.id)
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
        scope: Any = request.scope
        scope[AFTERWARDS].append(unsent.hold(actor.id, len(found)))
        return _quart_response(PlainResponse(200, found, JSON_HEADERS))
    except Refusal as refusal:
        return _quart_response(refuse(refusal))


async def _actor(app: App) -> Actor:
    address = address_block(request.remote_addr or "")
    return await actor_of(app, request.headers.get("Authorization"), address)


async def _refuse_http(error: HTTPException) -> Response:
    """The answer to a request that Quart refuses."""
    status = error.code or 500
    allowed: Any = getattr(error, "valid_methods", None)
    headers = ((b"allow", ", ".join(sorted(allowed)).encode()),) if allowed else ()
    text = _TEXTS.get(status) or HTTPStatus(status).phrase
    return _quart_response(refuse(Refusal(_code(status), text), headers))


async def _refuse_fault(error: Exception) -> Response:
    log.fault("request failed", error, path=request.path)
    return _quart_response(refuse(Refusal(INTERNAL)))


def _code(status: int) -> Code:
    if status == 404:
        return NOT_FOUND
    found = next((code for code in CODES.values() if code.status == status), None)
    return found or Code(
        "BAD_REQUEST" if status < 500 else INTERNAL.code, HTTPStatus(status).phrase, status, -32602, 4400
    )


def _quart_response(plain: PlainResponse) -> Response:
    headers = Headers((name.decode(), value.decode()) for name, value in plain.headers)
    return Response(plain.body, plain.status, headers)
