"""Notifications of users. The functions return `Notification`, made from rows.

A notification of a conversation has the type `message` and a conversation. It has a row only when a client must get
its number, or when it is dismissed: see chatd/store/queries/view_intervals.py. The row has no text. It has the number
of the last message that was sent under the notification (`related`). So an edited or deleted message also changes the
notification. An unread row is not returned when its conversation has nothing left to notify of.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from msgspec import UNSET

from chatd.store.compiled import notifications as sql
from chatd.store.queries import view_intervals
from chatd.store.queries.pages import NumberedPages
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.ids import Ref
from protocol.model import Notification

MAX_PREVIEW_CHARACTERS = 200
"""How much of a message its notification shows."""

_PAGES = {
    False: NumberedPages(sql.PAGE_BEFORE, sql.PAGE_AFTER),
    True: NumberedPages(sql.UNREAD_PAGE_BEFORE, sql.UNREAD_PAGE_AFTER),
}


class NotificationRow(NamedTuple):
    """The row of a notification of a conversation, and the last message that was sent under it."""

    ref: Ref
    created: int
    message: int


def get(tx: ReadTransaction, user: Ref, id: int) -> Notification | None:
    row = tx.one(sql.BY_ID, user=user.number, id=id)
    return _build(tx, user, row) if row else None


def of_another(tx: ReadTransaction, user: Ref, id: int) -> Ref | None:
    """A notification that exists and belongs to another user."""
    row = tx.one(sql.OF_ANOTHER, user=user.number, id=id)
    return Ref(row[0], row[1] // 1000) if row else None


def page(
    tx: ReadTransaction, user: Ref, limit: int, *, before: int, after: int | None, unread: bool
) -> list[Notification]:
    """A user's own notifications, newest first: the last ones before a number, or the next ones after it."""
    rows = _PAGES[unread].read(tx, limit, before=before, after=after, user=user.number)
    return [_build(tx, user, row) for row in rows]


def _build(tx: ReadTransaction, user: Ref, row: tuple[Any, ...]) -> Notification:
    id, created, type, title, content, read, conversation, related, extra, c_created = row
    about: Ref | str | None = related
    if conversation is not None:
        about = Ref(conversation, c_created // 1000)
        if type == "message":
            title, content = text_of(tx, _message_of(tx, conversation, user, related, read))
    return Notification(
        Ref(id, created // 1000),
        user,
        type,
        title,
        content,
        read is not None,
        about,
        created,
        UNSET if extra is None else json.loads(extra),
    )


def _message_of(tx: ReadTransaction, conversation: int, user: Ref, stored: str, read: int | None) -> int:
    """The message that a notification of a conversation shows; `stored` is the one in its row."""
    last = view_intervals.notified_message(tx, conversation, user.number) if read is None else None
    return int(stored) if last is None else last


def text_of(tx: ReadTransaction, message: int) -> tuple[str, str]:
    """A notification's title and text for a message: the sender, and the beginning of the content."""
    row = tx.one(sql.TEXT, id=message)
    if row is None:
        return "", ""
    content, deleted, display, name, title = row
    sender = display or name
    return (f"{sender} ({title})" if title else sender), "" if deleted else shortened(content)


def shortened(content: str) -> str:
    return content if len(content) <= MAX_PREVIEW_CHARACTERS else content[: MAX_PREVIEW_CHARACTERS - 1] + "…"


def add(
    tx: Transaction,
    user: Ref,
    type: str,
    title: str,
    content: str,
    *,
    conversation: Ref | None = None,
    related: str | None = None,
    extra: str | None = None,
    read: int | None = None,
) -> Notification:
    """Add a notification. `extra` is a JSON object."""
    id = tx.next_id("notifications")
    number = None if conversation is None else conversation.number
    tx.run(
        sql.INSERT,
        id=id,
        user=user.number,
        type=type,
        title=title,
        content=content,
        read=read,
        conversation=number,
        related=related,
        extra=extra,
        created=tx.now,
    )
    shown = UNSET if extra is None else json.loads(extra)
    about = conversation or related
    return Notification(Ref(id, tx.now // 1000), user, type, title, content, read is not None, about, tx.now, shown)


def add_row(tx: Transaction, user: int, conversation: int, message: int, *, read: int | None = None) -> NotificationRow:
    """Add a row for a notification of a conversation."""
    id = tx.next_id("notifications")
    tx.run(
        sql.INSERT,
        id=id,
        user=user,
        type="message",
        title="",
        content="",
        read=read,
        conversation=conversation,
        related=str(message),
        extra=None,
        created=tx.now,
    )
    return NotificationRow(Ref(id, tx.now // 1000), tx.now, message)


def find_unread(tx: ReadTransaction, user: int, conversation: int) -> NotificationRow | None:
    """The unread row of a conversation, also when the conversation has nothing left to notify of."""
    row = tx.one(sql.UNREAD_ROW, user=user, conversation=conversation)
    return NotificationRow(Ref(row[0], row[1] // 1000), row[1], int(row[2])) if row else None


def conversations_with_unread_row(tx: ReadTransaction, user: int) -> set[int]:
    """The conversations for which a user has an unread row."""
    return {conversation for (conversation,) in tx.all(sql.WITH_ROWS, user=user)}


def set_read(tx: Transaction, id: int) -> None:
    tx.run(sql.SET_READ, notification=id, read=tx.now)


def set_message(tx: Transaction, id: int, message: int) -> None:
    tx.run(sql.SET_MESSAGE, notification=id, related=str(message))


def remove(tx: Transaction, id: int) -> None:
    tx.run(sql.DELETE, notification=id)


def unread_own(tx: ReadTransaction, user: int) -> list[Ref]:
    """A user's unread notifications, without the notifications of conversations."""
    return [Ref(id, created // 1000) for id, created in tx.all(sql.UNREAD_OWN, user=user)]


def unread_about(tx: ReadTransaction, conversation: int) -> list[tuple[Ref, Ref]]:
    """Every unread row about a conversation, and its user."""
    rows = tx.all(sql.UNREAD_ABOUT, conversation=conversation)
    return [(Ref(id, created // 1000), Ref(u, born // 1000, subject)) for id, created, u, born, subject in rows]


def delete_about(tx: Transaction, user: int, conversation: int) -> None:
    """Delete a former member's notifications about the conversation."""
    tx.run(sql.DELETE_ABOUT, user_id=user, of=conversation)


def count(tx: ReadTransaction, user: int) -> int:
    """How many notifications a user has not read, counted from the rows."""
    row = tx.one(sql.COUNT, user=user)
    return int(row[0]) if row else 0
