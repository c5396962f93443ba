"""Entry: who the holder of a token is here, and what they find when they come in.

Whom a token names, by who signed it:

    subject                        own key            another issuer's key
    integer below 2^52             user of that id    foreign user of that id, who has no subject of text
    integer from 2^52 up           user of that id    as text; or the foreign user of that id (of an older chatd)
    text                           user of that subject, who is foreign in any case

A foreign integer never names a local user. Where an issuer is configured, ids that chatd gives out itself (to local
accounts and to subjects of text) begin at 2^52, so the two do not meet. They can meet when an issuer is configured
later than accounts were made: then the issuer's user of a taken number is refused.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple, Protocol

from chatd.services.accounts import NOBODYS, NewAccount, name_is_free
from chatd.services.context import Actor
from chatd.store.queries import accounts, messages, users
from chatd.store.queries.messages import StoredReadState
from chatd.store.queries.users import FIRST_LOCAL_ID, Account
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.errors import AUTH_INVALID, CONFLICT, Refusal
from protocol.model import User

_UNFIT = re.compile(r"[^\w.@+-]+")


class VerifiedClaims(Protocol):
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
    @property
    def own_key(self) -> bool: ...
    @property
    def sid(self) -> str | None: ...


class IdTaken(Refusal):
    """The id that a foreign token names belongs to a user of this server's own."""

    def __init__(self, id: int) -> None:
        super().__init__(
            AUTH_INVALID, f"The id {id} belongs to another account of this server; the issuer's user cannot have it"
        )


class InitialState(NamedTuple):
    """What somebody who comes in must know, as of one position."""

    read_states: list[StoredReadState]


def find_actor(tx: ReadTransaction, claims: VerifiedClaims) -> Actor | None:
    """The user whom a token names; None for a user who is not there."""
    account = _account(tx, claims)
    return None if account is None else _admit(tx, account, claims)


def provision(tx: Transaction, claims: VerifiedClaims) -> Actor:
    """The same, making the user whom somebody else's token names."""
    actor = find_actor(tx, claims)
    if actor is not None:
        return actor
    named = unicodedata.normalize("NFKC", (claims.name or "")[:100])
    wanted = _UNFIT.sub("-", named).strip("-")[:100] or f"user-{claims.subject}"[:100]
    if NOBODYS.fullmatch(wanted):
        wanted = f"user-{wanted}"[:100]
    email = claims.email if claims.email and not accounts.ids_with_handle(tx, claims.email) else None
    user = add(tx, claims.subject, name=_free(tx, wanted), email=email, display=claims.name)
    return Actor(user.ref, user.name, claims.admin, claims.expires, claims.issued or 0.0)


def add(tx: Transaction, subject: int | str, *, name: str, email: str | None, display: str | None) -> User:
    """A foreign user: an integer is the id itself, text is kept beside an id of our own."""
    if isinstance(subject, int) and subject < FIRST_LOCAL_ID:
        return users.add(tx, name=name, id=subject, email=email, display=display, local=False)
    return users.add(
        tx, name=name, subject=str(subject), email=email, display=display, local=False, above_foreign_ids=True
    )


def add_foreign(tx: Transaction, subject: int | str, person: NewAccount) -> User:
    """A foreign user whom an administrator makes before a token names them."""
    name_is_free(tx, person)
    taken = users.find_account(tx, id=subject) if isinstance(subject, int) else users.by_subject(tx, subject)
    if taken is not None:
        raise Refusal(CONFLICT, f"There is a user of the subject or id {subject} already", field="subject")
    user = add(tx, subject, name=person.name, email=person.email, display=person.display)
    if person.admin:
        users.set_account(
            tx, user.ref.number, password=None, email=person.email, admin=True, disabled=False, valid_from=0
        )
    return users.by_id(tx, user.ref.number) or user


def unknown_user() -> Refusal:
    return Refusal(AUTH_INVALID, "The token names a user who does not exist here")


def _account(tx: ReadTransaction, claims: VerifiedClaims) -> Account | None:
    """See above."""
    subject = claims.subject
    if isinstance(subject, int):
        found = users.find_account(tx, id=subject)
        if found is not None and (claims.own_key or not (found.local or found.user.ref.subject)):
            return found
        if subject < FIRST_LOCAL_ID:
            if found is not None:
                raise IdTaken(subject)
            return None
    user = users.by_subject(tx, str(subject))
    return None if user is None else users.find_account(tx, id=user.ref.number)


def _admit(tx: ReadTransaction, account: Account, claims: VerifiedClaims) -> Actor:
    user, issued = account.user, claims.issued or 0.0
    if user.disabled:
        raise Refusal(AUTH_INVALID, "This account is closed")
    if account.valid_from and issued * 1000 < account.valid_from:
        raise Refusal(AUTH_INVALID, "The token has been revoked")
    if claims.sid is not None:
        session = accounts.find_login_session(tx, claims.sid)
        if session is None or session.user != user.ref.number:
            raise session_over()
    return Actor(user.ref, user.name, claims.admin or user.admin, claims.expires, issued, sid=claims.sid)


def session_over() -> Refusal:
    return Refusal(AUTH_INVALID, "The session of this token has ended")


def _free(tx: ReadTransaction, name: str) -> str:
    """The name, or the first one like it that is nobody's name or address."""
    tried, number = name, 1
    while accounts.ids_with_handle(tx, tried):
        number += 1
        tried = f"{name}-{number}"
    return tried


def initial_state(tx: ReadTransaction, user: int) -> InitialState:
    return InitialState(messages.read_states(tx, user))
