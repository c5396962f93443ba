"""What every handler of REST does with a request: who asks, how often, and with which query."""

from __future__ import annotations

from typing import TypeAlias
from urllib.parse import parse_qsl

import trio

from chatd.auth.verifier import bearer
from chatd.core.app import App
from chatd.net.request import Request
from chatd.services.context import Actor
from protocol.errors import AUTH_INVALID, RATE_LIMITED, UNAVAILABLE, Refusal

Query: TypeAlias = list[tuple[str, str]]


def query_pairs(request: Request) -> Query:
    """The parameters of a query, in their order."""
    if not request.query:
        return []
    return parse_qsl(request.query.decode("latin-1"), keep_blank_values=True, encoding="utf-8", errors="replace")


async def actor_of(app: App, authorization: str | None, charged: str, *, services: bool = False) -> Actor:
    """The holder of the token in the Authorization header. With `services`, it may be a service.

    `charged` is the address that has paid for the request.
    """
    if authorization is None:
        raise Refusal(AUTH_INVALID, "This needs a token in the Authorization header")
    return await app.authenticate(bearer(authorization), charged, services=services)


def limit_requests(app: App, requester: object) -> None:
    """Count one request of a user id, a service's name or an address. Refuse it above the limit."""
    now = trio.current_time()
    if not app.rest.take(requester, now):
        wait = app.rest.retry_after(requester, now)
        raise Refusal(RATE_LIMITED, "You are asking too fast", retry_after=wait)


def check_running(app: App) -> None:
    """Refuse every command when the server stops: the connection may be cut before the answer."""
    if app.stopping:
        raise Refusal(UNAVAILABLE, "The server is stopping", retry_after=1.0)
