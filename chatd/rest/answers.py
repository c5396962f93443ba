"""What REST answers look like. One shape for every error, Quart's own included: chatd's, readable as RFC 9457."""

from __future__ import annotations

import math
from http import HTTPStatus
from urllib.parse import urlencode

from quart import Response

from chatd.net.request import refusal as problem
from protocol.dialects.routing import RouteAnswer
from protocol.errors import CODES, INTERNAL, NO_METHOD, NOT_FOUND, UNAVAILABLE, Code, Refusal

JSON = "application/json"
RETRY_SECONDS = 5.0  # where a refusal that can pass names no time


def answer(said: RouteAnswer, path: str, query: list[tuple[str, str]]) -> Response:
    """A success, with the link to the next page where there is one."""
    if not said.body:
        return Response(b"", said.status, content_type=None)
    response = Response(said.body, said.status, content_type=JSON)
    if said.next is not None:
        rest = [(key, value) for key, value in query if key not in ("before", "after")]
        response.headers["Link"] = f'<{path}?{urlencode([*rest, said.next])}>; rel="next"'
    return response


def refuse(refusal: Refusal) -> Response:
    """A refusal."""
    made = problem(refusal.code, refusal.message)
    response = Response(made.body, made.status, content_type="application/problem+json")
    if refusal.retry_after is not None or refusal.code is UNAVAILABLE:
        response.headers["Retry-After"] = str(max(1, math.ceil(refusal.retry_after or RETRY_SECONDS)))
    if refusal.code.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def refuse_status(status: int, allow: str = "") -> Response:
    """The answer to what Quart itself refuses, by its status."""
    response = refuse(Refusal(_code(status), HTTPStatus(status).phrase if status not in _TEXTS else _TEXTS[status]))
    if allow:
        response.headers["Allow"] = allow
    return response


_TEXTS = {404: "There is nothing at this path", 405: NO_METHOD.text}


def _code(status: int) -> Code:
    if status == 404:
        return NOT_FOUND
    found = next((code for code in CODES.values() if code.status == status), None)
    return found or Code(
        "BAD_REQUEST" if status < 500 else INTERNAL.code, HTTPStatus(status).phrase, status, -32602, 4400
    )
