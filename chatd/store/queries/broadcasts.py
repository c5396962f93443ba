"""Broadcasts: notifications for all users who existed when the broadcast was made. One row for all of them.

A user who has read or deleted a broadcast has a row of marks; the other users have none. Broadcasts and notifications
share one sequence of numbers, because clients see broadcasts as notifications.
"""

from __future__ import annotations

from typing import Any

from chatd.store.compiled import broadcasts as sql
from chatd.store.queries.pages import NumberedPages
from chatd.store.sqlite.sequences import keep_number
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.ids import Ref
from protocol.model import Notification

_PAGES = {
    False: NumberedPages(sql.PAGE_BEFORE, sql.PAGE_AFTER),
    True: NumberedPages(sql.UNREAD_PAGE_BEFORE, sql.UNREAD_PAGE_AFTER),
}


def add(tx: Transaction, type: str, title: str, content: str, related: str | None) -> Ref:
    """Add a broadcast. Its number is one of the notifications' sequence, and no notification gets it."""
    id = tx.next_id("notifications")
    keep_number(tx, "notifications", id)
    tx.run(sql.INSERT, id=id, type=type, title=title, content=content, related=related, created=tx.now)
    return Ref(id, tx.now // 1000)


def get(tx: ReadTransaction, user: Ref, id: int) -> Notification | None:
    """A broadcast with a user's marks; None when the user does not see it."""
    row = tx.one(sql.BY_ID, user=user.number, id=id)
    return _build(user, row) if row else None


def page(
    tx: ReadTransaction, user: Ref, limit: int, *, before: int, after: int | None, unread: bool
) -> list[Notification]:
    """A user's broadcasts, newest first: the last ones before a number, or the next ones after it."""
    rows = _PAGES[unread].read(tx, limit, before=before, after=after, user=user.number)
    return [_build(user, row) for row in rows]


def unread(tx: ReadTransaction, user: Ref) -> list[Notification]:
    return [_build(user, row) for row in tx.all(sql.UNREAD, user=user.number)]


def mark(tx: Transaction, user: int, id: int, *, deleted: bool = False) -> None:
    """Record that a user has read a broadcast, or deleted it."""
    tx.run(sql.MARK, user=user, broadcast=id, deleted=int(deleted))


def _build(user: Ref, row: tuple[Any, ...]) -> Notification:
    id, created, type, title, content, related, marked = row
    return Notification(Ref(id, created // 1000), user, type, title, content, marked is not None, related, created)
