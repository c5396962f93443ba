"""Invites: permissions to make an account. The token is kept only as a digest."""

from __future__ import annotations

from typing import NamedTuple

from chatd.store.compiled import invites as sql
from chatd.store.sqlite.transaction import ReadTransaction, Transaction


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
    tx.run(sql.DELETE_UNUSABLE, now=tx.now)
    made = Invite(tx.next_id("invites"), int(admin), uses, expires, maker, tx.now)
    tx.run(sql.ADD, hash=hash, **made._asdict())
    return made


def by_hash(tx: ReadTransaction, hash: str) -> Invite | None:
    """The invite, if it can be used now."""
    row = tx.one(sql.BY_HASH, hash=hash, now=tx.now)
    return Invite(*row) if row else None


def list_usable(tx: ReadTransaction) -> list[Invite]:
    """Every invite that can be used now."""
    return [Invite(*row) for row in tx.all(sql.ALL, now=tx.now)]


def use(tx: Transaction, hash: str) -> bool:
    """Use the invite once; return whether this was possible."""
    return tx.run(sql.USE, digest=hash, now=tx.now).rowcount > 0


def remove(tx: Transaction, id: int) -> bool:
    return tx.run(sql.REMOVE, id=id).rowcount > 0
