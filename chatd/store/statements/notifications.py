"""Notifications of one user (chatd/store/queries/notifications.py)."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, delete, exists, func, insert, or_, select, update

from chatd.store.statements.pages import numbered_pages
from chatd.store.statements.view_intervals import MEMBERS_WITH_INTERVALS, NOTIFIED_MESSAGE
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

_N = notifications.c
_OF_CONVERSATION = and_(_N.type == "message", _N.conversation.is_not(None))
_notified_message = (
    select(NOTIFIED_MESSAGE)
    .select_from(MEMBERS_WITH_INTERVALS)
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
_EXISTS = or_(_N.read.is_not(None), _N.type != "message", _N.conversation.is_(None), _notified_message.is_not(None))
_IS_REMOVED = exists().where(removals.c.conversation == _N.conversation).correlate(notifications)
_OWN = _ROW.where(_N.user == bindparam("user"), _EXISTS, ~_IS_REMOVED)
BY_ID = _OWN.where(_N.id == bindparam("id"))
OF_ANOTHER = select(_N.id, _N.created).where(_N.id == bindparam("id"), _N.user != bindparam("user"), _EXISTS)
UNREAD_ROW = select(_N.id, _N.created, _N.related).where(
    _N.user == bindparam("user"),
    _N.conversation == bindparam("conversation"),
    _N.type == "message",
    _N.read.is_(None),
)
WITH_ROWS = select(_N.conversation).where(_N.user == bindparam("user"), _N.read.is_(None), _OF_CONVERSATION)
INSERT = insert(notifications)
SET_READ = update(notifications).where(_N.id == bindparam("notification")).values(read=bindparam("read"))
SET_MESSAGE = update(notifications).where(_N.id == bindparam("notification")).values(related=bindparam("related"))
DELETE = delete(notifications).where(_N.id == bindparam("notification"))
UNREAD_OWN = (
    select(_N.id, _N.created).where(_N.user == bindparam("user"), _N.read.is_(None), ~_OF_CONVERSATION).order_by(_N.id)
)
UNREAD_ABOUT = (
    select(_N.id, _N.created, users.c.id, users.c.created, users.c.subject)
    .select_from(notifications.join(users, users.c.id == _N.user))
    .where(_N.conversation == bindparam("conversation"), _N.read.is_(None))
    .order_by(_N.id)
)
DELETE_ABOUT = delete(notifications).where(_N.user == bindparam("user_id"), _N.conversation == bindparam("of"))
TEXT = (
    select(messages.c.content, messages.c.deleted, users.c.display, users.c.name, conversations.c.title)
    .select_from(
        messages.join(users, users.c.id == messages.c.sender).join(
            conversations, conversations.c.id == messages.c.conversation
        )
    )
    .where(messages.c.id == bindparam("id"))
)
_MARKED_BROADCASTS = (
    select(func.count()).select_from(broadcast_marks).where(broadcast_marks.c.user == users.c.id).scalar_subquery()
)
COUNT = select(
    select(func.count())
    .select_from(notifications)
    .where(_N.user == users.c.id, _N.read.is_(None), ~_OF_CONVERSATION)
    .correlate(users)
    .scalar_subquery()
    + select(func.count(NOTIFIED_MESSAGE))
    .select_from(MEMBERS_WITH_INTERVALS)
    .where(members.c.user == users.c.id)
    .correlate(users)
    .scalar_subquery()
    + select(func.count())
    .select_from(broadcasts)
    .where(broadcasts.c.created >= users.c.created)
    .correlate(users)
    .scalar_subquery()
    - _MARKED_BROADCASTS
).where(users.c.id == bindparam("user"))
PAGE_BEFORE, PAGE_AFTER = numbered_pages(_OWN, _N.id)
UNREAD_PAGE_BEFORE, UNREAD_PAGE_AFTER = numbered_pages(_OWN.where(_N.read.is_(None)), _N.id)
