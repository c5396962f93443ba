"""Deleting a conversation in steps (chatd/store/queries/removals.py)."""

from __future__ import annotations

from sqlalchemy import BindParameter, Delete, Table, bindparam, delete, insert, null, select, tuple_, update

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
ADD = insert(removals)
DELETE_MEMBERS = delete(members).where(members.c.conversation == _OF)
DELETE_NOTIFICATIONS = delete(notifications).where(notifications.c.conversation == _OF, notifications.c.read.is_(None))
FORGET_PAIR = update(conversations).where(conversations.c.id == _OF).values(kind="group", peer=null(), title=null())
OLDEST = select(removals.c.conversation).order_by(removals.c.conversation).limit(1)
DELETE_CONVERSATION = delete(conversations).where(conversations.c.id == _OF)


def _delete_some(table: Table) -> Delete:
    """The statement that deletes some of a table's rows of a conversation."""
    key = list(table.primary_key)
    found = select(*key).where(table.c.conversation == _OF).order_by(*key).limit(bindparam("limit"))
    return delete(table).where((key[0] if len(key) == 1 else tuple_(*key)).in_(found))


DELETE_SOME_MESSAGES = _delete_some(messages)
DELETE_SOME_READ_MARKS = _delete_some(read_marks)
DELETE_SOME_NOTIFICATIONS = _delete_some(notifications)
DELETE_SOME_WATCHES = _delete_some(watches)
DELETE_SOME_SESSION_ROOMS = _delete_some(session_rooms)
