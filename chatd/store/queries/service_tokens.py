"""Tokens of services. A token is kept only as a digest."""

from __future__ import annotations

from typing import NamedTuple

from chatd.store.compiled import service_tokens as sql
from chatd.store.sqlite.transaction import ReadTransaction, Transaction


class Service(NamedTuple):
    """A program with some permissions; the scopes are separated by blanks."""

    name: str
    scopes: str
    created: int


def add(tx: Transaction, name: str, hash: str, scopes: str) -> None:
    tx.run(sql.ADD, name=name, hash=hash, scopes=scopes, created=tx.now)


def by_hash(tx: ReadTransaction, hash: str) -> Service | None:
    row = tx.one(sql.BY_HASH, hash=hash)
    return Service(*row) if row else None


def by_name(tx: ReadTransaction, name: str) -> Service | None:
    row = tx.one(sql.BY_NAME, name=name)
    return Service(*row) if row else None


def list_all(tx: ReadTransaction) -> list[Service]:
    return [Service(*row) for row in tx.all(sql.ALL)]


def remove(tx: Transaction, name: str) -> bool:
    return tx.run(sql.REMOVE, name=name).rowcount > 0
