"""Tokens of services. A token is kept only as a digest."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select

from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import service_tokens

_T = service_tokens.c
_ADD = Prepared(insert(service_tokens))
_BY_HASH = Prepared(select(_T.name, _T.scopes, _T.created).where(_T.hash == bindparam("hash")))
_BY_NAME = Prepared(select(_T.name, _T.scopes, _T.created).where(_T.name == bindparam("name")))
_ALL = Prepared(select(_T.name, _T.scopes, _T.created).order_by(_T.name))
_REMOVE = Prepared(delete(service_tokens).where(_T.name == bindparam("name")))


class Service(NamedTuple):
    """A program with some permissions; the scopes are separated by blanks."""

    name: str
    scopes: str
    created: int


def add(tx: Transaction, name: str, hash: str, scopes: str) -> None:
    tx.run(_ADD, name=name, hash=hash, scopes=scopes, created=tx.now)


def by_hash(tx: ReadTransaction, hash: str) -> Service | None:
    row = tx.one(_BY_HASH, hash=hash)
    return Service(*row) if row else None


def by_name(tx: ReadTransaction, name: str) -> Service | None:
    row = tx.one(_BY_NAME, name=name)
    return Service(*row) if row else None


def list_all(tx: ReadTransaction) -> list[Service]:
    return [Service(*row) for row in tx.all(_ALL)]


def remove(tx: Transaction, name: str) -> bool:
    return tx.run(_REMOVE, name=name).rowcount > 0
