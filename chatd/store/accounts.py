"""Sessions and names: the statements that only accounts need. Of a refresh token nothing is kept but digests."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, or_, select, update

from chatd.store.prepared import Prepared
from chatd.store.tables import refresh_tokens, users
from chatd.store.transaction import Reading, Transaction


class Session(NamedTuple):
    """A row: the digest of the one refresh token that is good now, whose it is, and until when."""

    hash: str
    user: int
    expires: int


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


def keep(tx: Transaction, family: str, hash: str, user: int, expires: int) -> None:
    """A new session; those that have expired make room."""
    tx.run(_SWEEP, now=tx.now)
    tx.run(_KEEP, family=family, hash=hash, user=user, created=tx.now, expires=expires)


def find(tx: Reading, family: str) -> Session | None:
    row = tx.one(_FIND, family=family)
    return Session(*row) if row else None


def renew(tx: Transaction, family: str, hash: str, expires: int) -> None:
    tx.run(_RENEW, session=family, hash=hash, expires=expires)


def end(tx: Transaction, family: str) -> None:
    tx.run(_END, family=family)


def holders(tx: Reading, handle: str) -> list[int]:
    """Who goes by this name or address."""
    return [id for (id,) in tx.all(_HOLDERS, handle=handle)]


def set_name(tx: Transaction, user: int, name: str) -> None:
    tx.run(_NAME, user=user, name=name)


def set_password(tx: Transaction, user: int, password: str) -> None:
    tx.run(_PASSWORD, user=user, password=password)


def forget_subject(tx: Transaction, user: int) -> None:
    tx.run(_SUBJECT, user=user)
