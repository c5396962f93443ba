"""Files: what is known of each, who may see it, and how much there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from chatd.store.compiled import files as sql
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.ids import Ref
from protocol.model import File

NEWEST = 2**62
HOUR_MILLISECONDS, DAY_HOURS = 3_600_000, 24


class Usage(NamedTuple):
    """Bytes of files: of one user, of one user since a time, of all users."""

    user: int
    recent: int
    all: int


class FileFilter(Struct, frozen=True):
    """Which files: of a user (0: of all), made before a time, of a size or larger, only those that no message has."""

    owner: int = 0
    before: int = NEWEST
    larger: int = 0
    drafts: bool = False


class ListedFile(Struct, frozen=True):
    """A file, as the shell lists it."""

    id: int
    name: str
    type: str
    size: int
    digest: str
    width: int | None
    created: int
    attached: int
    owner: int
    owner_name: str


def build_file(row: Sequence[Any]) -> File:
    """A file from a row of FILE_COLUMNS."""
    id, owner, name, type, size, digest, created, width, height, locked, price = row
    return File(Ref(id, created // 1000), owner, name, type, size, digest, created, width, height, locked == 1, price)


def get(tx: ReadTransaction, file: int) -> File | None:
    row = tx.one(sql.BY_ID, id=file)
    return None if row is None else build_file(row)


def many(tx: ReadTransaction, ids: Sequence[int]) -> dict[int, File]:
    return {row[0]: build_file(row) for row in tx.all(sql.BY_IDS, ids=str(list(ids)))}


def page(tx: ReadTransaction, owner: int, limit: int, *, before: int | None, after: int | None) -> list[File]:
    """The files of a user: the newest first, before one, or after one."""
    if after is not None:
        return [build_file(row) for row in tx.all(sql.NEXT, owner=owner, after=after, limit=limit)][::-1]
    return [build_file(row) for row in tx.all(sql.NEWEST, owner=owner, before=before or NEWEST, limit=limit)]


def listed(tx: ReadTransaction, filter: FileFilter, after: int, limit: int) -> list[ListedFile]:
    """The files after one that a filter accepts, in the order of their ids."""
    rows = tx.all(
        sql.LISTED,
        after=after,
        owner=filter.owner,
        before=filter.before,
        larger=filter.larger,
        drafts=int(filter.drafts),
        limit=limit,
    )
    return [ListedFile(*row) for row in rows]


def add(tx: Transaction, file: File) -> None:
    tx.run(
        sql.ADD,
        id=file.ref.number,
        owner=file.owner,
        digest=file.digest,
        name=file.name,
        type=file.type,
        size=file.size,
        width=file.width,
        height=file.height,
        locked=int(file.locked),
        price=file.price,
        created=file.created,
    )


def count_upload(tx: Transaction, owner: int, size: int) -> None:
    """Count an upload of a user for the limit by the day."""
    hour = tx.now // HOUR_MILLISECONDS
    tx.run(sql.COUNT_UPLOAD, owner=owner, hour=hour, size=size)
    tx.run(sql.FORGET_HOURS, owner=owner, hour=hour - DAY_HOURS)


def usage(tx: ReadTransaction, user: int, now: int) -> Usage:
    """How many bytes of files there are. The last 24 hours begin with a full hour."""
    sizes = (
        tx.one(sql.SIZE_OF_USER, owner=user),
        tx.one(sql.SIZE_SINCE, owner=user, hour=now // HOUR_MILLISECONDS - DAY_HOURS),
        tx.one(sql.SIZE_OF_ALL),
    )
    return Usage(*(int(row[0]) if row else 0 for row in sizes))


def is_visible(tx: ReadTransaction, file: int, user: int) -> bool:
    """Whether a message of one of the user's conversations has the file."""
    return tx.one(sql.IS_VISIBLE, file=file, user=user) is not None


def is_unlocked(tx: ReadTransaction, file: int, user: int) -> bool:
    return tx.one(sql.IS_UNLOCKED, file=file, user=user) is not None


def is_in(tx: ReadTransaction, file: int, conversation: int) -> bool:
    """Whether a message of the conversation has the file."""
    return tx.one(sql.IS_IN, file=file, conversation=conversation) is not None


def unlock(tx: Transaction, file: int, user: int) -> bool:
    """Unlock a file for a user (0: for all). Return False if it was unlocked for that user."""
    return bool(tx.run(sql.UNLOCK, file=file, user=user, at=tx.now).rowcount)


def of_message(tx: ReadTransaction, message: int) -> list[int]:
    """The files of a message."""
    return [row[0] for row in tx.all(sql.OF_MESSAGE, message=message)]


def set_attached(tx: Transaction, file: int) -> None:
    tx.run(sql.SET_ATTACHED, file=file)


def has_message(tx: ReadTransaction, file: int) -> bool:
    return tx.one(sql.HAS_MESSAGE, file=file) is not None


def delete(tx: Transaction, file: File) -> None:
    """Delete a file. Its content goes later, unless another file has it."""
    tx.run(sql.DELETE, file=file.ref.number)
    tx.run(sql.ADD_UNUSED, digest=file.digest)


def delete_unused(tx: Transaction, after: int, limit: int, drafts_before: int) -> int | None:
    """Look at some files, and delete those that no message has: drafts only if they are old.

    Return the last file that was looked at; None at the end.
    """
    rows = tx.all(sql.UNUSED, after=after, limit=limit, before=drafts_before)
    for id, digest, has_message, may_go in rows:
        if may_go and not has_message:
            tx.run(sql.DELETE, file=id)
            tx.run(sql.ADD_UNUSED, digest=digest)
    return rows[-1][0] if len(rows) == limit else None


def unused_contents(tx: ReadTransaction, limit: int) -> list[str]:
    """The digests of contents that may have no file any more."""
    return [row[0] for row in tx.all(sql.UNUSED_CONTENTS, limit=limit)]


def has_content(tx: ReadTransaction, digest: str) -> bool:
    """Whether a file has this content."""
    return tx.one(sql.HAS_CONTENT, digest=digest) is not None


def is_unused(tx: Transaction, digest: str) -> bool:
    """Whether no file has this content. If one has it, its note is forgotten in the same transaction."""
    if not has_content(tx, digest):
        return True
    forget_unused(tx, digest)
    return False


def forget_unused(tx: Transaction, digest: str) -> None:
    tx.run(sql.DELETE_UNUSED, digest=digest)
