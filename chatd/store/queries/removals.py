"""Deleted conversations: one small transaction makes a conversation invisible, later steps remove its rows.

    begin   deletes the members and the unread notifications; a private conversation is no longer found by its two
            users; adds a row to `removals`
    step    deletes at most `limit` rows of one table; the last step deletes the conversation and its row in `removals`

All queries find a conversation through its members, so without members it does not exist. Only read notifications are
found by their user: that query also checks `removals` (chatd/store/queries/notifications.py).
"""

from __future__ import annotations

from chatd.store.compiled import removals as sql
from chatd.store.sqlite.transaction import Transaction

_DELETE_CONTENT = (
    sql.DELETE_SOME_MESSAGES,
    sql.DELETE_SOME_READ_MARKS,
    sql.DELETE_SOME_NOTIFICATIONS,
    sql.DELETE_SOME_WATCHES,
    sql.DELETE_SOME_SESSION_ROOMS,
)


def begin(tx: Transaction, conversation: int) -> None:
    """Make the conversation invisible to all users, and mark it for removal."""
    tx.run(sql.ADD, conversation=conversation, at=tx.now)
    tx.run(sql.DELETE_MEMBERS, of=conversation)
    tx.run(sql.DELETE_NOTIFICATIONS, of=conversation)
    tx.run(sql.FORGET_PAIR, of=conversation)


def step(tx: Transaction, limit: int) -> bool:
    """Delete some rows of the oldest removal; return False when there is none."""
    row = tx.one(sql.OLDEST)
    if row is None:
        return False
    conversation = row[0]
    if not any(tx.run(statement, of=conversation, limit=limit).rowcount for statement in _DELETE_CONTENT):
        tx.run(sql.DELETE_CONVERSATION, of=conversation)
    return True
