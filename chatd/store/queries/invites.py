"""Invites: permissions to make an account. The token is kept only as a digest."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, or_, select, update

from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import invites

_I = invites.c
_COLUMNS = (_I.id, _I.admin, _I.uses, _I.expires, _I.maker, _I.created)
_USABLE = (_I.uses > 0, _I.expires > bindparam("now"))
_ADD = Prepared(insert(invites))
_BY_HASH = Prepared(select(*_COLUMNS).where(_I.hash == bindparam("hash"), *_USABLE))
_ALL = Prepared(select(*_COLUMNS).where(*_USABLE).order_by(_I.id))
_USE = Prepared(update(invites).where(_I.hash == bindparam("digest"), *_USABLE).values(uses=_I.uses - 1))
_REMOVE = Prepared(delete(invites).where(_I.id == bindparam("id")))
_DELETE_UNUSABLE = Prepared(delete(invites).where(or_(_I.uses <= 0, _I.expires <= bindparam("now"))))


class Invite(NamedTuple):
    """A row: `uses` is how often the invite can still be used, until `expires`."""

    id: int
    admin: int
    uses: int
    expires: int
    maker: str
    created: int


def add(tx: Transaction, hash: str, *, admin: bool, uses: int, expires: int, maker: str) -> Invite:
    """Add an invite, and delete the invites that can't be used any more."""
    tx.run(_DELETE_UNUSABLE, now=tx.now)
    made = Invite(tx.next_id("invites"), int(admin), uses, expires, maker, tx.now)
    tx.run(_ADD, hash=hash, **made._asdict())
    return made


def by_hash(tx: ReadTransaction, hash: str) -> Invite | None:
    """The invite, if it can be used now."""
    row = tx.one(_BY_HASH, hash=hash, now=tx.now)
    return Invite(*row) if row else None


def list_usable(tx: ReadTransaction) -> list[Invite]:
    """Every invite that can be used now."""
    return [Invite(*row) for row in tx.all(_ALL, now=tx.now)]


def use(tx: Transaction, hash: str) -> bool:
    """Use the invite once; return whether this was possible."""
    return tx.run(_USE, digest=hash, now=tx.now).rowcount > 0


def remove(tx: Transaction, id: int) -> bool:
    return tx.run(_REMOVE, id=id).rowcount > 0
