"""Uploads that may go on after a break. What has arrived is in a file on the disk, whose size is the offset."""

from __future__ import annotations

from typing import NamedTuple

from chatd.store.compiled import uploads as sql
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.model import Upload


class Waiting(NamedTuple):
    """The uploads of a user that are not complete: how many, and the bytes that they announce."""

    uploads: int
    size: int


def add(tx: Transaction, upload: Upload) -> None:
    tx.run(sql.ADD, id=upload.id, owner=upload.owner, name=upload.name, size=upload.size, expires=upload.expires)


def get(tx: ReadTransaction, id: str) -> Upload | None:
    row = tx.one(sql.BY_ID, id=id)
    return None if row is None else Upload(*row)


def set_file(tx: Transaction, id: str, file: int) -> None:
    tx.run(sql.SET_FILE, upload=id, file=file)


def set_checked(tx: Transaction, id: str, offset: int | None) -> None:
    tx.run(sql.SET_CHECKED, upload=id, checked=offset)


def delete(tx: Transaction, id: str) -> None:
    tx.run(sql.DELETE, upload=id)


def expired(tx: ReadTransaction, now: int, limit: int) -> list[str]:
    return [row[0] for row in tx.all(sql.EXPIRED, now=now, limit=limit)]


def waiting(tx: ReadTransaction, owner: int) -> Waiting:
    row = tx.one(sql.WAITING, owner=owner)
    return Waiting(0, 0) if row is None else Waiting(*row)
