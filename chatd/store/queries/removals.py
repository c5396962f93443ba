"""Deleted conversations: one small transaction makes a conversation invisible, later steps remove its rows.

    begin   deletes the members and the unread notifications; a private conversation is no longer found by its two
            users; adds a row to `removals`
    step    deletes at most `limit` rows of one table; the last step deletes the conversation and its row in `removals`

All queries find a conversation through its members, so without members it does not exist. Only read notifications are
found by their user: that query also checks `removals` (chatd/store/queries/notifications.py).
"""

from __future__ import annotations

from sqlalchemy import BindParameter, Table, bindparam, delete, insert, null, select, tuple_, update

from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import Transaction
from chatd.store.tables import (
    conversations,
    members,
    messages,
    notifications,
    read_marks,
    removals,
    session_rooms,
    watches,
)

_OF: BindParameter[int] = bindparam("of")
_ADD = Prepared(insert(removals))
_DELETE_MEMBERS = Prepared(delete(members).where(members.c.conversation == _OF))
_DELETE_NOTIFICATIONS = Prepared(
    delete(notifications).where(notifications.c.conversation == _OF, notifications.c.read.is_(None))
)
_FORGET_PAIR = Prepared(
    update(conversations).where(conversations.c.id == _OF).values(kind="group", peer=null(), title=null())
)
_OLDEST = Prepared(select(removals.c.conversation).order_by(removals.c.conversation).limit(1))
_DELETE_CONVERSATION = Prepared(delete(conversations).where(conversations.c.id == _OF))


def _delete_some(table: Table) -> Prepared:
    """The statement that deletes some of a table's rows of a conversation."""
    key = list(table.primary_key)
    found = select(*key).where(table.c.conversation == _OF).order_by(*key).limit(bindparam("limit"))
    return Prepared(delete(table).where((key[0] if len(key) == 1 else tuple_(*key)).in_(found)))


_DELETE_CONTENT = [_delete_some(table) for table in (messages, read_marks, notifications, watches, session_rooms)]


def begin(tx: Transaction, conversation: int) -> None:
    """Make the conversation invisible to all users, and mark it for removal."""
    tx.run(_ADD, conversation=conversation, at=tx.now)
    tx.run(_DELETE_MEMBERS, of=conversation)
    tx.run(_DELETE_NOTIFICATIONS, of=conversation)
    tx.run(_FORGET_PAIR, of=conversation)


def step(tx: Transaction, limit: int) -> bool:
    """Delete some rows of the oldest removal; return False when there is none."""
    row = tx.one(_OLDEST)
    if row is None:
        return False
    conversation = row[0]
    if not any(tx.run(statement, of=conversation, limit=limit).rowcount for statement in _DELETE_CONTENT):
        tx.run(_DELETE_CONVERSATION, of=conversation)
    return True
