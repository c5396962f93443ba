"""Login sessions, names, passwords and known places: the statements that only accounts need.

Refresh tokens, and addresses from which users sign in, are kept only as digests.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, or_, select, update

from chatd.store.dialect_functions import upsert
from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import known_places, refresh_tokens, users


class LoginSession(NamedTuple):
    """A row: the digest of the one refresh token that is valid now, its user, and its expiry."""

    hash: str
    user: int
    expires: int


MAX_KNOWN_PLACES = 32
"""How many places are kept of a user: the latest ones."""

_T = refresh_tokens.c
_ADD = Prepared(insert(refresh_tokens))
_FIND = Prepared(select(_T.hash, _T.user, _T.expires).where(_T.family == bindparam("family")))
_RENEW = Prepared(
    update(refresh_tokens)
    .where(_T.family == bindparam("session"))
    .values(hash=bindparam("hash"), expires=bindparam("expires"))
)
_DELETE = Prepared(delete(refresh_tokens).where(_T.family == bindparam("family")))
_DELETE_OF_USER = Prepared(delete(refresh_tokens).where(_T.user == bindparam("user")))
_DELETE_EXPIRED = Prepared(delete(refresh_tokens).where(_T.expires <= bindparam("now")))
_IDS_WITH_HANDLE = Prepared(
    select(users.c.id).where(or_(users.c.name == bindparam("handle"), users.c.email == bindparam("handle")))
)
_SET_NAME = Prepared(update(users).where(users.c.id == bindparam("user")).values(name=bindparam("name")))
_CLEAR_SUBJECT = Prepared(update(users).where(users.c.id == bindparam("user")).values(subject=None))
_SET_PASSWORD = Prepared(update(users).where(users.c.id == bindparam("user")).values(password=bindparam("password")))
_P = known_places.c
_IS_KNOWN = Prepared(select(_P.at).where(_P.user == bindparam("user"), _P.place == bindparam("place")))
_put = upsert(known_places)
_ADD_PLACE = Prepared(_put.on_conflict_do_update(index_elements=[_P.user, _P.place], set_={"at": _put.excluded.at}))
_OLDER = select(_P.place).where(_P.user == bindparam("user")).order_by(_P.at.desc(), _P.place).offset(MAX_KNOWN_PLACES)
_DELETE_OLDER = Prepared(delete(known_places).where(_P.user == bindparam("user"), _P.place.in_(_OLDER)))
_DELETE_PLACES = Prepared(delete(known_places).where(_P.user == bindparam("user")))


def add_login_session(tx: Transaction, family: str, hash: str, user: int, expires: int) -> None:
    """Add a login session, and delete the expired ones."""
    tx.run(_DELETE_EXPIRED, now=tx.now)
    tx.run(_ADD, family=family, hash=hash, user=user, created=tx.now, expires=expires)


def find_login_session(tx: ReadTransaction, family: str) -> LoginSession | None:
    row = tx.one(_FIND, family=family)
    return LoginSession(*row) if row else None


def renew_login_session(tx: Transaction, family: str, hash: str, expires: int) -> None:
    tx.run(_RENEW, session=family, hash=hash, expires=expires)


def delete_login_session(tx: Transaction, family: str) -> bool:
    """Delete a login session; return whether there was one."""
    return tx.run(_DELETE, family=family).rowcount > 0


def delete_all_login_sessions(tx: Transaction, user: int) -> None:
    """Delete all login sessions of a user."""
    tx.run(_DELETE_OF_USER, user=user)


def ids_with_handle(tx: ReadTransaction, handle: str) -> list[int]:
    """The users with this name or email address."""
    return [id for (id,) in tx.all(_IDS_WITH_HANDLE, handle=handle)]


def set_name(tx: Transaction, user: int, name: str) -> None:
    tx.run(_SET_NAME, user=user, name=name)


def set_password(tx: Transaction, user: int, password: str) -> None:
    tx.run(_SET_PASSWORD, user=user, password=password)


def clear_subject(tx: Transaction, user: int) -> None:
    tx.run(_CLEAR_SUBJECT, user=user)


def is_known_place(tx: ReadTransaction, user: int, place: str) -> bool:
    """Whether the user has signed in from this place."""
    return tx.one(_IS_KNOWN, user=user, place=place) is not None


def add_known_place(tx: Transaction, user: int, place: str) -> None:
    """Record that the user has signed in from this place; only the latest MAX_KNOWN_PLACES are kept."""
    tx.run(_ADD_PLACE, user=user, place=place, at=tx.now)
    tx.run(_DELETE_OLDER, user=user)


def delete_known_places(tx: Transaction, user: int) -> None:
    tx.run(_DELETE_PLACES, user=user)
