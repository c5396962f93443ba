"""Notifications: rows in, `Notification` out.

A notification of a conversation (type `message`, with a conversation) has a row only when somebody has to be told its
number, or when it is put away: see chatd/store/queries/view_intervals.py. Its row holds no text, but the number of the
message that it was last told about (`related`), so that an edited or deleted message is edited or gone here too. An
unread row of which there is nothing to be notified any more is not there, for whoever asks.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from msgspec import UNSET
from sqlalchemy import BindParameter, and_, bindparam, delete, exists, func, insert, or_, select, update

from chatd.store.queries import view_intervals
from chatd.store.queries.view_intervals import LAST, WATCHED
from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import (
    broadcast_marks,
    broadcasts,
    conversations,
    members,
    messages,
    notifications,
    removals,
    users,
)
from protocol.ids import Ref
from protocol.model import Notification

PREVIEW = 200  # characters of a message that its notification shows

_N = notifications.c
_OF_CONVERSATION = and_(_N.type == "message", _N.conversation.is_not(None))
_about = (
    select(LAST)
    .select_from(WATCHED)
    .where(members.c.conversation == _N.conversation, members.c.user == _N.user)
    .correlate(notifications)
    .scalar_subquery()
)
_ROW = select(
    _N.id,
    _N.created,
    _N.type,
    _N.title,
    _N.content,
    _N.read,
    _N.conversation,
    _N.related,
    _N.extra,
    conversations.c.created,
).select_from(notifications.outerjoin(conversations, conversations.c.id == _N.conversation))
_THERE = or_(_N.read.is_not(None), _N.type != "message", _N.conversation.is_(None), _about.is_not(None))
_REMOVED = exists().where(removals.c.conversation == _N.conversation).correlate(notifications)
_OWN = _ROW.where(_N.user == bindparam("user"), _THERE, ~_REMOVED)
_BY_ID = Prepared(_OWN.where(_N.id == bindparam("id")))
_OF_ANOTHER = Prepared(select(_N.id, _N.created).where(_N.id == bindparam("id"), _N.user != bindparam("user"), _THERE))
_LIVE = Prepared(
    select(_N.id, _N.created, _N.related).where(
        _N.user == bindparam("user"),
        _N.conversation == bindparam("conversation"),
        _N.type == "message",
        _N.read.is_(None),
    )
)
_WITH_ROWS = Prepared(select(_N.conversation).where(_N.user == bindparam("user"), _N.read.is_(None), _OF_CONVERSATION))
_INSERT = Prepared(insert(notifications))
_READ = Prepared(update(notifications).where(_N.id == bindparam("notification")).values(read=bindparam("read")))
_ABOUT = Prepared(update(notifications).where(_N.id == bindparam("notification")).values(related=bindparam("related")))
_DELETE = Prepared(delete(notifications).where(_N.id == bindparam("notification")))
_UNREAD_OWN = Prepared(
    select(_N.id, _N.created).where(_N.user == bindparam("user"), _N.read.is_(None), ~_OF_CONVERSATION).order_by(_N.id)
)
_CONCERNING = Prepared(
    select(_N.id, _N.created, users.c.id, users.c.created, users.c.subject)
    .select_from(notifications.join(users, users.c.id == _N.user))
    .where(_N.conversation == bindparam("conversation"), _N.read.is_(None))
    .order_by(_N.id)
)
_FORGET = Prepared(delete(notifications).where(_N.user == bindparam("who"), _N.conversation == bindparam("of")))
_TEXT = Prepared(
    select(messages.c.content, messages.c.deleted, users.c.display, users.c.name, conversations.c.title)
    .select_from(
        messages.join(users, users.c.id == messages.c.sender).join(
            conversations, conversations.c.id == messages.c.conversation
        )
    )
    .where(messages.c.id == bindparam("id"))
)
_SEEN = select(func.count()).select_from(broadcast_marks).where(broadcast_marks.c.user == users.c.id).scalar_subquery()
_COUNT = Prepared(
    select(
        select(func.count())
        .select_from(notifications)
        .where(_N.user == users.c.id, _N.read.is_(None), ~_OF_CONVERSATION)
        .correlate(users)
        .scalar_subquery()
        + select(func.count(LAST))
        .select_from(WATCHED)
        .where(members.c.user == users.c.id)
        .correlate(users)
        .scalar_subquery()
        + select(func.count())
        .select_from(broadcasts)
        .where(broadcasts.c.created >= users.c.created)
        .correlate(users)
        .scalar_subquery()
        - _SEEN
    ).where(users.c.id == bindparam("user"))
)


def _windows(unread: bool) -> dict[str, Prepared]:
    """The page next to a number, on either side; newest first, or for `after` oldest first."""
    one = _OWN.where(_N.read.is_(None)) if unread else _OWN
    limit: BindParameter[int] = bindparam("limit")
    return {
        "before": Prepared(one.where(_N.id < bindparam("id")).order_by(_N.id.desc()).limit(limit)),
        "after": Prepared(one.where(_N.id > bindparam("id")).order_by(_N.id).limit(limit)),
    }


_PAGES = {unread: _windows(unread) for unread in (False, True)}


class Live(NamedTuple):
    """The row of an unread notification of a conversation, and the message that was last told under it."""

    ref: Ref
    created: int
    told: int


def get(tx: ReadTransaction, user: Ref, id: int) -> Notification | None:
    row = tx.one(_BY_ID, user=user.number, id=id)
    return _build(tx, user, row) if row else None


def of_another(tx: ReadTransaction, user: Ref, id: int) -> Ref | None:
    """A notification that is there, of another user's."""
    row = tx.one(_OF_ANOTHER, user=user.number, id=id)
    return Ref(row[0], row[1] // 1000) if row else None


def page(
    tx: ReadTransaction, user: Ref, limit: int, *, before: int, after: int | None, unread: bool
) -> list[Notification]:
    """A user's own, newest first: those before a number, or the ones right after it."""
    pages = _PAGES[unread]
    if after is not None:
        rows = tx.all(pages["after"], user=user.number, id=after, limit=limit)[::-1]
    else:
        rows = tx.all(pages["before"], user=user.number, id=before, limit=limit)
    return [_build(tx, user, row) for row in rows]


def _build(tx: ReadTransaction, user: Ref, row: tuple[Any, ...]) -> Notification:
    id, created, type, title, content, read, conversation, related, extra, c_created = row
    about: Ref | str | None = related
    if conversation is not None:
        about = Ref(conversation, c_created // 1000)
        if type == "message":
            title, content = text_of(tx, _last_of(tx, conversation, user, related, read))
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


def _last_of(tx: ReadTransaction, conversation: int, user: Ref, told: str, read: int | None) -> int:
    last = view_intervals.last(tx, conversation, user.number) if read is None else None
    return int(told) if last is None else last


def text_of(tx: ReadTransaction, message: int) -> tuple[str, str]:
    """What a notification says of a message: who, and the beginning of it."""
    row = tx.one(_TEXT, id=message)
    if row is None:
        return "", ""
    content, deleted, display, name, title = row
    who = display or name
    return (f"{who} ({title})" if title else who), "" if deleted else shortened(content)


def shortened(content: str) -> str:
    return content if len(content) <= PREVIEW else content[: PREVIEW - 1] + "…"


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
    """A new one. `extra` is a JSON object."""
    id = tx.next_id("notifications")
    number = None if conversation is None else conversation.number
    tx.run(
        _INSERT,
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


def add_of(tx: Transaction, user: int, conversation: int, message: int, *, read: int | None = None) -> Live:
    """A row for a notification of a conversation."""
    id = tx.next_id("notifications")
    tx.run(
        _INSERT,
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
    return Live(Ref(id, tx.now // 1000), tx.now, message)


def live(tx: ReadTransaction, user: int, conversation: int) -> Live | None:
    """The unread row of a conversation, whether or not there is anything to be notified of."""
    row = tx.one(_LIVE, user=user, conversation=conversation)
    return Live(Ref(row[0], row[1] // 1000), row[1], int(row[2])) if row else None


def with_rows(tx: ReadTransaction, user: int) -> set[int]:
    """The conversations of which a user has an unread row."""
    return {conversation for (conversation,) in tx.all(_WITH_ROWS, user=user)}


def set_read(tx: Transaction, id: int) -> None:
    tx.run(_READ, notification=id, read=tx.now)


def set_about(tx: Transaction, id: int, message: int) -> None:
    tx.run(_ABOUT, notification=id, related=str(message))


def remove(tx: Transaction, id: int) -> None:
    tx.run(_DELETE, notification=id)


def unread_own(tx: ReadTransaction, user: int) -> list[Ref]:
    """What a user has not read, but for notifications of conversations."""
    return [Ref(id, created // 1000) for id, created in tx.all(_UNREAD_OWN, user=user)]


def concerning(tx: ReadTransaction, conversation: int) -> list[tuple[Ref, Ref]]:
    """Every unread row about a conversation, and whose it is."""
    rows = tx.all(_CONCERNING, conversation=conversation)
    return [(Ref(id, created // 1000), Ref(u, born // 1000, subject)) for id, created, u, born, subject in rows]


def forget(tx: Transaction, user: int, conversation: int) -> None:
    """Somebody is no longer a member: what was about the conversation is nothing to them."""
    tx.run(_FORGET, who=user, of=conversation)


def count(tx: ReadTransaction, user: int) -> int:
    """How many a user has not read, from scratch."""
    row = tx.one(_COUNT, user=user)
    return int(row[0]) if row else 0
