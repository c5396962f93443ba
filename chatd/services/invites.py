"""Invites: who may make an account where not everybody may. The token is 256 random bits, shown once.

    chatd invite     so many accounts, until it expires; administrators if it says so
    setup token      the first administrator, once: of no use as soon as there is a user; kept in memory only

The use is counted in the transaction that makes the account, so no race makes more accounts than there are uses.
Unknown, used and expired are answered alike.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from chatd.auth.tokens import digest
from chatd.store.queries import invites, users
from chatd.store.queries.invites import Invite
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.errors import BAD_REQUEST, FORBIDDEN, NOT_FOUND, Refusal

LONGEST_TTL = 365 * 86400.0
MOST_USES = 10_000
SHELL = "shell"


class Admission(NamedTuple):
    """What an invite allows: whether the account is an administrator's."""

    admin: bool


def generate() -> str:
    return secrets.token_urlsafe(32)


def make(tx: Transaction, token: str, *, admin: bool, uses: int, ttl: float, maker: str = SHELL) -> Invite:
    """Keep a new invite; `ttl` is in seconds."""
    if not 1 <= uses <= MOST_USES:
        raise Refusal(BAD_REQUEST, f"An invite has 1 to {MOST_USES} uses", field="uses")
    if not 0 < ttl <= LONGEST_TTL:
        raise Refusal(BAD_REQUEST, "An invite lasts more than nothing and at most 365 days", field="ttl")
    return invites.add(tx, digest(token), admin=admin, uses=uses, expires=tx.now + int(ttl * 1000), maker=maker)


def find(tx: ReadTransaction, token: str, setup: str | None) -> Admission:
    """What the token allows now. `setup` is the digest of the setup token, where there is one."""
    shown = digest(token)
    if setup is not None and secrets.compare_digest(shown, setup) and not users.count(tx):
        return Admission(admin=True)
    found = invites.by_hash(tx, shown)
    if found is None:
        raise Refusal(FORBIDDEN, "The invite is not valid, or not any more: ask for a new one", field="invite")
    return Admission(bool(found.admin))


def use(tx: Transaction, token: str, setup: str | None) -> Admission:
    """The same, and one of its uses is taken."""
    admission = find(tx, token, setup)
    invites.use(tx, digest(token))
    return admission


def revoke(tx: Transaction, id: int) -> None:
    if not invites.remove(tx, id):
        raise Refusal(NOT_FOUND, f"There is no invite {id}")
