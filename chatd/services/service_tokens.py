"""Service tokens: for programs that may send some commands over REST without being a user.

A token is `chatd_` and 32 random bytes. It is shown once, when it is made. It contains no rights: the store has its
scopes (see chatd/services/context.py). So a revoked token is invalid at once.
"""

from __future__ import annotations

import re
import secrets
from hashlib import sha256

from chatd.services.context import REQUIRED_SCOPES, SERVICE_SCOPES, Actor, ServiceContext
from chatd.store.queries import service_tokens
from chatd.store.queries.service_tokens import Service
from chatd.store.sqlite.transaction import ReadTransaction
from protocol.errors import AUTH_INVALID, BAD_REQUEST, CONFLICT, NOT_FOUND, Refusal
from protocol.events import ServiceTokenRevoked
from protocol.ids import Ref

TOKEN_PREFIX = "chatd_"  # noqa: S105 - not a secret
NAME_PATTERN = re.compile(r"[\w.-]{1,64}")
METRICS_SCOPE = "metrics"
"""The scope of GET /metrics, which has no command; chatd/server/router.py answers it."""

ALL_SCOPES = tuple(sorted({*REQUIRED_SCOPES.values(), *SERVICE_SCOPES.values(), METRICS_SCOPE}))


def generate() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def make(context: ServiceContext, name: str, token: str, scopes: list[str]) -> Service:
    """Store the token of a service that has no token yet."""
    if not NAME_PATTERN.fullmatch(name):
        raise Refusal(BAD_REQUEST, "A service's name has 1 to 64 letters, digits or any of . - _", field="name")
    if not scopes or not set(scopes) <= set(ALL_SCOPES):
        raise Refusal(BAD_REQUEST, f"Scopes are {', '.join(ALL_SCOPES)}", field="scope")
    tx = context.tx
    if service_tokens.by_name(tx, name) is not None:
        raise Refusal(CONFLICT, f"The service {name} has a token already: revoke it first")
    stored_scopes = " ".join(sorted(set(scopes)))
    service_tokens.add(tx, name, digest(token), stored_scopes)
    return Service(name, stored_scopes, tx.now)


def revoke(context: ServiceContext, name: str) -> None:
    if not service_tokens.remove(context.tx, name):
        raise Refusal(NOT_FOUND, f"There is no token of {name}")
    context.publish(ServiceTokenRevoked(name))


def authenticate(tx: ReadTransaction, token: str) -> Actor:
    """Return the service of a token as an actor."""
    found = service_tokens.by_hash(tx, digest(token))
    if found is None:
        raise Refusal(AUTH_INVALID, "The token is not valid")
    return Actor(Ref(0, 0), found.name, scopes=frozenset(found.scopes.split()))
