"""Notifications: listed, read, deleted and made; and what follows from messages and memberships.

There are three kinds, which look alike from outside: rows of one user's (made by POST, or by being added to a group),
notifications of a conversation (derived: chatd/store/queries/view_intervals.py), and broadcasts
(chatd/store/queries/broadcasts.py).

Whoever changes somebody's count here tells it in the same transaction, counted from scratch, so that a told count is
right at its place among the events. What a message changes for those who did not ask for anything is caught up with
after the commit, by chatd/core/notifier.py: `catch_up`, `recount` and `announce` are its units of work.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from msgspec import Struct, UnsetType
from msgspec.structs import replace

from chatd.services.context import Published, ServiceContext, missing
from chatd.services.pages import cut, page_size
from chatd.store.queries import broadcasts, notifications, view_intervals
from chatd.store.queries.conversations import Membership
from chatd.store.queries.notifications import Live
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, NoAccess, Refusal
from protocol.events import (
    BroadcastCreated,
    NotificationCounted,
    NotificationCreated,
    NotificationDeleted,
    NotificationRead,
)
from protocol.ids import Key, Ref
from protocol.model import Notification, Page, User

TITLE, TYPE, RELATED, EXTRA = 200, 64, 200, 10_000  # the most characters of each


class Recorded(Struct, frozen=True):
    """A broadcast that has been taken on."""

    ref: Ref
    created: int


class Found(NamedTuple):
    """A notification of the asker's. `of` is the conversation, for one that is derived."""

    notification: Notification
    broadcast: bool
    of: int | None


# Asked for


def listing(work: ServiceContext, command: ask.ListNotifications) -> Page:
    """The newest first. What is derived gets its row here, for the list names its number."""
    me, limit, unread = work.actor.ref, page_size(work, command), command.unread_only
    _give_rows(work)
    before = command.before.number if command.before else view_intervals.OPEN
    after = command.after.number if command.after else None
    own = notifications.page(work.tx, me, limit + 1, before=before, after=after, unread=unread)
    everybodys = broadcasts.page(work.tx, me, limit + 1, before=before, after=after, unread=unread)
    both = sorted(own + everybodys, key=lambda one: one.ref.number, reverse=True)
    rows = both[-(limit + 1) :] if after is not None else both[: limit + 1]
    return cut(work, command, limit, rows, ascending=False)


def _give_rows(work: ServiceContext) -> None:
    me = work.actor.id
    known = notifications.with_rows(work.tx, me)
    for conversation, message in sorted(view_intervals.all_last(work.tx, me).items(), key=lambda found: found[1]):
        if conversation not in known:
            notifications.add_of(work.tx, me, conversation, message)


def get(work: ServiceContext, command: ask.GetNotification) -> Notification:
    return _find(work, command.notification).notification


def count(work: ServiceContext, command: ask.CountNotifications) -> NotificationCounted:
    return counted(work, work.actor.ref)


def read(work: ServiceContext, command: ask.ReadNotification) -> Notification:
    """Reading what is read is no news."""
    found = _find(work, command.notification)
    if found.notification.read:
        return found.notification
    ref = found.notification.ref
    if found.broadcast:
        broadcasts.mark(work.tx, work.actor.id, ref.number)
    else:
        notifications.set_read(work.tx, ref.number)
        _put_away(work, found)
    work.publish(NotificationRead(ref, work.actor.ref))
    work.publish(counted(work, work.actor.ref))
    return replace(found.notification, read=True)


def delete(work: ServiceContext, command: ask.DeleteNotification) -> None:
    found = _find(work, command.notification)
    ref = found.notification.ref
    if found.broadcast:
        broadcasts.mark(work.tx, work.actor.id, ref.number, deleted=True)
    else:
        if not found.notification.read:
            _put_away(work, found)
        notifications.remove(work.tx, ref.number)
    work.publish(NotificationDeleted(ref, work.actor.ref))
    work.publish(counted(work, work.actor.ref))


def read_all(work: ServiceContext, command: ask.ReadNotifications) -> NotificationCounted:
    """Each that was unread is told of; the answer is the count that is left, which is none."""
    me = work.actor.ref
    for conversation in view_intervals.all_last(work.tx, me.number):
        _read_of(work, conversation)
    for ref in notifications.unread_own(work.tx, me.number):
        notifications.set_read(work.tx, ref.number)
        work.publish(NotificationRead(ref, me))
    for one in broadcasts.unread(work.tx, me):
        broadcasts.mark(work.tx, me.number, one.ref.number)
        work.publish(NotificationRead(one.ref, me))
    left = counted(work, me)
    work.publish(left)
    return left


def _find(work: ServiceContext, key: Key) -> Found:
    """One of the asker's own."""
    me = work.actor.ref
    own = notifications.get(work.tx, me, key.number) if key.number else None
    found = own or (broadcasts.get(work.tx, me, key.number) if key.number else None)
    if found is None or not key.matches(*found.ref[:2]):
        raise _unseen(work, key)
    derived = found.type == "message" and isinstance(found.related, Ref)
    return Found(found, own is None, found.related.number if derived else None)  # type: ignore[union-attr]


def _unseen(work: ServiceContext, key: Key) -> Refusal:
    """Why a notification is none of the asker's: it is another user's, or nothing is there."""
    ref = notifications.of_another(work.tx, work.actor.ref, key.number) if key.number else None
    return missing("Notification") if ref is None or not key.matches(*ref[:2]) else NoAccess("Notification")


def _put_away(work: ServiceContext, found: Found) -> None:
    """No more of the messages that a derived one is about."""
    if found.of is None:
        return
    last = view_intervals.last(work.tx, found.of, work.actor.id)
    if last is not None:
        notifications.set_about(work.tx, found.notification.ref.number, last)
        view_intervals.put_away(work.tx, found.of, work.actor.id, last)


def _read_of(work: ServiceContext, conversation: int) -> None:
    """Read the notification of a conversation, whether or not it had a row."""
    me = work.actor.ref
    last = view_intervals.last(work.tx, conversation, me.number)
    if last is None:
        return
    _settle(work, conversation, last)
    view_intervals.put_away(work.tx, conversation, me.number, last)


def _settle(work: ServiceContext, conversation: int, last: int) -> None:
    """What was unread is read. Who never heard of it need not hear this, but it is in their list from now on."""
    me = work.actor.ref
    row = notifications.live(work.tx, me.number, conversation)
    if row is None:
        notifications.add_of(work.tx, me.number, conversation, last, read=work.tx.now)
        return
    notifications.set_about(work.tx, row.ref.number, last)
    notifications.set_read(work.tx, row.ref.number)
    work.publish(NotificationRead(row.ref, me))


def counted(work: ServiceContext, user: Ref) -> NotificationCounted:
    """What a user has not read, from scratch."""
    return NotificationCounted(user, notifications.count(work.tx, user.number))


# Made


def create(work: ServiceContext, command: ask.CreateNotification) -> Notification:
    user = work.user(command.user)
    _check(work, command.title, command.content, command.type, command.related)
    extra = None if isinstance(command.extra, UnsetType) else json.dumps(command.extra, separators=(",", ":"))
    if extra is not None and len(extra) > EXTRA:
        raise Refusal(BAD_REQUEST, f"data must have at most {EXTRA} characters", field="data")
    made = notifications.add(
        work.tx, user.ref, command.type, command.title, command.content, related=command.related, extra=extra
    )
    work.publish(NotificationCreated(made))
    work.publish(counted(work, user.ref))
    return made


def broadcast(work: ServiceContext, command: ask.Broadcast) -> Recorded:
    """Taken on, and told to everybody who is here a little later."""
    _check(work, command.title, command.content, command.type, command.related)
    ref = broadcasts.add(work.tx, command.type, command.title, command.content, command.related)
    work.publish(BroadcastCreated(ref))
    return Recorded(ref, work.tx.now)


def _check(work: ServiceContext, title: str, content: str, type: str, related: str | None) -> None:
    text = work.rules.text
    for name, said, least, most in (
        ("title", title.strip(), 1, TITLE),
        ("content", content, 0, text),
        ("type", type.strip(), 1, TYPE),
        ("related_id", related or "", 0, RELATED),
    ):
        if len(said) < least or (most and len(said) > most):
            raise Refusal(BAD_REQUEST, f"{name} must have {least} to {most} characters", field=name)


def invite(work: ServiceContext, place: Membership, user: User) -> None:
    """Somebody has been added to a group."""
    by = work.me()
    title = place.title or "Group"
    content = f"{by.display or by.name} added you"
    made = notifications.add(work.tx, user.ref, "group_invite", title, content, conversation=place.conversation)
    work.publish(NotificationCreated(made))
    work.publish(counted(work, user.ref))


# What follows from reading and leaving


def conversation_read(work: ServiceContext, conversation: int, about: int | None) -> None:
    """The asker's cursor has moved. `about` is what their notification was about before."""
    if about is not None and view_intervals.last(work.tx, conversation, work.actor.id) is None:
        _settle(work, conversation, about)
        work.publish(counted(work, work.actor.ref))


def member_gone(work: ServiceContext, conversation: int, user: Ref) -> None:
    """Somebody is no longer a member, and has nothing to be notified of there."""
    for ref, whose in notifications.concerning(work.tx, conversation):
        if whose.number == user.number:
            work.publish(NotificationDeleted(ref, user))
    notifications.forget(work.tx, user.number, conversation)
    view_intervals.forget(work.tx, conversation, user.number)
    work.publish(counted(work, user))


def conversation_gone(work: ServiceContext, conversation: int) -> None:
    """A conversation is about to be deleted, and everything about it with it. Counts follow."""
    for ref, whose in notifications.concerning(work.tx, conversation):
        work.publish(NotificationDeleted(ref, whose))


# What the notifier catches up with


def catch_up(work: ServiceContext, conversation: Ref, users: list[Ref], *, lost: bool) -> None:
    """Something was said in a conversation, or (`lost`) deleted: what some of its members are to be told of it."""
    about = view_intervals.last_among(work.tx, conversation.number, [user.number for user in users])
    texts: dict[int, tuple[str, str]] = {}
    for user in users:
        last = about.get(user.number)
        row = notifications.live(work.tx, user.number, conversation.number)
        if last is None:
            if row is not None:
                notifications.remove(work.tx, row.ref.number)
                work.publish(NotificationDeleted(row.ref, user))
            if row is not None or lost:
                work.publish(counted(work, user))
            continue
        if last not in texts:
            texts[last] = notifications.text_of(work.tx, last)
        _tell_of(work, conversation, user, row, last, texts[last])


def _tell_of(
    work: ServiceContext, conversation: Ref, user: Ref, row: Live | None, last: int, text: tuple[str, str]
) -> None:
    """Told again under the same number, and without a position: whoever misses that finds it in the list."""
    if row is not None and row.told == last:
        return
    now = row or notifications.add_of(work.tx, user.number, conversation.number, last)
    event = NotificationCreated(Notification(now.ref, user, "message", *text, False, conversation, now.created))
    if row is None:
        work.publish(event)
        work.publish(counted(work, user))
    else:
        notifications.set_about(work.tx, row.ref.number, last)
        work.published.append(Published(event, None))


def recount(work: ServiceContext, users: list[Ref]) -> None:
    for user in users:
        work.publish(counted(work, user))


def announce(work: ServiceContext, broadcast: Ref, users: list[Ref]) -> None:
    """Tell some of those who are here of a broadcast."""
    for user in users:
        found = broadcasts.get(work.tx, user, broadcast.number)
        if found is not None and not found.read:
            work.published.append(Published(NotificationCreated(found), None))
            work.publish(counted(work, user))
