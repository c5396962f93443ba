"""Unread counts, derived from the members' cursors (chatd/store/queries/read_states.py)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, func, or_, select

from chatd.store.dialect_functions import greatest, json_integers
from chatd.store.tables import conversations, members, mentions, messages

MAX_UNREAD_COUNTED = 10_000
"""Unread messages are counted among so many of a conversation's newest messages. A count never exceeds this number."""

UNREAD_AFTER = greatest(func.coalesce(members.c.marked, members.c.cursor), members.c.began)
"""The message after which a member's unread messages begin: the last read one, or the last one before joining.

A member who has marked messages as unread has another one, `marked`."""


def _unread_after(conversation: Any, cursor: Any, user: Any) -> Select[Any]:
    """How many messages of others come after a cursor. It reads at most MAX_UNREAD_COUNTED rows of an index."""
    newest_messages = (
        select(messages.c.sender, messages.c.deleted)
        .where(messages.c.conversation == conversation, messages.c.id > cursor)
        .order_by(messages.c.id.desc())
        .limit(MAX_UNREAD_COUNTED)
        .correlate(members)
        .subquery()
    )
    return (
        select(func.count())
        .select_from(newest_messages)
        .where(newest_messages.c.sender != user, newest_messages.c.deleted.is_(None))
    )


_unread = _unread_after(members.c.conversation, UNREAD_AFTER, members.c.user).correlate(members).scalar_subquery()
READ_STATES = (
    select(conversations.c.id, conversations.c.created, conversations.c.kind, UNREAD_AFTER, _unread.label("count"))
    .select_from(members.join(conversations, conversations.c.id == members.c.conversation))
    .where(members.c.user == bindparam("user"))
)
UNREAD_AMONG = select(members.c.conversation, _unread.label("count")).where(
    members.c.user == bindparam("user"), members.c.conversation.in_(json_integers("ids"))
)
_has_newer = (
    exists().where(messages.c.conversation == members.c.conversation, messages.c.id > UNREAD_AFTER).correlate(members)
)
UNREAD_COUNTS = (
    select(conversations.c.id, conversations.c.created, _unread.label("count"))
    .select_from(members.join(conversations, conversations.c.id == members.c.conversation))
    .where(members.c.user == bindparam("user"), _has_newer)
)
_cursor = (
    select(UNREAD_AFTER)
    .where(members.c.conversation == bindparam("conversation"), members.c.user == bindparam("user"))
    .scalar_subquery()
)
COUNT_UNREAD = _unread_after(bindparam("conversation"), _cursor, bindparam("user"))
READ_TO = select(members.c.conversation, UNREAD_AFTER).where(
    members.c.user == bindparam("user"), members.c.conversation.in_(json_integers("ids"))
)
UNREAD_MENTIONS = (
    select(mentions.c.conversation, mentions.c.message)
    .select_from(
        members.join(
            mentions,
            and_(
                mentions.c.conversation == members.c.conversation,
                or_(mentions.c.user == members.c.user, mentions.c.user == 0),
                mentions.c.message > UNREAD_AFTER,
            ),
        ).join(messages, messages.c.id == mentions.c.message)
    )
    .where(members.c.user == bindparam("user"), messages.c.sender != members.c.user)
    .order_by(mentions.c.message)
)
UNREAD_MENTIONS_AMONG = UNREAD_MENTIONS.where(members.c.conversation.in_(json_integers("ids")))
