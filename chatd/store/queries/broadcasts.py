"""Broadcasts: notifications of everybody who was a user when they were made. One row, however many users there are.

A user's own state of it (read, or deleted) is a mark, which is written when there is one. Broadcasts take their
numbers from the notifications', for clients see them as such.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, Integer, Text, bindparam, column, insert, select, table, update
from sqlalchemy.dialects.sqlite import insert as insert_or

from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import broadcast_marks, broadcasts, users
from protocol.ids import Ref
from protocol.model import Notification

_B, _M = broadcasts.c, broadcast_marks.c
_sequence = table("sqlite_sequence", column("name", Text), column("seq", Integer))
_INSERT = Prepared(insert(broadcasts))
_RAISE = Prepared(update(_sequence).where(_sequence.c.name == "notifications").values(seq=bindparam("number")))
_START = Prepared(insert(_sequence).values(name="notifications", seq=bindparam("number")))
_FOR_USER = (
    select(_B.id, _B.created, _B.type, _B.title, _B.content, _B.related, _M.broadcast)
    .select_from(
        broadcasts.join(users, users.c.id == bindparam("user")).outerjoin(
            broadcast_marks, (_M.user == users.c.id) & (_M.broadcast == _B.id)
        )
    )
    .where(_B.created >= users.c.created, _M.deleted.is_distinct_from(1))
)
_BY_ID = Prepared(_FOR_USER.where(_B.id == bindparam("id")))
_UNREAD = Prepared(_FOR_USER.where(_M.broadcast.is_(None)).order_by(_B.id))
_put = insert_or(broadcast_marks)
_MARK = Prepared(
    _put.on_conflict_do_update(index_elements=[_M.user, _M.broadcast], set_={"deleted": _put.excluded.deleted})
)


def _windows(unread: bool) -> dict[str, Prepared]:
    one = _FOR_USER.where(_M.broadcast.is_(None)) if unread else _FOR_USER
    limit: BindParameter[int] = bindparam("limit")
    return {
        "before": Prepared(one.where(_B.id < bindparam("id")).order_by(_B.id.desc()).limit(limit)),
        "after": Prepared(one.where(_B.id > bindparam("id")).order_by(_B.id).limit(limit)),
    }


_PAGES = {unread: _windows(unread) for unread in (False, True)}


def add(tx: Transaction, type: str, title: str, content: str, related: str | None) -> Ref:
    """A new one. Its number is taken from the notifications' for good, though no row of theirs has it."""
    id = tx.next_id("notifications")
    if not tx.run(_RAISE, number=id).rowcount:
        tx.run(_START, number=id)
    tx.run(_INSERT, id=id, type=type, title=title, content=content, related=related, created=tx.now)
    return Ref(id, tx.now // 1000)


def get(tx: ReadTransaction, user: Ref, id: int) -> Notification | None:
    """A broadcast as a user sees it, if they do."""
    row = tx.one(_BY_ID, user=user.number, id=id)
    return _build(user, row) if row else None


def page(
    tx: ReadTransaction, user: Ref, limit: int, *, before: int, after: int | None, unread: bool
) -> list[Notification]:
    """As a user sees them, newest first: those before a number, or the ones right after it."""
    pages = _PAGES[unread]
    if after is not None:
        rows = tx.all(pages["after"], user=user.number, id=after, limit=limit)[::-1]
    else:
        rows = tx.all(pages["before"], user=user.number, id=before, limit=limit)
    return [_build(user, row) for row in rows]


def unread(tx: ReadTransaction, user: Ref) -> list[Notification]:
    return [_build(user, row) for row in tx.all(_UNREAD, user=user.number)]


def mark(tx: Transaction, user: int, id: int, *, deleted: bool = False) -> None:
    """A user has read it, or deleted it."""
    tx.run(_MARK, user=user, broadcast=id, deleted=int(deleted))


def _build(user: Ref, row: tuple[Any, ...]) -> Notification:
    id, created, type, title, content, related, marked = row
    return Notification(Ref(id, created // 1000), user, type, title, content, marked is not None, related, created)
