"""Watches: of which messages in a conversation a member is to be notified. Theory first.

A message makes a notification for each member who has no socket in the conversation's room, and there is at most one
unread for each conversation and member. No row is written for that when a message is sent, however many members there
are; who is to be notified follows from what is written anyway:

    cursor, began   (members)   the last message that they have read, that was there before them
    noticed         (watches)   the last message that they were notified of and have put away: read, or deleted
    since, until    (watches)   they watched: they had a socket in the room from after `since` up to `until`

        cursor, began or noticed      since                      until
    ────────────────┼───────────────────┼──────────────────────────┼──────────────────→ messages
       put away         notified of          watched: no word of      notified of

Whoever has a message of somebody else, not deleted, in one of the two stretches that are notified of has one unread
notification of the conversation, and it is about the last such message (`last`). Whoever watches just now has `until`
at the far end (OPEN).

One stretch of watching is remembered, the latest. Beginning another one forgets the one before only if something to be
notified of has come in between: then there is a notification anyway. If nothing has, the two are one.

Beginning and ending to watch change nobody's count. A server that was killed ends what was being watched when it
starts again (`end_all`): until then everything that was committed was also being shown.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, func, insert, literal_column, select, update

from chatd.store.sqlite.prepared import Prepared, listed
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import members, messages, watches

OPEN = 2**53 - 1

_W = watches.c
WATCHED = members.outerjoin(watches, (_W.conversation == members.c.conversation) & (_W.user == members.c.user))


def _or_0(column: ColumnElement[int]) -> ColumnElement[int]:
    return func.coalesce(column, literal_column("0"))


_away = func.max(members.c.cursor, members.c.began, _or_0(_W.noticed))


def _newest(*within: ColumnElement[bool]) -> Any:
    """The last message of somebody else within a stretch."""
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


_after = _newest(messages.c.id > func.max(_away, _or_0(_W.until)))
_before = _newest(messages.c.id > _away, messages.c.id <= _or_0(_W.since))
LAST = func.coalesce(_after, case((_or_0(_W.since) > _away, _before)))
"""The message that a member's notification of a conversation is about; NULL when there is none."""

_MINE = (members.c.conversation == bindparam("conversation")) & (members.c.user == bindparam("user"))
_LAST = Prepared(select(LAST).select_from(WATCHED).where(_MINE))
_ALL = Prepared(
    select(members.c.conversation, LAST.label("last")).select_from(WATCHED).where(members.c.user == bindparam("user"))
)
_AMONG = Prepared(
    select(members.c.user, LAST.label("last"))
    .select_from(WATCHED)
    .where(members.c.conversation == bindparam("conversation"), members.c.user.in_(listed("users")))
)
_between = _newest(messages.c.id > func.max(_away, _or_0(_W.until)), messages.c.id <= bindparam("now"))
_STRETCH = Prepared(
    select(_or_0(_W.since), _or_0(_W.until), _between, _W.conversation).select_from(WATCHED).where(_MINE)
)
_end_of = _or_0(select(func.max(messages.c.id)).where(messages.c.conversation == _W.conversation).scalar_subquery())
_ADD = Prepared(insert(watches))
_THIS = (_W.conversation == bindparam("of")) & (_W.user == bindparam("who"))
_BEGIN = Prepared(update(watches).where(_THIS).values(since=bindparam("since"), until=OPEN))
_END = Prepared(update(watches).where(_THIS, _W.until == OPEN).values(until=func.max(_W.since, bindparam("shown"))))
_END_ALL = Prepared(update(watches).where(_W.until == OPEN).values(until=func.max(_W.since, _end_of)))
_PUT_AWAY = Prepared(update(watches).where(_THIS).values(noticed=bindparam("message")))
_FORGET = Prepared(delete(watches).where(_THIS))


def last(tx: ReadTransaction, conversation: int, user: int) -> int | None:
    """The message that somebody's notification of a conversation is about, if there is one."""
    row = tx.one(_LAST, conversation=conversation, user=user)
    return row[0] if row else None


def all_last(tx: ReadTransaction, user: int) -> dict[int, int]:
    """For each conversation of which somebody is to be notified, the message that it is about."""
    return {conversation: message for conversation, message in tx.all(_ALL, user=user) if message is not None}


def last_among(tx: ReadTransaction, conversation: int, users: list[int]) -> dict[int, int | None]:
    """The same for one conversation, and those of some users who are members."""
    return dict(tx.all(_AMONG, conversation=conversation, users=str(users)))


def begin(tx: Transaction, conversation: int, user: int, now: int) -> None:
    """A member's first socket has come into a room, after message `now` was told."""
    row = tx.one(_STRETCH, conversation=conversation, user=user, now=now)
    if row is None or row[1] == OPEN:
        return
    since, _, between, known = row
    if between is not None or known is None:
        since = now
    if known is None:
        tx.run(_ADD, conversation=conversation, user=user, noticed=0, since=since, until=OPEN)
    else:
        tx.run(_BEGIN, of=conversation, who=user, since=since)


def end(tx: Transaction, conversation: int, user: int, now: int) -> None:
    """A member's last socket has left a room, after message `now` was told."""
    tx.run(_END, of=conversation, who=user, shown=now)


def end_all(tx: Transaction) -> None:
    """Nobody watches anything."""
    tx.run(_END_ALL)


def put_away(tx: Transaction, conversation: int, user: int, message: int) -> None:
    """Somebody has read or deleted their notification of a conversation, which was about that message."""
    if not tx.run(_PUT_AWAY, of=conversation, who=user, message=message).rowcount:
        tx.run(_ADD, conversation=conversation, user=user, noticed=message, since=0, until=0)


def forget(tx: Transaction, conversation: int, user: int) -> None:
    """Somebody is no longer a member."""
    tx.run(_FORGET, of=conversation, who=user)
