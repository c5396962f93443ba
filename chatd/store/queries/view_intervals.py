"""View intervals: the messages in a conversation of which a member is notified. First the theory.

A message makes a notification for each member who has no socket in the conversation's room. Each member has at most one
unread notification of a conversation. Sending a message writes no rows for this. The notified members follow from
columns that are written in any case:

    cursor, began   (members)   the last message that the member has read; the last one from before the member joined
    noticed         (watches)   the last message whose notification the member has dismissed: read, or deleted
    since, until    (watches)   the view interval: the member had a socket in the room after `since` and up to `until`

        cursor, began or noticed      since                      until
    ────────────────┼───────────────────┼──────────────────────────┼──────────────────→ messages
       dismissed        notified             viewed: not notified      notified

Take the messages of other users that are not deleted, in the two stretches marked "notified". If there is one, the
member has one unread notification of the conversation, about the last of these messages (`notified_message`). While
the member views the conversation, `until` is sql.STILL_VIEWING.

What the member prefers (chatd/store/queries/preferences.py) decides which messages count: all, those that mention the
member, or none; and of all only those that were sent after the end of a mute. A change of the preferences dismisses
the present notification, so it applies to later messages only.

Only the latest view interval is kept. When a new interval begins, there are two cases. If a message between the old
interval and the new one makes a notification, the old interval is dropped: the notification exists in any case. If none
came, the two intervals become one.

Beginning and ending an interval change no unread count. A server that was killed ends all open intervals when it
starts again (`end_all`): until then, every committed message was also shown.
"""

from __future__ import annotations

from chatd.store.compiled import view_intervals as sql
from chatd.store.sqlite.transaction import ReadTransaction, Transaction

STILL_VIEWING = sql.STILL_VIEWING
"""`until` of a member who views the conversation now."""


def notified_message(tx: ReadTransaction, conversation: int, user: int) -> int | None:
    """The message that a member's notification of a conversation is about; None when there is none."""
    row = tx.one(sql.NOTIFIED, conversation=conversation, user=user)
    return row[0] if row else None


def notified_messages(tx: ReadTransaction, user: int) -> dict[int, int]:
    """For each conversation of which a user is notified, the message that the notification is about."""
    return {
        conversation: message
        for conversation, message in tx.all(sql.NOTIFIED_OF_USER, user=user)
        if message is not None
    }


def notified_messages_among(tx: ReadTransaction, conversation: int, users: list[int]) -> dict[int, int | None]:
    """For each member of a conversation among some users, the message of the notification, or None."""
    return dict(tx.all(sql.NOTIFIED_AMONG, conversation=conversation, users=str(users)))


def begin(tx: Transaction, conversation: int, user: int, message: int) -> None:
    """A member's first socket has joined the room, after `message` was sent to the room."""
    row = tx.one(sql.INTERVAL, conversation=conversation, user=user, message=message)
    if row is None or row[1] == STILL_VIEWING:
        return
    since, _, between, known = row
    if between is not None or known is None:
        since = message
    if known is None:
        tx.run(sql.ADD, conversation=conversation, user=user, noticed=0, since=since, until=STILL_VIEWING)
    else:
        tx.run(sql.BEGIN, of=conversation, user_id=user, since=since)


def end(tx: Transaction, conversation: int, user: int, message: int) -> None:
    """A member's last socket has left the room, after `message` was sent to the room."""
    tx.run(sql.END, of=conversation, user_id=user, message=message)


def end_all(tx: Transaction) -> None:
    """End all open view intervals."""
    tx.run(sql.END_ALL)


def dismiss(tx: Transaction, conversation: int, user: int, message: int) -> None:
    """A member has read or deleted the notification of a conversation, which was about a message."""
    if not tx.run(sql.DISMISS, of=conversation, user_id=user, message=message).rowcount:
        tx.run(sql.ADD, conversation=conversation, user=user, noticed=message, since=0, until=0)


def delete_interval(tx: Transaction, conversation: int, user: int) -> None:
    """Delete a former member's view interval."""
    tx.run(sql.DELETE, of=conversation, user_id=user)
