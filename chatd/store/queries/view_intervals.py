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
the member views the conversation, `until` is STILL_VIEWING.

Only the latest view interval is kept. When a new interval begins, there are two cases. If a message between the old
interval and the new one makes a notification, the old interval is dropped: the notification exists in any case. If none
came, the two intervals become one.

Beginning and ending an interval change no unread count. A server that was killed ends all open intervals when it
starts again (`end_all`): until then, every committed message was also shown.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, func, insert, literal_column, select, update

from chatd.store.dialect_functions import greatest, json_integers
from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import members, messages, watches

STILL_VIEWING = 2**53 - 1
"""`until` of a member who views the conversation now."""

_W = watches.c
MEMBERS_WITH_INTERVALS = members.outerjoin(
    watches, (_W.conversation == members.c.conversation) & (_W.user == members.c.user)
)


def _or_0(column: ColumnElement[int]) -> ColumnElement[int]:
    return func.coalesce(column, literal_column("0"))


_dismissed = greatest(members.c.cursor, members.c.began, _or_0(_W.noticed))


def _newest(*within: ColumnElement[bool]) -> Any:
    """The last message of another user within a stretch."""
    return (
        select(func.max(messages.c.id))
        .where(
            messages.c.conversation == members.c.conversation,
            *within,
            messages.c.sender != members.c.user,
            messages.c.deleted.is_(None),
        )
        .correlate(members, watches)
        .scalar_subquery()
    )


_after = _newest(messages.c.id > greatest(_dismissed, _or_0(_W.until)))
_before = _newest(messages.c.id > _dismissed, messages.c.id <= _or_0(_W.since))
NOTIFIED_MESSAGE = func.coalesce(_after, case((_or_0(_W.since) > _dismissed, _before)))
"""The message that a member's notification of a conversation is about; NULL when there is none."""

_MINE = (members.c.conversation == bindparam("conversation")) & (members.c.user == bindparam("user"))
_NOTIFIED = Prepared(select(NOTIFIED_MESSAGE).select_from(MEMBERS_WITH_INTERVALS).where(_MINE))
_NOTIFIED_OF_USER = Prepared(
    select(members.c.conversation, NOTIFIED_MESSAGE.label("last"))
    .select_from(MEMBERS_WITH_INTERVALS)
    .where(members.c.user == bindparam("user"))
)
_NOTIFIED_AMONG = Prepared(
    select(members.c.user, NOTIFIED_MESSAGE.label("last"))
    .select_from(MEMBERS_WITH_INTERVALS)
    .where(members.c.conversation == bindparam("conversation"), members.c.user.in_(json_integers("users")))
)
_between = _newest(messages.c.id > greatest(_dismissed, _or_0(_W.until)), messages.c.id <= bindparam("message"))
_INTERVAL = Prepared(
    select(_or_0(_W.since), _or_0(_W.until), _between, _W.conversation).select_from(MEMBERS_WITH_INTERVALS).where(_MINE)
)
_last_message = _or_0(
    select(func.max(messages.c.id)).where(messages.c.conversation == _W.conversation).scalar_subquery()
)
_ADD = Prepared(insert(watches))
_THIS = (_W.conversation == bindparam("of")) & (_W.user == bindparam("user_id"))
_BEGIN = Prepared(update(watches).where(_THIS).values(since=bindparam("since"), until=STILL_VIEWING))
_END = Prepared(
    update(watches).where(_THIS, _W.until == STILL_VIEWING).values(until=greatest(_W.since, bindparam("message")))
)
_END_ALL = Prepared(update(watches).where(_W.until == STILL_VIEWING).values(until=greatest(_W.since, _last_message)))
_DISMISS = Prepared(update(watches).where(_THIS).values(noticed=bindparam("message")))
_DELETE = Prepared(delete(watches).where(_THIS))


def notified_message(tx: ReadTransaction, conversation: int, user: int) -> int | None:
    """The message that a member's notification of a conversation is about; None when there is none."""
    row = tx.one(_NOTIFIED, conversation=conversation, user=user)
    return row[0] if row else None


def notified_messages(tx: ReadTransaction, user: int) -> dict[int, int]:
    """For each conversation of which a user is notified, the message that the notification is about."""
    return {
        conversation: message for conversation, message in tx.all(_NOTIFIED_OF_USER, user=user) if message is not None
    }


def notified_messages_among(tx: ReadTransaction, conversation: int, users: list[int]) -> dict[int, int | None]:
    """For each member of a conversation among some users, the message of the notification, or None."""
    return dict(tx.all(_NOTIFIED_AMONG, conversation=conversation, users=str(users)))


def begin(tx: Transaction, conversation: int, user: int, message: int) -> None:
    """A member's first socket has joined the room, after `message` was sent to the room."""
    row = tx.one(_INTERVAL, conversation=conversation, user=user, message=message)
    if row is None or row[1] == STILL_VIEWING:
        return
    since, _, between, known = row
    if between is not None or known is None:
        since = message
    if known is None:
        tx.run(_ADD, conversation=conversation, user=user, noticed=0, since=since, until=STILL_VIEWING)
    else:
        tx.run(_BEGIN, of=conversation, user_id=user, since=since)


def end(tx: Transaction, conversation: int, user: int, message: int) -> None:
    """A member's last socket has left the room, after `message` was sent to the room."""
    tx.run(_END, of=conversation, user_id=user, message=message)


def end_all(tx: Transaction) -> None:
    """End all open view intervals."""
    tx.run(_END_ALL)


def dismiss(tx: Transaction, conversation: int, user: int, message: int) -> None:
    """A member has read or deleted the notification of a conversation, which was about a message."""
    if not tx.run(_DISMISS, of=conversation, user_id=user, message=message).rowcount:
        tx.run(_ADD, conversation=conversation, user=user, noticed=message, since=0, until=0)


def delete_interval(tx: Transaction, conversation: int, user: int) -> None:
    """Delete a former member's view interval."""
    tx.run(_DELETE, of=conversation, user_id=user)
