"""The messages of which a member is notified: chatd/store/queries/view_intervals.py has the theory."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, func, insert, literal_column, select, update

from chatd.store.dialect_functions import greatest, json_integers
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
NOTIFIED = select(NOTIFIED_MESSAGE).select_from(MEMBERS_WITH_INTERVALS).where(_MINE)
NOTIFIED_OF_USER = (
    select(members.c.conversation, NOTIFIED_MESSAGE.label("last"))
    .select_from(MEMBERS_WITH_INTERVALS)
    .where(members.c.user == bindparam("user"))
)
NOTIFIED_AMONG = (
    select(members.c.user, NOTIFIED_MESSAGE.label("last"))
    .select_from(MEMBERS_WITH_INTERVALS)
    .where(members.c.conversation == bindparam("conversation"), members.c.user.in_(json_integers("users")))
)
_between = _newest(messages.c.id > greatest(_dismissed, _or_0(_W.until)), messages.c.id <= bindparam("message"))
INTERVAL = (
    select(_or_0(_W.since), _or_0(_W.until), _between, _W.conversation).select_from(MEMBERS_WITH_INTERVALS).where(_MINE)
)
_last_message = _or_0(
    select(func.max(messages.c.id)).where(messages.c.conversation == _W.conversation).scalar_subquery()
)
ADD = insert(watches)
_THIS = (_W.conversation == bindparam("of")) & (_W.user == bindparam("user_id"))
BEGIN = update(watches).where(_THIS).values(since=bindparam("since"), until=STILL_VIEWING)
END = update(watches).where(_THIS, _W.until == STILL_VIEWING).values(until=greatest(_W.since, bindparam("message")))
END_ALL = update(watches).where(_W.until == STILL_VIEWING).values(until=greatest(_W.since, _last_message))
DISMISS = update(watches).where(_THIS).values(noticed=bindparam("message"))
DELETE = delete(watches).where(_THIS)
