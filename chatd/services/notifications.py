"""Notifications: list, read, delete, create; and the effects of messages and memberships on notifications.

There are three kinds. Clients see no difference between them:

    single       a row of one user; made by POST, or when a user is added to a group
    derived      a notification of a conversation's unread messages (chatd/store/queries/view_intervals.py)
    broadcast    one row for all users (chatd/store/queries/broadcasts.py)

A service that changes a user's count publishes the new count in the same transaction. It counts from scratch, so a
published count is right at its position among the events. A message changes the notifications of users who sent no
command. chatd/core/notifier.py publishes these changes after the commit. Its units of work are `catch_up`, `recount`
and `announce`.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from msgspec import Struct, UnsetType
from msgspec.structs import replace

from chatd.services.attention import silent_users
from chatd.services.context import Published, ServiceContext, missing
from chatd.services.pages import make_page, page_size
from chatd.store.queries import broadcasts, notifications, view_intervals
from chatd.store.queries.conversations import Membership
from chatd.store.queries.notifications import NotificationRow
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

MAX_TITLE_CHARS, MAX_TYPE_CHARS, MAX_RELATED_CHARS, MAX_EXTRA_CHARS = (
    200,
    64,
    200,
    10_000,
)  # the most characters of each


class RecordedBroadcast(Struct, frozen=True):
    """The answer to a broadcast: it is stored, and its notifications follow."""

    ref: Ref
    created: int


class OwnNotification(NamedTuple):
    """A notification of the caller. `conversation` is set for a derived one."""

    notification: Notification
    broadcast: bool
    conversation: int | None


# Commands on the caller's own notifications


def listing(context: ServiceContext, command: ask.ListNotifications) -> Page:
    """List notifications, the newest first. Derived ones get their rows here, because the list shows their ids."""
    me, limit, unread = context.actor.ref, page_size(context, command), command.unread_only
    _add_missing_rows(context)
    before = command.before.number if command.before else view_intervals.STILL_VIEWING
    after = command.after.number if command.after else None
    own = notifications.page(context.tx, me, limit + 1, before=before, after=after, unread=unread)
    from_broadcasts = broadcasts.page(context.tx, me, limit + 1, before=before, after=after, unread=unread)
    both = sorted(own + from_broadcasts, key=lambda one: one.ref.number, reverse=True)
    rows = both[-(limit + 1) :] if after is not None else both[: limit + 1]
    return make_page(context, command, limit, rows, ascending=False)


def _add_missing_rows(context: ServiceContext) -> None:
    me = context.actor.id
    known = notifications.conversations_with_unread_row(context.tx, me)
    for conversation, message in sorted(
        view_intervals.notified_messages(context.tx, me).items(), key=lambda found: found[1]
    ):
        if conversation not in known:
            notifications.add_row(context.tx, me, conversation, message)


def get(context: ServiceContext, command: ask.GetNotification) -> Notification:
    return _find_own(context, command.notification).notification


def count(context: ServiceContext, command: ask.CountNotifications) -> NotificationCounted:
    return unread_count(context, context.actor.ref)


def read(context: ServiceContext, command: ask.ReadNotification) -> Notification:
    """Mark a notification as read. If it was read before, publish nothing."""
    found = _find_own(context, command.notification)
    if found.notification.read:
        return found.notification
    ref = found.notification.ref
    if found.broadcast:
        broadcasts.mark(context.tx, context.actor.id, ref.number)
    else:
        notifications.set_read(context.tx, ref.number)
        _read_messages(context, found)
    context.publish(NotificationRead(ref, context.actor.ref))
    context.publish(unread_count(context, context.actor.ref))
    return replace(found.notification, read=True)


def delete(context: ServiceContext, command: ask.DeleteNotification) -> None:
    found = _find_own(context, command.notification)
    ref = found.notification.ref
    if found.broadcast:
        broadcasts.mark(context.tx, context.actor.id, ref.number, deleted=True)
    else:
        if not found.notification.read:
            _read_messages(context, found)
        notifications.remove(context.tx, ref.number)
    context.publish(NotificationDeleted(ref, context.actor.ref))
    context.publish(unread_count(context, context.actor.ref))


def read_all(context: ServiceContext, command: ask.ReadNotifications) -> NotificationCounted:
    """Mark each notification as read, with an event for each. Return the remaining count, which is 0."""
    me = context.actor.ref
    for conversation in view_intervals.notified_messages(context.tx, me.number):
        _read_derived(context, conversation)
    for ref in notifications.unread_own(context.tx, me.number):
        notifications.set_read(context.tx, ref.number)
        context.publish(NotificationRead(ref, me))
    for one in broadcasts.unread(context.tx, me):
        broadcasts.mark(context.tx, me.number, one.ref.number)
        context.publish(NotificationRead(one.ref, me))
    left = unread_count(context, me)
    context.publish(left)
    return left


def _find_own(context: ServiceContext, key: Key) -> OwnNotification:
    """Find a notification of the caller."""
    me = context.actor.ref
    own = notifications.get(context.tx, me, key.number) if key.number else None
    found = own or (broadcasts.get(context.tx, me, key.number) if key.number else None)
    if found is None or not key.matches(*found.ref[:2]):
        raise _refusal(context, key)
    derived = found.type == "message" and isinstance(found.related, Ref)
    return OwnNotification(found, own is None, found.related.number if derived else None)  # type: ignore[union-attr]


def _refusal(context: ServiceContext, key: Key) -> Refusal:
    """Return NoAccess if the notification belongs to another user, else NOT_FOUND."""
    ref = notifications.of_another(context.tx, context.actor.ref, key.number) if key.number else None
    return missing("Notification") if ref is None or not key.matches(*ref[:2]) else NoAccess("Notification")


def _read_messages(context: ServiceContext, found: OwnNotification) -> None:
    """Mark the messages of a derived notification as notified. So they make no other notification."""
    if found.conversation is None:
        return
    last = view_intervals.notified_message(context.tx, found.conversation, context.actor.id)
    if last is not None:
        notifications.set_message(context.tx, found.notification.ref.number, last)
        view_intervals.dismiss(context.tx, found.conversation, context.actor.id, last)


def _read_derived(context: ServiceContext, conversation: int) -> None:
    """Mark the derived notification of a conversation as read, with or without a row."""
    me = context.actor.ref
    last = view_intervals.notified_message(context.tx, conversation, me.number)
    if last is None:
        return
    _mark_row_read(context, conversation, last)
    view_intervals.dismiss(context.tx, conversation, me.number, last)


def _mark_row_read(context: ServiceContext, conversation: int, last: int) -> None:
    """Mark the row of a derived notification as read.

    Without a row, the client never received the notification. Then no event is needed, but the list shows it from now.
    """
    me = context.actor.ref
    row = notifications.find_unread(context.tx, me.number, conversation)
    if row is None:
        notifications.add_row(context.tx, me.number, conversation, last, read=context.tx.now)
        return
    notifications.set_message(context.tx, row.ref.number, last)
    notifications.set_read(context.tx, row.ref.number)
    context.publish(NotificationRead(row.ref, me))


def dismiss(context: ServiceContext, conversation: int) -> None:
    """Mark the caller's derived notification of a conversation as read, if there is one."""
    if view_intervals.notified_message(context.tx, conversation, context.actor.id) is not None:
        _read_derived(context, conversation)
        context.publish(unread_count(context, context.actor.ref))


def publish_created(context: ServiceContext, made: Notification) -> None:
    context.publish(NotificationCreated(made, bool(silent_users(context, [made.user]))))


def unread_count(context: ServiceContext, user: Ref) -> NotificationCounted:
    """Count a user's unread notifications from scratch."""
    return NotificationCounted(user, notifications.count(context.tx, user.number))


# Commands of administrators and services


def create(context: ServiceContext, command: ask.CreateNotification) -> Notification:
    user = context.user(command.user)
    _check(context, command.title, command.content, command.type, command.related)
    extra = None if isinstance(command.extra, UnsetType) else json.dumps(command.extra, separators=(",", ":"))
    if extra is not None and len(extra) > MAX_EXTRA_CHARS:
        raise Refusal(BAD_REQUEST, f"data must have at most {MAX_EXTRA_CHARS} characters", field="data")
    made = notifications.add(
        context.tx, user.ref, command.type, command.title, command.content, related=command.related, extra=extra
    )
    publish_created(context, made)
    context.publish(unread_count(context, user.ref))
    return made


def broadcast(context: ServiceContext, command: ask.Broadcast) -> RecordedBroadcast:
    """Store a broadcast. The notifier sends it to the online users after the commit."""
    _check(context, command.title, command.content, command.type, command.related)
    ref = broadcasts.add(context.tx, command.type, command.title, command.content, command.related)
    context.publish(BroadcastCreated(ref))
    return RecordedBroadcast(ref, context.tx.now)


def _check(context: ServiceContext, title: str, content: str, type: str, related: str | None) -> None:
    for name, value, min_chars, max_chars in (
        ("title", title.strip(), 1, MAX_TITLE_CHARS),
        ("content", content, 0, context.rules.max_text_chars),
        ("type", type.strip(), 1, MAX_TYPE_CHARS),
        ("related_id", related or "", 0, MAX_RELATED_CHARS),
    ):
        if len(value) < min_chars or (max_chars and len(value) > max_chars):
            raise Refusal(BAD_REQUEST, f"{name} must have {min_chars} to {max_chars} characters", field=name)


def notify_added(context: ServiceContext, membership: Membership, user: User) -> None:
    """Notify a user who was added to a group."""
    by = context.me()
    title = membership.title or "Group"
    content = f"{by.display or by.name} added you"
    made = notifications.add(context.tx, user.ref, "group_invite", title, content, conversation=membership.conversation)
    publish_created(context, made)
    context.publish(unread_count(context, user.ref))


# Effects of read messages, removed members and deleted conversations


def conversation_read(context: ServiceContext, conversation: int, last_notified: int | None) -> None:
    """Update the derived notification after the caller's cursor moved.

    `last_notified` is the last message of the notification before the move.
    """
    if (
        last_notified is not None
        and view_intervals.notified_message(context.tx, conversation, context.actor.id) is None
    ):
        _mark_row_read(context, conversation, last_notified)
        context.publish(unread_count(context, context.actor.ref))


def member_removed(context: ServiceContext, conversation: int, user: Ref) -> None:
    """Delete a removed member's notifications of the conversation."""
    for ref, whose in notifications.unread_about(context.tx, conversation):
        if whose.number == user.number:
            context.publish(NotificationDeleted(ref, user))
    notifications.delete_about(context.tx, user.number, conversation)
    view_intervals.delete_interval(context.tx, conversation, user.number)
    context.publish(unread_count(context, user))


def conversation_deleted(context: ServiceContext, conversation: int) -> None:
    """Publish the deletion of each notification of a conversation. The notifier publishes the counts later."""
    for ref, whose in notifications.unread_about(context.tx, conversation):
        context.publish(NotificationDeleted(ref, whose))


# Units of work of the notifier


def catch_up(context: ServiceContext, conversation: Ref, users: list[Ref], *, message_deleted: bool) -> None:
    """Publish the changed notifications of some members after messages were sent, or deleted (`message_deleted`)."""
    last_messages = view_intervals.notified_messages_among(
        context.tx, conversation.number, [user.number for user in users]
    )
    texts: dict[int, tuple[str, str]] = {}
    silent = silent_users(context, users)
    for user in users:
        last = last_messages.get(user.number)
        row = notifications.find_unread(context.tx, user.number, conversation.number)
        if last is None:
            if row is not None:
                notifications.remove(context.tx, row.ref.number)
                context.publish(NotificationDeleted(row.ref, user))
            if row is not None or message_deleted:
                context.publish(unread_count(context, user))
            continue
        if last not in texts:
            texts[last] = notifications.text_of(context.tx, last)
        text = texts[last]
        _publish_derived(context, conversation, user, row, last, text, silent=user.number in silent)


def _publish_derived(
    context: ServiceContext,
    conversation: Ref,
    user: Ref,
    row: NotificationRow | None,
    last: int,
    text: tuple[str, str],
    *,
    silent: bool,
) -> None:
    """Publish a derived notification. An update keeps the id and has no position.

    A client that misses an update finds it in the list.
    """
    if row is not None and row.message == last:
        return
    stored = row or notifications.add_row(context.tx, user.number, conversation.number, last)
    made = Notification(stored.ref, user, "message", *text, False, conversation, stored.created)
    event = NotificationCreated(made, silent)
    if row is None:
        context.publish(event)
        context.publish(unread_count(context, user))
    else:
        notifications.set_message(context.tx, row.ref.number, last)
        context.published.append(Published(event, None))


def recount(context: ServiceContext, users: list[Ref]) -> None:
    for user in users:
        context.publish(unread_count(context, user))


def announce(context: ServiceContext, broadcast: Ref, users: list[Ref]) -> None:
    """Notify some online users of a broadcast."""
    silent = silent_users(context, users)
    for user in users:
        found = broadcasts.get(context.tx, user, broadcast.number)
        if found is not None and not found.read:
            context.published.append(Published(NotificationCreated(found, user.number in silent), None))
            context.publish(unread_count(context, user))
