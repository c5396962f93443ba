"""The messages of which a member is notified: chatd/store/queries/view_intervals.py has the theory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    null,
    select,
    update,
)

from chatd.store.dialect_functions import greatest, json_integers
from chatd.store.tables import members, mentions, messages, preferences, thread_levels, watches

STILL_VIEWING = 2**53 - 1
"""`until` of a member who views the conversation now."""

_W, _P, _T = watches.c, preferences.c, thread_levels.c
MEMBERS_WITH_INTERVALS = members.outerjoin(
    watches, (_W.conversation == members.c.conversation) & (_W.user == members.c.user)
).outerjoin(preferences, (_P.conversation == members.c.conversation) & (_P.user == members.c.user))


def _or_0(column: ColumnElement[int]) -> ColumnElement[int]:
    return func.coalesce(column, literal_column("0"))


_dismissed = greatest(members.c.cursor, members.c.began, _or_0(_W.noticed))


def _newest_message(*within: ColumnElement[bool]) -> Any:
    """The last message of another user, where `within` holds for it."""
    return (
        select(func.max(messages.c.id))
        .where(
            messages.c.conversation == members.c.conversation,
            *within,
            messages.c.sender != members.c.user,
            messages.c.deleted.is_(None),
        )
        .correlate(members, watches, preferences)
        .scalar_subquery()
    )


def _newest_mention(*within: ColumnElement[bool]) -> Any:
    """The same among the messages that mention the member."""
    return (
        select(func.max(messages.c.id))
        .select_from(mentions.join(messages, messages.c.id == mentions.c.message))
        .where(
            mentions.c.conversation == members.c.conversation,
            mentions.c.user.in_((members.c.user, literal_column("0"))),
            mentions.c.message > _dismissed,
            *within,
            messages.c.sender != members.c.user,
        )
        .correlate(members, watches, preferences)
        .scalar_subquery()
    )


def _newest_in_threads(level: str) -> Callable[..., Any]:
    """The same among the messages of threads with that level."""

    def newest(*within: ColumnElement[bool]) -> Any:
        return (
            select(func.max(messages.c.id))
            .select_from(thread_levels.join(messages, messages.c.thread == _T.thread))
            .where(
                _T.user == members.c.user,
                _T.conversation == members.c.conversation,
                _T.level == level,
                messages.c.id > _dismissed,
                *within,
                messages.c.sender != members.c.user,
                messages.c.deleted.is_(None),
            )
            .correlate(members, watches, preferences)
            .scalar_subquery()
        )

    return newest


_muted_thread = (_T.user == members.c.user) & (_T.conversation == members.c.conversation) & (_T.level == "mentions")
_in_muted_thread = exists().where(_muted_thread, _T.thread == messages.c.thread).correlate(members, messages)


def _newest_outside_muted_threads(*within: ColumnElement[bool]) -> Any:
    return _newest_message(*within, messages.c.thread.is_(None) | ~_in_muted_thread)


def _newest_of(*kinds: Callable[..., Any]) -> Callable[..., Any]:
    """The newest message of several kinds."""
    return lambda *within: func.nullif(greatest(*(_or_0(kind(*within)) for kind in kinds)), 0)


_newest_important = _newest_of(_newest_mention, _newest_in_threads("all"))
_newest_heeded = _newest_of(_newest_outside_muted_threads, _newest_mention)


def _notified(newest: Callable[..., Any], *among: ColumnElement[bool]) -> ColumnElement[int]:
    """The last message in the two stretches that make notifications."""
    after = newest(messages.c.id > greatest(_dismissed, _or_0(_W.until)), *among)
    before = newest(messages.c.id > _dismissed, messages.c.id <= _or_0(_W.since), *among)
    return func.coalesce(after, case((_or_0(_W.since) > _dismissed, before)))


_newest_time = (
    select(messages.c.created)
    .where(messages.c.conversation == members.c.conversation)
    .order_by(messages.c.id.desc())
    .limit(1)
    .correlate(members)
    .scalar_subquery()
)
_after_mute = case((_newest_time >= _P.muted_until, _notified(_newest_heeded, messages.c.created >= _P.muted_until)))
NOTIFIED_MESSAGE = case(
    (_P.level == "none", null()),
    (_P.level == "mentions", _notified(_newest_important)),
    (_P.muted_until > 0, _after_mute),
    (exists().where(_muted_thread).correlate(members), _notified(_newest_heeded)),
    else_=_notified(_newest_message),
)
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
_between = _newest_message(messages.c.id > greatest(_dismissed, _or_0(_W.until)), messages.c.id <= bindparam("message"))
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
