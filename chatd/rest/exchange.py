"""Routes whose handlers read the body and send the answer piece by piece: files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias

from chatd.core.app import App
from chatd.net.http_connection import HttpConnection
from chatd.net.request import Request, Response
from chatd.rest.answers import refuse
from chatd.rest.requests import actor_of, check_running, limit_requests
from chatd.services.context import Actor
from protocol.errors import Refusal

PIECE_BYTES = 256 * 1024
"""How much of a content is read or sent at once."""

Parameters: TypeAlias = dict[str, str]
Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


class ExchangeRoute(NamedTuple):
    """A route whose handler reads the body and sends the answer itself."""

    handle: Callable[[Parameters, Request, HttpConnection], Awaitable[Response | None]]


async def authenticate(app: App, request: Request) -> Actor:
    """The user who sends a request. The request counts for the user's rate."""
    actor = await actor_of(app, request.get(b"authorization"), request.charged)
    limit_requests(app, actor.id)
    check_running(app)
    return actor


def refuse_upload(no: Refusal) -> Response:
    """The answer to an upload whose body may not have been read to its end: it ends the connection."""
    answer = refuse(no)
    return Response(answer.status, answer.body, answer.headers, close=True)
