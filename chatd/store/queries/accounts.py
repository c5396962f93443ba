"""Sessions, names and known places: the statements that only accounts need.

Of a refresh token, and of an address, nothing is kept but digests.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, or_, select, update

from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import known_places, refresh_tokens, users


class LoginSession(NamedTuple):
    """A row: the digest of the one refresh token that is good now, whose it is, and until when."""

    hash: str
    user: int
    expires: int


PLACES = 32
"""The places that are remembered of a user: those of the last times."""

_T = refresh_tokens.c
_KEEP = Prepared(insert(refresh_tokens))
_FIND = Prepared(select(_T.hash, _T.user, _T.expires).where(_T.family == bindparam("family")))
_RENEW = Prepared(
    update(refresh_tokens)
    .where(_T.family == bindparam("session"))
    .values(hash=bindparam("hash"), expires=bindparam("expires"))
)
_END = Prepared(delete(refresh_tokens).where(_T.family == bindparam("family")))
_SWEEP = Prepared(delete(refresh_tokens).where(_T.expires <= bindparam("now")))
_HOLDERS = Prepared(
    select(users.c.id).where(or_(users.c.name == bindparam("handle"), users.c.email == bindparam("handle")))
)
_NAME = Prepared(update(users).where(users.c.id == bindparam("user")).values(name=bindparam("name")))
_SUBJECT = Prepared(update(users).where(users.c.id == bindparam("user")).values(subject=None))
_PASSWORD = Prepared(update(users).where(users.c.id == bindparam("user")).values(password=bindparam("password")))
_P = known_places.c
_KNOWS = Prepared(select(_P.at).where(_P.user == bindparam("user"), _P.place == bindparam("place")))
_REMEMBER = Prepared(insert(known_places).prefix_with("OR REPLACE"))
_OLDER = select(_P.place).where(_P.user == bindparam("user")).order_by(_P.at.desc(), _P.place).offset(PLACES).limit(-1)
_FORGET_OLDER = Prepared(delete(known_places).where(_P.user == bindparam("user"), _P.place.in_(_OLDER)))
_FORGET_PLACES = Prepared(delete(known_places).where(_P.user == bindparam("user")))


def keep(tx: Transaction, family: str, hash: str, user: int, expires: int) -> None:
    """A new session; those that have expired make room."""
    tx.run(_SWEEP, now=tx.now)
    tx.run(_KEEP, family=family, hash=hash, user=user, created=tx.now, expires=expires)


def find(tx: ReadTransaction, family: str) -> LoginSession | None:
    row = tx.one(_FIND, family=family)
    return LoginSession(*row) if row else None


def renew(tx: Transaction, family: str, hash: str, expires: int) -> None:
    tx.run(_RENEW, session=family, hash=hash, expires=expires)


def end(tx: Transaction, family: str) -> bool:
    """Whether there was such a session."""
    return tx.run(_END, family=family).rowcount > 0


def holders(tx: ReadTransaction, handle: str) -> list[int]:
    """Who goes by this name or address."""
    return [id for (id,) in tx.all(_HOLDERS, handle=handle)]


def set_name(tx: Transaction, user: int, name: str) -> None:
    tx.run(_NAME, user=user, name=name)


def set_password(tx: Transaction, user: int, password: str) -> None:
    tx.run(_PASSWORD, user=user, password=password)


def forget_subject(tx: Transaction, user: int) -> None:
    tx.run(_SUBJECT, user=user)


def knows(tx: ReadTransaction, user: int, place: str) -> bool:
    """Whether the user has signed in from there."""
    return tx.one(_KNOWS, user=user, place=place) is not None


def remember(tx: Transaction, user: int, place: str) -> None:
    tx.run(_REMEMBER, user=user, place=place, at=tx.now)
    tx.run(_FORGET_OLDER, user=user)


def forget_places(tx: Transaction, user: int) -> None:
    tx.run(_FORGET_PLACES, user=user)
