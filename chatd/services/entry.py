"""Entry: who the holder of a token is here, and what they find when they come in."""

from __future__ import annotations

import re
from typing import NamedTuple, Protocol

from chatd.services.accounts import NOBODYS
from chatd.services.work import Actor
from chatd.store import messages, users
from chatd.store.messages import Standing
from chatd.store.transaction import Reading, Transaction
from chatd.store.users import Account
from protocol.errors import AUTH_INVALID, Refusal

_UNFIT = re.compile(r"[^\w.@+-]+")


class Claims(Protocol):
    """What a verified token says; chatd/auth/claims.py reads it."""

    @property
    def subject(self) -> int | str: ...
    @property
    def expires(self) -> float: ...
    @property
    def admin(self) -> bool: ...
    @property
    def foreign(self) -> bool: ...
    @property
    def name(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...
    @property
    def issued(self) -> float | None: ...


class Arrival(NamedTuple):
    """What somebody who comes in must know, as of one position."""

    standings: list[Standing]


def known(tx: Reading, claims: Claims) -> Actor | None:
    """The user whom a token names; None for a user who is not there."""
    account = _account(tx, claims.subject)
    return None if account is None else _admit(account, claims)


def provision(tx: Transaction, claims: Claims) -> Actor:
    """The same, making the user whom somebody else's token names."""
    actor = known(tx, claims)
    if actor is not None:
        return actor
    number = claims.subject if isinstance(claims.subject, int) else None
    subject = claims.subject if isinstance(claims.subject, str) else None
    email = claims.email if claims.email and users.account(tx, email=claims.email) is None else None
    wanted = _UNFIT.sub("-", claims.name or "").strip("-")[:100] or f"user-{claims.subject}"[:100]
    if NOBODYS.fullmatch(wanted):
        wanted = f"user-{wanted}"[:100]
    user = users.add(tx, name=_free(tx, wanted), id=number, subject=subject, email=email, display=claims.name)
    return Actor(user.ref, user.name, claims.admin, claims.expires, claims.issued or 0.0)


def stranger() -> Refusal:
    return Refusal(AUTH_INVALID, "The token names a user who does not exist here")


def _account(tx: Reading, subject: int | str) -> Account | None:
    if isinstance(subject, int):
        return users.account(tx, id=subject)
    user = users.by_subject(tx, subject)
    return None if user is None else users.account(tx, id=user.ref.number)


def _admit(account: Account, claims: Claims) -> Actor:
    user, issued = account.user, claims.issued or 0.0
    if user.disabled:
        raise Refusal(AUTH_INVALID, "This account is closed")
    if account.valid_from and issued * 1000 < account.valid_from:
        raise Refusal(AUTH_INVALID, "The token has been revoked")
    return Actor(user.ref, user.name, claims.admin or user.admin, claims.expires, issued)


def _free(tx: Reading, name: str) -> str:
    """The name, or the first free one like it."""
    tried, number = name, 1
    while users.account(tx, name=tried) is not None:
        number += 1
        tried = f"{name}-{number}"
    return tried


def arrive(tx: Reading, user: int) -> Arrival:
    return Arrival(messages.standings(tx, user))
