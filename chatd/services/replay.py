"""Replay: the events that a user missed, made from rows of the event log.

The rights of today decide which rows a user may see:

    row of the log                                 users who may see it
    an event of a conversation                     the members of today
    a removed member, a deleted conversation       the removed member, the former members; no membership is needed
    an event of one user (notification, addition)  this user
    a broadcast                                    the users of that time

A replayed message has its content of today. A message that was edited later has its last text. For a message that was
deleted later, the replay has only the deletion.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from chatd.services.context import Published
from chatd.store.queries import (
    attention,
    broadcasts,
    conversations,
    event_log,
    files,
    messages,
    notifications,
    preferences,
    users,
)
from chatd.store.queries.event_log import Entry
from chatd.store.sqlite.transaction import ReadTransaction
from protocol import events
from protocol.events import Event
from protocol.ids import Ref
from protocol.model import Message, Notification, ThreadPreference, User


class MissedEvents(NamedTuple):
    """A part of the missed events, the position that it reaches, and whether it is complete.

    `trimmed`: the log no longer had the first missed event when it was read.
    """

    published: list[Published]
    reached: int
    complete: bool
    trimmed: bool = False


class ReplayGap(NamedTuple):
    """The reason why a replay is impossible.

    `epoch`: another database; `trimmed`: the log no longer has the events; `too_far`: a position in the future.
    """

    reason: str


def find_gap(
    tx: ReadTransaction, epoch: str, position: int, *, current_epoch: str, newest: int, inclusive: bool = False
) -> ReplayGap | None:
    """Check whether the log has each event after a position, or (`inclusive`) from that position on."""
    if epoch != current_epoch:
        return ReplayGap("epoch")
    if not 0 <= position <= newest:
        return ReplayGap("too_far")
    first = event_log.first(tx)
    if position - inclusive < newest and (first is None or position - inclusive < first - 1):
        return ReplayGap("trimmed")
    return None


def read_missed(tx: ReadTransaction, user: int, position: int, end: int, limit: int) -> MissedEvents:
    """Read the events that a user missed after a position, from at most `limit` rows of the log."""
    entries = event_log.since(tx, position, end, limit)
    if position < end and (not entries or entries[0].position != position + 1):
        first = event_log.first(tx)
        if first is None or first > position + 1:
            return MissedEvents([], position, True, trimmed=True)
    if not entries:
        return MissedEvents([], max(position, end), True)
    reader = _EventReader(tx, user, entries)
    published = [Published(event, entry.position) for entry in entries if (event := reader.event(entry)) is not None]
    complete = len(entries) < limit
    return MissedEvents(published, end if complete else entries[-1].position, complete)


class _EventReader:
    """Makes events from rows of the log, for one user."""

    def __init__(self, tx: ReadTransaction, user: int, entries: list[Entry]) -> None:
        self._tx = tx
        self._user = user
        self._conversations = set(conversations.of_user(tx, user))
        wanted = {
            e.about for e in entries if e.kind in _MESSAGE_KINDS and e.about and e.conversation in self._conversations
        }
        self._messages = messages.many(tx, sorted(wanted)) if wanted else {}
        self._refs: dict[int, Ref] = {}

    def event(self, entry: Entry) -> Event | None:
        """Return the event of a row; None if the user may not see it, or if its object no longer exists."""
        make, always = _MAKERS.get(entry.kind, (None, True))
        if make is None or not (always or entry.conversation in self._conversations):
            return None
        return make(self, entry)

    def user(self, number: int | None) -> User | None:
        return users.by_id(self._tx, number) if number is not None else None

    def ref(self, number: int | None) -> Ref:
        """A user's Ref."""
        assert number is not None
        if number not in self._refs:
            found = self.user(number)
            self._refs[number] = found.ref if found else Ref(number, 0)
        return self._refs[number]

    # The methods of the table _MAKERS, one for each event

    def created(self, entry: Entry) -> Event | None:
        message = self._message(entry)
        return None if message is None else events.MessageCreated(message)

    def updated(self, entry: Entry) -> Event | None:
        message = self._message(entry)
        return None if message is None else events.MessageUpdated(message)

    def features_changed(self, entry: Entry) -> Event | None:
        message = self._message(entry)
        return None if message is None else events.MessageFeaturesChanged(message, self.ref(entry.user))

    def marked_unread(self, entry: Entry) -> Event | None:
        if entry.user != self._user:
            return None
        found = conversations.get(self._tx, entry.conversation or 0)
        return None if found is None else events.MarkedUnread(found.ref, self.ref(self._user), entry.about or 0)

    def preferences_changed(self, entry: Entry) -> Event | None:
        if entry.user != self._user:
            return None
        found = conversations.get(self._tx, entry.conversation or 0)
        if found is None:
            return None
        now = preferences.get(self._tx, self._user, found.ref.number)
        return events.PreferencesChanged(found.ref, self.ref(self._user), now)

    def attention_changed(self, entry: Entry) -> Event | None:
        if entry.user != self._user:
            return None
        return events.AttentionChanged(self.ref(self._user), attention.get(self._tx, self._user))

    def thread_level_changed(self, entry: Entry) -> Event | None:
        found = conversations.get(self._tx, entry.conversation or 0)
        if entry.user != self._user or found is None:
            return None
        level = attention.thread_level(self._tx, self._user, found.ref.number, entry.about or 0)
        preference = ThreadPreference(found.ref, Ref(entry.about or 0, 0), level)
        return events.ThreadLevelChanged(self.ref(self._user), preference)

    def conversation_updated(self, entry: Entry) -> Event | None:
        found = conversations.get(self._tx, entry.conversation or 0)
        return None if found is None else events.ConversationUpdated(found, self.ref(entry.user))

    def role_changed(self, entry: Entry) -> Event | None:
        user = self.user(entry.user)
        membership = conversations.membership(self._tx, entry.conversation or 0, entry.user or 0)
        if user is None or membership is None:
            return None
        return events.MemberUpdated(membership.conversation, user, membership.role)

    def _message(self, entry: Entry) -> Message | None:
        message, deleted = self._messages.get(entry.about or 0, (None, True))
        return None if deleted else message

    def deleted(self, entry: Entry) -> Event | None:
        message, _ = self._messages.get(entry.about or 0, (None, True))
        if message is None:
            return None
        return events.MessageDeleted(message.ref, message.conversation, self.ref(entry.user), message.sender.ref)

    def read(self, entry: Entry) -> Event | None:
        message, _ = self._messages.get(entry.about or 0, (None, True))
        if message is None:
            return None
        return events.MessageRead(message.ref, message.conversation, self.ref(entry.user), entry.at)

    def opened(self, entry: Entry) -> Event | None:
        found = conversations.get(self._tx, entry.conversation or 0)
        if found is None or (entry.user is not None and entry.user != self._user):
            return None
        return events.ConversationCreated(found, None if entry.user is None else self.ref(entry.user))

    def file_uploaded(self, entry: Entry) -> Event | None:
        found, sender = conversations.get(self._tx, entry.conversation or 0), self.user(entry.user)
        file = files.get(self._tx, entry.about or 0)
        if found is None or sender is None or file is None:
            return None
        return events.FileUploaded(file, found.ref, sender, int(entry.detail or 0))

    def file_unlocked(self, entry: Entry) -> Event | None:
        found, file = conversations.get(self._tx, entry.conversation or 0), files.get(self._tx, entry.about or 0)
        if found is None or file is None:
            return None
        return events.FileUnlocked(file, found.ref, None if entry.user is None else self.ref(entry.user), entry.at)

    def closed(self, entry: Entry) -> Event | None:
        detail: dict[str, Any] = json.loads(entry.detail or "{}")
        if self._user not in detail["members"]:
            return None
        members = tuple(Ref(number, 0) for number in detail["members"])
        return events.ConversationDeleted(Ref(entry.conversation or 0, detail["born"]), self.ref(entry.user), members)

    def added(self, entry: Entry) -> Event | None:
        found, user = conversations.get(self._tx, entry.conversation or 0), self.user(entry.user)
        membership = conversations.membership(self._tx, entry.conversation or 0, entry.user or 0)
        role = "member" if membership is None else membership.role
        return None if found is None or user is None else events.MemberAdded(found.ref, user, role=role)

    def removed(self, entry: Entry) -> Event | None:
        if entry.conversation not in self._conversations and entry.user != self._user:
            return None
        detail: dict[str, Any] = json.loads(entry.detail or "{}")
        return events.MemberRemoved(Ref(entry.conversation or 0, detail["born"]), self.ref(entry.user))

    def notified(self, entry: Entry) -> Event | None:
        found = self._notification(entry)
        return None if found is None else events.NotificationCreated(found)

    def notification_read(self, entry: Entry) -> Event | None:
        found = self._notification(entry)
        return None if found is None else events.NotificationRead(found.ref, found.user)

    def _notification(self, entry: Entry) -> Notification | None:
        if entry.user not in (None, self._user):
            return None
        me, number = self.ref(self._user), entry.about or 0
        return notifications.get(self._tx, me, number) or broadcasts.get(self._tx, me, number)

    def notification_deleted(self, entry: Entry) -> Event | None:
        if entry.user != self._user:
            return None
        detail: dict[str, Any] = json.loads(entry.detail or "{}")
        return events.NotificationDeleted(Ref(entry.about or 0, detail["born"]), self.ref(self._user))


EventMaker = Callable[[_EventReader, Entry], Event | None]

_MESSAGE_KINDS = {"message", "edit", "features", "delete", "read"}
_MAKERS: dict[str, tuple[EventMaker, bool]] = {
    "message": (_EventReader.created, False),
    "edit": (_EventReader.updated, False),
    "features": (_EventReader.features_changed, False),
    "delete": (_EventReader.deleted, False),
    "unread": (_EventReader.marked_unread, False),
    "prefer": (_EventReader.preferences_changed, False),
    "attention": (_EventReader.attention_changed, True),
    "thread": (_EventReader.thread_level_changed, False),
    "update": (_EventReader.conversation_updated, False),
    "role": (_EventReader.role_changed, False),
    "read": (_EventReader.read, False),
    "open": (_EventReader.opened, False),
    "close": (_EventReader.closed, True),
    "add": (_EventReader.added, False),
    "remove": (_EventReader.removed, True),
    "upload": (_EventReader.file_uploaded, False),
    "unlock": (_EventReader.file_unlocked, False),
    "notify": (_EventReader.notified, True),
    "broadcast": (_EventReader.notified, True),
    "notify_read": (_EventReader.notification_read, True),
    "notify_delete": (_EventReader.notification_deleted, True),
}
