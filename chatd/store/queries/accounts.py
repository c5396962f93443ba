"""Login sessions, names, passwords and known places: the statements that only accounts need.

Refresh tokens, and addresses from which users sign in, are kept only as digests.
"""

from __future__ import annotations

from typing import NamedTuple

from chatd.store.compiled import accounts as sql
from chatd.store.sqlite.transaction import ReadTransaction, Transaction


class LoginSession(NamedTuple):
    """A row: the digest of the one refresh token that is valid now, its user, and its expiry."""

    hash: str
    user: int
    expires: int


class SignedIn(NamedTuple):
    """A login session, as its user may see it."""

    family: str
    device: str | None
    created: int
    used: int | None
    expires: int


def add_login_session(tx: Transaction, family: str, hash: str, user: int, expires: int, device: str | None) -> None:
    """Add a login session, and delete the expired ones."""
    tx.run(sql.DELETE_EXPIRED, now=tx.now)
    values = {"family": family, "hash": hash, "user": user, "expires": expires, "device": device}
    tx.run(sql.ADD, created=tx.now, used=tx.now, **values)


def login_sessions_of(tx: ReadTransaction, user: int) -> list[SignedIn]:
    """The login sessions of a user, those used last first."""
    return [SignedIn(*row) for row in tx.all(sql.OF_USER, user=user, now=tx.now)]


def password_of(tx: ReadTransaction, user: int) -> str | None:
    """The hash of a user's password."""
    row = tx.one(sql.PASSWORD_OF, user=user)
    return row[0] if row else None


def find_login_session(tx: ReadTransaction, family: str) -> LoginSession | None:
    row = tx.one(sql.FIND, family=family)
    return LoginSession(*row) if row else None


def renew_login_session(tx: Transaction, family: str, hash: str, expires: int) -> None:
    tx.run(sql.RENEW, session=family, hash=hash, expires=expires, used=tx.now)


def delete_login_session(tx: Transaction, family: str) -> bool:
    """Delete a login session; return whether there was one."""
    return tx.run(sql.DELETE, family=family).rowcount > 0


def delete_all_login_sessions(tx: Transaction, user: int) -> None:
    """Delete all login sessions of a user."""
    tx.run(sql.DELETE_OF_USER, user=user)


def ids_with_handle(tx: ReadTransaction, handle: str) -> list[int]:
    """The users with this name or email address."""
    return [id for (id,) in tx.all(sql.IDS_WITH_HANDLE, handle=handle)]


def set_name(tx: Transaction, user: int, name: str) -> None:
    tx.run(sql.SET_NAME, user=user, name=name)


def set_password(tx: Transaction, user: int, password: str) -> None:
    tx.run(sql.SET_PASSWORD, user=user, password=password)


def clear_subject(tx: Transaction, user: int) -> None:
    tx.run(sql.CLEAR_SUBJECT, user=user)


def is_known_place(tx: ReadTransaction, user: int, place: str) -> bool:
    """Whether the user has signed in from this place."""
    return tx.one(sql.IS_KNOWN, user=user, place=place) is not None


def add_known_place(tx: Transaction, user: int, place: str) -> None:
    """Record that the user has signed in from this place; only the latest sql.MAX_KNOWN_PLACES are kept."""
    tx.run(sql.ADD_PLACE, user=user, place=place, at=tx.now)
    tx.run(sql.DELETE_OLDER, user=user)


def delete_known_places(tx: Transaction, user: int) -> None:
    tx.run(sql.DELETE_PLACES, user=user)
