"""What a member prefers in a conversation: of what to be notified, whether it is archived, and the draft.

A member without a row has DEFAULT. The row goes when the member leaves.
"""

from __future__ import annotations

from chatd.store.compiled import preferences as sql
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.model import Preferences

DEFAULT = Preferences()


def of_conversations(tx: ReadTransaction, user: int, conversations: list[int]) -> dict[int, Preferences]:
    """The preferences of a user in the conversations in which the user has any."""
    rows = tx.all(sql.OF_CONVERSATIONS, user=user, ids=str(conversations))
    return {id: Preferences(level, muted or None, archived == 1, draft) for id, level, muted, archived, draft in rows}


def get(tx: ReadTransaction, user: int, conversation: int) -> Preferences:
    return of_conversations(tx, user, [conversation]).get(conversation, DEFAULT)


def put(tx: Transaction, user: int, conversation: int, preferences: Preferences) -> None:
    if preferences == DEFAULT:
        delete(tx, user, conversation)
        return
    tx.run(
        sql.SET,
        user=user,
        conversation=conversation,
        level=preferences.level,
        muted_until=preferences.muted_until or 0,
        archived=int(preferences.archived),
        draft=preferences.draft,
    )


def delete(tx: Transaction, user: int, conversation: int) -> None:
    tx.run(sql.DELETE, of_user=user, in_conversation=conversation)
