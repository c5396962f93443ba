"""What each member has not read: unread counts, derived from the members' cursors. No count is stored."""

from __future__ import annotations

from typing import NamedTuple

from chatd.store.compiled import read_states as sql
from chatd.store.sqlite.transaction import ReadTransaction
from protocol.ids import Ref
from protocol.model import Kind

MAX_UNREAD_COUNTED = sql.MAX_UNREAD_COUNTED
"""Unread messages are counted among so many of a conversation's newest messages. A count never exceeds this number."""


class StoredReadState(NamedTuple):
    """A user's conversation: the message after which the unread messages begin, and how many are unread.

    `mentions` are the unread messages that mention the user.
    """

    conversation: Ref
    kind: Kind
    cursor: int
    unread: int
    mentions: tuple[int, ...] = ()


class OwnReadState(NamedTuple):
    """The message after which the unread messages begin, and the unread messages that mention the user."""

    read_to: int
    mentions: tuple[int, ...]


def unread_counts(tx: ReadTransaction, user: int) -> list[tuple[Ref, int]]:
    """The conversations of a user that have unread messages, and how many. All others cost one look at an index."""
    return [(Ref(id, created // 1000), count) for id, created, count in tx.all(sql.UNREAD_COUNTS, user=user) if count]


def read_states(tx: ReadTransaction, user: int) -> list[StoredReadState]:
    """Every conversation of a user, with its unread count."""
    rows, mentions = tx.all(sql.READ_STATES, user=user), unread_mentions(tx, user)
    return [
        StoredReadState(Ref(id, created // 1000), kind, cursor, count, mentions.get(id, ()))
        for id, created, kind, cursor, count in rows
    ]


def own_read_states(tx: ReadTransaction, user: int, conversations: list[int]) -> dict[int, OwnReadState]:
    """What a user has read in some conversations, by conversation."""
    mentions = _by_conversation(tx.all(sql.UNREAD_MENTIONS_AMONG, user=user, ids=str(conversations)))
    rows = tx.all(sql.READ_TO, user=user, ids=str(conversations))
    return {id: OwnReadState(read_to, mentions.get(id, ())) for id, read_to in rows}


def unread_mentions(tx: ReadTransaction, user: int) -> dict[int, tuple[int, ...]]:
    """The unread messages that mention a user, by conversation."""
    return _by_conversation(tx.all(sql.UNREAD_MENTIONS, user=user))


def _by_conversation(rows: list[tuple[int, int]]) -> dict[int, tuple[int, ...]]:
    found: dict[int, dict[int, None]] = {}  # a message may mention the user and all members
    for conversation, message in rows:
        found.setdefault(conversation, {})[message] = None
    return {conversation: tuple(messages) for conversation, messages in found.items()}


def unread_among(tx: ReadTransaction, user: int, conversations: list[int]) -> dict[int, int]:
    """How many messages a user has not read in some conversations, by conversation."""
    return dict(tx.all(sql.UNREAD_AMONG, user=user, ids=str(conversations)))


def count_unread(tx: ReadTransaction, conversation: int, user: int) -> int:
    """How many messages of other users a member has not read."""
    row = tx.one(sql.COUNT_UNREAD, conversation=conversation, user=user)
    return int(row[0]) if row else 0
