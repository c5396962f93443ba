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
    """A user's conversation: the message after which the unread messages begin, and how many are unread."""

    conversation: Ref
    kind: Kind
    cursor: int
    unread: int


def unread_counts(tx: ReadTransaction, user: int) -> list[tuple[Ref, int]]:
    """The conversations of a user that have unread messages, and how many. All others cost one look at an index."""
    return [(Ref(id, created // 1000), count) for id, created, count in tx.all(sql.UNREAD_COUNTS, user=user) if count]


def read_states(tx: ReadTransaction, user: int) -> list[StoredReadState]:
    """Every conversation of a user, with its unread count."""
    rows = tx.all(sql.READ_STATES, user=user)
    return [StoredReadState(Ref(id, created // 1000), kind, cursor, count) for id, created, kind, cursor, count in rows]


def count_unread(tx: ReadTransaction, conversation: int, user: int) -> int:
    """How many messages of other users a member has not read."""
    row = tx.one(sql.COUNT_UNREAD, conversation=conversation, user=user)
    return int(row[0]) if row else 0
