"""The answers of REST. Every error has one shape: chatd's own, which is also RFC 9457."""

from __future__ import annotations

import math
from collections.abc import Callable
from urllib.parse import urlencode

from chatd.net.request import Headers, Response, challenge
from chatd.net.request import refusal as problem
from protocol.dialects.routing import RouteAnswer
from protocol.errors import UNAVAILABLE, Refusal

JSON_TYPE = (b"content-type", b"application/json")
JSON_HEADERS = (JSON_TYPE,)
DEFAULT_RETRY_SECONDS = 5.0
"""Retry-After of a temporary refusal that names no time."""


def answer(
    answered: RouteAnswer, path: str, query: list[tuple[str, str]], *, on_sent: Callable[[], None] | None = None
) -> Response:
    """A success, with the link to the next page if there is one."""
    if not answered.body:
        return Response(answered.status, on_sent=on_sent)
    headers: tuple[tuple[bytes, bytes], ...] = JSON_HEADERS
    if answered.next is not None:
        rest = [(key, value) for key, value in query if key not in ("before", "after")]
        link = f'<{path}?{urlencode([*rest, answered.next])}>; rel="next"'
        headers = (JSON_TYPE, (b"link", link.encode()))
    return Response(answered.status, answered.body, headers, on_sent=on_sent)


def refuse(refusal: Refusal, headers: Headers = ()) -> Response:
    """The answer to a refused request."""
    more = [*challenge(refusal.code), *headers]
    if refusal.retry_after is not None or refusal.code is UNAVAILABLE:
        seconds = max(1, math.ceil(refusal.retry_after or DEFAULT_RETRY_SECONDS))
        more.append((b"retry-after", b"%d" % seconds))
    return problem(refusal.code, refusal.message, field=refusal.field, headers=tuple(more))
