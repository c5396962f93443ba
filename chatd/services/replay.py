"""Replay: what somebody missed, from the event log, as they may see it now.

    a row of the log                           who may see it
    about a conversation                       its members of today
    somebody's removal, a deleted conversation whoever it happened to, and nobody needs the conversation for it
    about a user (notifications, being added)  that user
    a broadcast                                whoever was a user then

A message is told as it is now: edited since, it has its last text; deleted since, only its deletion is told.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from chatd.services.context import Published
from chatd.store.queries import broadcasts, conversations, event_log, messages, notifications, users
from chatd.store.queries.event_log import Entry
from chatd.store.sqlite.transaction import ReadTransaction
from protocol import events
from protocol.events import Event
from protocol.ids import Ref
from protocol.model import Message, Notification, User


class MissedEvents(NamedTuple):
    """A piece of what was missed: events, the position that it reaches, and whether that is all.

    `lost`: by the time of the reading, what comes first was not kept any more.
    """

    published: list[Published]
    reached: int
    all: bool
    lost: bool = False


class ReplayGap(NamedTuple):
    """Why nothing can be replayed: `epoch` (another database), `trimmed` (too old), `too_far` (yet to come)."""

    reason: str


def gap(tx: ReadTransaction, epoch: str, position: int, *, of: str, now: int, again: bool = False) -> ReplayGap | None:
    """Whether something after that position can't be told any more; or (`again`) what has that position itself."""
    if epoch != of:
        return ReplayGap("epoch")
    if not 0 <= position <= now:
        return ReplayGap("too_far")
    first = event_log.first(tx)
    if position - again < now and (first is None or position - again < first - 1):
        return ReplayGap("trimmed")
    return None


def missed(tx: ReadTransaction, user: int, position: int, end: int, limit: int) -> MissedEvents:
    """What one user missed after a position: as much as `limit` rows of the log tell."""
    entries = event_log.since(tx, position, end, limit)
    if position < end and (not entries or entries[0].position != position + 1):
        first = event_log.first(tx)
        if first is None or first > position + 1:
            return MissedEvents([], position, True, lost=True)
    if not entries:
        return MissedEvents([], max(position, end), True)
    reading = _Reading(tx, user, entries)
    told = [Published(event, entry.position) for entry in entries if (event := reading.event(entry)) is not None]
    done = len(entries) < limit
    return MissedEvents(told, end if done else entries[-1].position, done)


class _Reading:
    """Rows of the log, turned into events again for one user."""

    def __init__(self, tx: ReadTransaction, user: int, entries: list[Entry]) -> None:
        self._tx = tx
        self._user = user
        self._mine = set(conversations.of_user(tx, user))
        wanted = {e.about for e in entries if e.kind in _OF_MESSAGES and e.about and e.conversation in self._mine}
        self._messages = messages.many(tx, sorted(wanted)) if wanted else {}
        self._refs: dict[int, Ref] = {}

    def event(self, entry: Entry) -> Event | None:
        """The event of a row; None when this user may not see it, or when there is nothing left to tell."""
        make, always = _MAKERS.get(entry.kind, (None, True))
        if make is None or not (always or entry.conversation in self._mine):
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

    # One method for each kind of row

    def created(self, entry: Entry) -> Event | None:
        message = self._message(entry)
        return None if message is None else events.MessageCreated(message)

    def updated(self, entry: Entry) -> Event | None:
        message = self._message(entry)
        return None if message is None else events.MessageUpdated(message)

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

    def closed(self, entry: Entry) -> Event | None:
        detail: dict[str, Any] = json.loads(entry.detail or "{}")
        if self._user not in detail["members"]:
            return None
        members = tuple(Ref(number, 0) for number in detail["members"])
        return events.ConversationDeleted(Ref(entry.conversation or 0, detail["born"]), self.ref(entry.user), members)

    def added(self, entry: Entry) -> Event | None:
        found, user = conversations.get(self._tx, entry.conversation or 0), self.user(entry.user)
        return None if found is None or user is None else events.MemberAdded(found.ref, user)

    def removed(self, entry: Entry) -> Event | None:
        if entry.conversation not in self._mine and entry.user != self._user:
            return None
        detail: dict[str, Any] = json.loads(entry.detail or "{}")
        return events.MemberRemoved(Ref(entry.conversation or 0, detail["born"]), self.ref(entry.user))

    def notified(self, entry: Entry) -> Event | None:
        found = self._notification(entry)
        return None if found is None else events.NotificationCreated(found)

    def put_away(self, entry: Entry) -> Event | None:
        found = self._notification(entry)
        return None if found is None else events.NotificationRead(found.ref, found.user)

    def _notification(self, entry: Entry) -> Notification | None:
        if entry.user not in (None, self._user):
            return None
        me, number = self.ref(self._user), entry.about or 0
        return notifications.get(self._tx, me, number) or broadcasts.get(self._tx, me, number)

    def taken_away(self, entry: Entry) -> Event | None:
        if entry.user != self._user:
            return None
        detail: dict[str, Any] = json.loads(entry.detail or "{}")
        return events.NotificationDeleted(Ref(entry.about or 0, detail["born"]), self.ref(self._user))


Maker = Callable[[_Reading, Entry], Event | None]

_OF_MESSAGES = {"message", "edit", "delete", "read"}
_MAKERS: dict[str, tuple[Maker, bool]] = {
    "message": (_Reading.created, False),
    "edit": (_Reading.updated, False),
    "delete": (_Reading.deleted, False),
    "read": (_Reading.read, False),
    "open": (_Reading.opened, False),
    "close": (_Reading.closed, True),
    "add": (_Reading.added, False),
    "remove": (_Reading.removed, True),
    "notify": (_Reading.notified, True),
    "broadcast": (_Reading.notified, True),
    "notify_read": (_Reading.put_away, True),
    "notify_delete": (_Reading.taken_away, True),
}
