"""Deleted conversations: out of sight in one small transaction, and emptied in steps of so many rows.

    begin   no members, no unread notifications, no pair of users who would find it again; a row here
    step    at most `limit` rows of one table; in the end the conversation itself, and its row here with it

Whoever asks for a conversation asks for it by its members, so without any it is not there. Only notifications that are
read are found by their user: they are held against this table (chatd/store/queries/notifications.py).
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
_DISMISS = Prepared(delete(members).where(members.c.conversation == _OF))
_UNNOTIFY = Prepared(delete(notifications).where(notifications.c.conversation == _OF, notifications.c.read.is_(None)))
_LOOSEN = Prepared(
    update(conversations).where(conversations.c.id == _OF).values(kind="group", peer=null(), title=null())
)
_OLDEST = Prepared(select(removals.c.conversation).order_by(removals.c.conversation).limit(1))
_END = Prepared(delete(conversations).where(conversations.c.id == _OF))


def _some(table: Table) -> Prepared:
    """Some rows of a conversation."""
    key = list(table.primary_key)
    found = select(*key).where(table.c.conversation == _OF).order_by(*key).limit(bindparam("limit"))
    return Prepared(delete(table).where((key[0] if len(key) == 1 else tuple_(*key)).in_(found)))


_CONTENT = [_some(table) for table in (messages, read_marks, notifications, watches, session_rooms)]


def begin(tx: Transaction, conversation: int) -> None:
    """From now on the conversation is not there for anybody."""
    tx.run(_ADD, conversation=conversation, at=tx.now)
    tx.run(_DISMISS, of=conversation)
    tx.run(_UNNOTIFY, of=conversation)
    tx.run(_LOOSEN, of=conversation)


def step(tx: Transaction, limit: int) -> bool:
    """Remove a little of what is to be removed; False when there is nothing."""
    row = tx.one(_OLDEST)
    if row is None:
        return False
    conversation = row[0]
    if not any(tx.run(statement, of=conversation, limit=limit).rowcount for statement in _CONTENT):
        tx.run(_END, of=conversation)
    return True
