"""Service tokens: programs that may do some things over REST, and are nobody.

A token is `chatd_` and 32 random bytes, shown once, when it is made. It says nothing, so that what it may do (the
scopes of chatd/services/context.py) is asked of the store, and it is worth nothing as soon as it is revoked.
"""

from __future__ import annotations

import re
import secrets
from hashlib import sha256

from chatd.services.context import SCOPES, Actor
from chatd.store.queries import service_tokens
from chatd.store.queries.service_tokens import Service
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.errors import AUTH_INVALID, BAD_REQUEST, CONFLICT, NOT_FOUND, Refusal
from protocol.ids import Ref

PREFIX = "chatd_"
NAME = re.compile(r"[\w.-]{1,64}")
METRICS = "metrics"
"""The scope of what has no command: GET /metrics, answered in chatd/server/router.py."""

ALL = tuple(sorted({*SCOPES.values(), METRICS}))


def generate() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def make(tx: Transaction, name: str, token: str, scopes: list[str]) -> Service:
    """A service of that name, which has none yet."""
    if not NAME.fullmatch(name):
        raise Refusal(BAD_REQUEST, "A service's name has 1 to 64 letters, digits or any of . - _", field="name")
    if not scopes or not set(scopes) <= set(ALL):
        raise Refusal(BAD_REQUEST, f"Scopes are {', '.join(ALL)}", field="scope")
    if service_tokens.by_name(tx, name) is not None:
        raise Refusal(CONFLICT, f"There is a token of {name} already: revoke it first")
    said = " ".join(sorted(set(scopes)))
    service_tokens.add(tx, name, digest(token), said)
    return Service(name, said, tx.now)


def revoke(tx: Transaction, name: str) -> None:
    if not service_tokens.remove(tx, name):
        raise Refusal(NOT_FOUND, f"There is no token of {name}")


def admit(tx: ReadTransaction, token: str) -> Actor:
    """Who holds the token."""
    found = service_tokens.by_hash(tx, digest(token))
    if found is None:
        raise Refusal(AUTH_INVALID, "The token is not valid")
    return Actor(Ref(0, 0), found.name, scopes=frozenset(found.scopes.split()))
