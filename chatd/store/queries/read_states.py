"""What each member has not read: unread counts, derived from the members' cursors. No count is stored."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, exists, func, select

from chatd.store.dialect_functions import greatest
from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import ReadTransaction
from chatd.store.tables import conversations, members, messages
from protocol.ids import Ref
from protocol.model import Kind

MAX_UNREAD_COUNTED = 10_000
"""Unread messages are counted among so many of a conversation's newest messages. A count never exceeds this number."""

UNREAD_AFTER = greatest(members.c.cursor, members.c.began)
"""The message after which a member's unread messages begin: the last read one, or the last one before joining."""


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
_READ_STATES = Prepared(
    select(conversations.c.id, conversations.c.created, conversations.c.kind, UNREAD_AFTER, _unread.label("count"))
    .select_from(members.join(conversations, conversations.c.id == members.c.conversation))
    .where(members.c.user == bindparam("user"))
)


_has_newer = (
    exists().where(messages.c.conversation == members.c.conversation, messages.c.id > UNREAD_AFTER).correlate(members)
)
_UNREAD_COUNTS = Prepared(
    select(conversations.c.id, conversations.c.created, _unread.label("count"))
    .select_from(members.join(conversations, conversations.c.id == members.c.conversation))
    .where(members.c.user == bindparam("user"), _has_newer)
)
_cursor = (
    select(UNREAD_AFTER)
    .where(members.c.conversation == bindparam("conversation"), members.c.user == bindparam("user"))
    .scalar_subquery()
)
_COUNT_UNREAD = Prepared(_unread_after(bindparam("conversation"), _cursor, bindparam("user")))


class StoredReadState(NamedTuple):
    """A user's conversation: the message after which the unread messages begin, and how many are unread."""

    conversation: Ref
    kind: Kind
    cursor: int
    unread: int


def unread_counts(tx: ReadTransaction, user: int) -> list[tuple[Ref, int]]:
    """The conversations of a user that have unread messages, and how many. All others cost one look at an index."""
    return [(Ref(id, created // 1000), count) for id, created, count in tx.all(_UNREAD_COUNTS, user=user) if count]


def read_states(tx: ReadTransaction, user: int) -> list[StoredReadState]:
    """Every conversation of a user, with its unread count."""
    rows = tx.all(_READ_STATES, user=user)
    return [StoredReadState(Ref(id, created // 1000), kind, cursor, count) for id, created, kind, cursor, count in rows]


def count_unread(tx: ReadTransaction, conversation: int, user: int) -> int:
    """How many messages of other users a member has not read."""
    row = tx.one(_COUNT_UNREAD, conversation=conversation, user=user)
    return int(row[0]) if row else 0
