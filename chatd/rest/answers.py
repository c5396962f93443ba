"""The answers of REST. Every error has one shape, errors of Quart included: chatd's own, which is also RFC 9457."""

from __future__ import annotations

import math
from http import HTTPStatus
from urllib.parse import urlencode

from quart import Response

from chatd.net.request import refusal as problem
from protocol.dialects.routing import RouteAnswer
from protocol.errors import CODES, INTERNAL, NO_METHOD, NOT_FOUND, UNAVAILABLE, Code, Refusal

JSON = "application/json"
DEFAULT_RETRY_SECONDS = 5.0
"""Retry-After of a temporary refusal that names no time."""


def answer(answered: RouteAnswer, path: str, query: list[tuple[str, str]]) -> Response:
    """A success, with the link to the next page if there is one."""
    if not answered.body:
        return Response(b"", answered.status, content_type=None)
    response = Response(answered.body, answered.status, content_type=JSON)
    if answered.next is not None:
        rest = [(key, value) for key, value in query if key not in ("before", "after")]
        response.headers["Link"] = f'<{path}?{urlencode([*rest, answered.next])}>; rel="next"'
    return response


def refuse(refusal: Refusal) -> Response:
    """The answer to a refused request."""
    document = problem(refusal.code, refusal.message)
    response = Response(document.body, document.status, content_type="application/problem+json")
    if refusal.retry_after is not None or refusal.code is UNAVAILABLE:
        response.headers["Retry-After"] = str(max(1, math.ceil(refusal.retry_after or DEFAULT_RETRY_SECONDS)))
    if refusal.code.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def refuse_status(status: int, allow: str = "") -> Response:
    """The answer to a request that Quart refuses with this status."""
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
