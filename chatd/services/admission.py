"""Admission: find the user of a token, or make one, and read the state that a new connection needs.

The key that signed a token decides which user its subject names:

    subject                        own key            another issuer's key
    integer below 2^52             user of that id    foreign user of that id without a text subject
    integer from 2^52 up           user of that id    as text; or the foreign user of that id (of an older chatd)
    text                           user of that subject, always a foreign user

An integer from another issuer never names a local user. With an issuer configured, the ids that chatd assigns itself
begin at 2^52. So they do not collide with the issuer's ids. chatd assigns ids to local accounts and to text subjects.
Ids can collide if accounts were made before the issuer was configured. Then the issuer's user is rejected.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple, Protocol

from chatd.services.accounts import RESERVED_NAME_PATTERN, NewAccount, check_available
from chatd.services.context import Actor
from chatd.store.queries import accounts, read_states, users
from chatd.store.queries.read_states import StoredReadState
from chatd.store.queries.users import FIRST_LOCAL_ID, Account
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.errors import AUTH_INVALID, CONFLICT, Refusal
from protocol.model import User

MAX_FOREIGN_NAME_CHARS = 100
_UNFIT_CHARACTERS = re.compile(r"[^\w.@+-]+")


class VerifiedClaims(Protocol):
    """The claims of a verified token. chatd/auth/claims.py reads them."""

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
    """The id in a foreign token belongs to a local user."""

    def __init__(self, id: int) -> None:
        super().__init__(
            AUTH_INVALID, f"The id {id} belongs to another account of this server; the issuer's user cannot use it"
        )


class InitialState(NamedTuple):
    """The state that a new connection needs, as of one position."""

    read_states: list[StoredReadState]


def find_actor(tx: ReadTransaction, claims: VerifiedClaims) -> Actor | None:
    """Find the user of a token; None if the user does not exist."""
    account = _find_account(tx, claims)
    return None if account is None else _make_actor(tx, account, claims)


def provision(tx: Transaction, claims: VerifiedClaims) -> Actor:
    """Find the user of a token, or make the user of a foreign token."""
    actor = find_actor(tx, claims)
    if actor is not None:
        return actor
    email = claims.email if claims.email and not accounts.ids_with_handle(tx, claims.email) else None
    user = add_foreign_user(
        tx, claims.subject, name=_unused_name(tx, _name_from(claims)), email=email, display=claims.name
    )
    return Actor(user.ref, user.name, claims.admin, claims.expires, claims.issued or 0.0)


def _name_from(claims: VerifiedClaims) -> str:
    """Make a valid name from the name claim or the subject."""
    normalized = unicodedata.normalize("NFKC", (claims.name or "")[:MAX_FOREIGN_NAME_CHARS])
    name = _UNFIT_CHARACTERS.sub("-", normalized).strip("-")[:MAX_FOREIGN_NAME_CHARS] or f"user-{claims.subject}"
    if RESERVED_NAME_PATTERN.fullmatch(name):
        name = f"user-{name}"
    return name[:MAX_FOREIGN_NAME_CHARS]


def add_foreign_user(tx: Transaction, subject: int | str, *, name: str, email: str | None, display: str | None) -> User:
    """Add a foreign user. An integer subject is the id; a text subject is stored, and chatd assigns the id."""
    if isinstance(subject, int) and subject < FIRST_LOCAL_ID:
        return users.add(tx, name=name, id=subject, email=email, display=display, local=False)
    return users.add(
        tx, name=name, subject=str(subject), email=email, display=display, local=False, above_foreign_ids=True
    )


def add_foreign(tx: Transaction, subject: int | str, new_account: NewAccount) -> User:
    """Add a foreign user for an administrator, before a token names the user."""
    check_available(tx, new_account)
    existing = users.find_account(tx, id=subject) if isinstance(subject, int) else users.by_subject(tx, subject)
    if existing is not None:
        raise Refusal(CONFLICT, f"A user with the subject or id {subject} exists already", field="subject")
    user = add_foreign_user(tx, subject, name=new_account.name, email=new_account.email, display=new_account.display)
    if new_account.admin:
        users.set_account(
            tx, user.ref.number, password=None, email=new_account.email, admin=True, disabled=False, valid_from=0
        )
    return users.by_id(tx, user.ref.number) or user


def unknown_user() -> Refusal:
    return Refusal(AUTH_INVALID, "The token names a user who does not exist here")


def _find_account(tx: ReadTransaction, claims: VerifiedClaims) -> Account | None:
    """Find the account of a token, by the table in the module's docstring."""
    subject = claims.subject
    if isinstance(subject, int):
        account = users.find_account(tx, id=subject)
        if account is not None and (claims.own_key or not (account.local or account.user.ref.subject)):
            return account
        if subject < FIRST_LOCAL_ID:
            if account is not None:
                raise IdTaken(subject)
            return None
    user = users.by_subject(tx, str(subject))
    return None if user is None else users.find_account(tx, id=user.ref.number)


def _make_actor(tx: ReadTransaction, account: Account, claims: VerifiedClaims) -> Actor:
    user, issued = account.user, claims.issued or 0.0
    if user.disabled:
        raise Refusal(AUTH_INVALID, "This account is disabled")
    if account.valid_from and issued * 1000 < account.valid_from:
        raise Refusal(AUTH_INVALID, "The token has been revoked")
    if claims.sid is not None:
        session = accounts.find_login_session(tx, claims.sid)
        if session is None or session.user != user.ref.number:
            raise session_ended()
    return Actor(user.ref, user.name, claims.admin or user.admin, claims.expires, issued, sid=claims.sid)


def session_ended() -> Refusal:
    return Refusal(AUTH_INVALID, "The session of this token has ended")


def _unused_name(tx: ReadTransaction, name: str) -> str:
    """Append the first number that makes the name unused, as a name and as an address."""
    candidate, number = name, 1
    while accounts.ids_with_handle(tx, candidate):
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def initial_state(tx: ReadTransaction, user: int) -> InitialState:
    return InitialState(read_states.read_states(tx, user))
