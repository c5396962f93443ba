"""Invites: tokens that allow a registration where registration is not open to all.

A token has 256 random bits. It is shown once.

    chatd invite     a number of accounts, until it expires; administrators with `--admin`
    setup token      the first administrator, once; invalid as soon as a user exists; kept in memory only

The use is counted in the transaction that makes the account. So concurrent registrations cannot exceed the uses.
Unknown, used and expired tokens get the same answer.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from msgspec.structs import replace

from chatd.auth.tokens import digest
from chatd.services.context import ServiceContext
from chatd.store.queries import invites, users
from chatd.store.queries.invites import Invite
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, FORBIDDEN, NOT_FOUND, Refusal
from protocol.ids import Ref
from protocol.model import InviteInfo

MAX_TTL_SECONDS = 365 * 86400.0
MAX_USES = 10_000
SHELL_MAKER = "shell"


class InviteGrant(NamedTuple):
    """The rights of an account that an invite allows."""

    admin: bool


def generate() -> str:
    return secrets.token_urlsafe(32)


def make(tx: Transaction, token: str, *, admin: bool, uses: int, ttl: float, maker: str = SHELL_MAKER) -> Invite:
    """Store a new invite. `ttl` is in seconds."""
    if not 1 <= uses <= MAX_USES:
        raise Refusal(BAD_REQUEST, f"An invite has 1 to {MAX_USES} uses", field="uses")
    if not 0 < ttl <= MAX_TTL_SECONDS:
        raise Refusal(BAD_REQUEST, "The lifetime of an invite is more than 0 seconds and at most 365 days", field="ttl")
    return invites.add(tx, digest(token), admin=admin, uses=uses, expires=tx.now + int(ttl * 1000), maker=maker)


def check(tx: ReadTransaction, token: str, setup: str | None) -> InviteGrant:
    """Return the grant of a valid token. `setup` is the digest of the setup token, if one exists."""
    shown = digest(token)
    if setup is not None and secrets.compare_digest(shown, setup) and not users.count(tx):
        return InviteGrant(admin=True)
    found = invites.by_hash(tx, shown)
    if found is None:
        raise Refusal(FORBIDDEN, "The invite is unknown, used up or expired: ask for a new one", field="invite")
    return InviteGrant(bool(found.admin))


def use(tx: Transaction, token: str, setup: str | None) -> InviteGrant:
    """Check a token and count one use."""
    grant = check(tx, token, setup)
    invites.use(tx, digest(token))
    return grant


def revoke(tx: Transaction, id: int) -> None:
    if not invites.remove(tx, id):
        raise Refusal(NOT_FOUND, f"There is no invite {id}")


# For administrators


def create(context: ServiceContext, command: ask.CreateInvite) -> InviteInfo:
    """Make an invite. Its token is shown only now."""
    token, ttl = generate(), float(command.ttl_seconds)
    made = make(context.tx, token, admin=command.admin, uses=command.uses, ttl=ttl, maker=context.actor.name)
    return replace(_describe(made), token=token)


def listing(context: ServiceContext, command: ask.ListInvites) -> tuple[InviteInfo, ...]:
    return tuple(map(_describe, invites.list_usable(context.tx)))


def revoke_by_id(context: ServiceContext, command: ask.RevokeInvite) -> None:
    revoke(context.tx, command.invite.number or 0)


def _describe(invite: Invite) -> InviteInfo:
    return InviteInfo(Ref(invite.id, 0), invite.uses, bool(invite.admin), invite.expires, invite.created)
