"""Events for one user: what the user prefers, unread counts and notifications."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from protocol.events.base import EVERYONE, USER, Audience, Event, ToUser
from protocol.ids import Ref
from protocol.model import Attention, Notification, Preferences, ThreadPreference


class MarkedUnread(ToUser, frozen=True):
    """A user let the messages after `read_to` count as unread again; `unread_left` is how many these are.

    `mentions` are those of them that mention the user.
    """

    conversation: Ref
    user: Ref
    read_to: int
    unread_left: int = 0
    mentions: tuple[int, ...] = ()


class PreferencesChanged(ToUser, frozen=True):
    """A user changed what the user prefers in a conversation."""

    conversation: Ref
    user: Ref
    preferences: Preferences


class Unread(Struct, frozen=True):
    """The number of unread messages of a conversation, at most 10,000: that also stands for more.

    `mentions` is how many of them mention the user.
    """

    conversation: Ref
    count: int
    mentions: int = 0


class UnreadChanged(ToUser, frozen=True):
    """The unread counts of one user. Not in the log: a new connection receives the current counts."""

    durable: ClassVar[bool] = False

    user: Ref
    total: int
    conversations: tuple[Unread, ...] = ()


class AttentionChanged(ToUser, frozen=True):
    """A user changed when the user wants no alerts."""

    user: Ref
    attention: Attention


class ThreadLevelChanged(ToUser, frozen=True):
    """A user follows or mutes a thread, or does so no longer."""

    user: Ref
    preference: ThreadPreference


class NotificationCreated(Event, frozen=True):
    """A notification is new, or the notification of a conversation now refers to a newer message.

    `silent`: the user wants no alerts at this time.
    """

    notification: Notification
    silent: bool = False

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((USER, self.notification.user[0]),)

    @property
    def of_conversation(self) -> bool:
        """Whether a message caused it, for dialects that send another event for that."""
        return self.notification.type == "message" and isinstance(self.notification.related, Ref)


class BroadcastCreated(Event, frozen=True):
    """A broadcast was stored. Each connected user receives it as a NotificationCreated of their own."""

    broadcast: Ref

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((EVERYONE, 0),)


class NotificationRead(ToUser, frozen=True):
    notification: Ref
    user: Ref


class NotificationDeleted(ToUser, frozen=True):
    notification: Ref
    user: Ref


class NotificationCounted(ToUser, frozen=True):
    """The number of unread notifications of a user. Not in the log, like UnreadChanged."""

    durable: ClassVar[bool] = False

    user: Ref
    count: int
