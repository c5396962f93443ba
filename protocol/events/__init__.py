"""The events: what the server sends, and to whom. Each event names its audiences.

An audience is a kind and a number. A dialect's Outbound rows choose a kind for each event name. `inbox` sends a message
to MEMBERS, so its clients need not join. `colon` sends it to JOINED, the conversation's room.

    JOINED  12      the connections that joined conversation 12
    MEMBERS 12      all connections of all members of conversation 12
    USER 7          all connections of user 7
    PEERS 7         all connections of the users that share a conversation with user 7
    EVERYONE 0      all connections

A durable event has a row in the event log. So it has a position, and a client that missed it receives it later. `actor`
is the user that caused the event (0: none); a row with `others_only` excludes that user.
"""

from __future__ import annotations

from protocol.events.base import (
    EVERYONE,
    JOINED,
    MEMBERS,
    PEERS,
    USER,
    Audience,
    Ephemeral,
    Event,
    ToConversation,
    ToUser,
)
from protocol.events.conversations import (
    ConversationCreated,
    ConversationDeleted,
    ConversationUpdated,
    MemberAdded,
    MemberRemoved,
    MemberUpdated,
    MessageCreated,
    MessageDeleted,
    MessageFeaturesChanged,
    MessageRead,
    MessageUpdated,
    PresenceChanged,
    Typing,
)
from protocol.events.files import FileUnlocked, FileUploaded
from protocol.events.internal import (
    AccountChanged,
    AccountClosed,
    FileDeleted,
    Internal,
    LoginSessionEnded,
    ServiceTokenRevoked,
)
from protocol.events.users import (
    AttentionChanged,
    BroadcastCreated,
    MarkedUnread,
    NotificationCounted,
    NotificationCreated,
    NotificationDeleted,
    NotificationRead,
    PreferencesChanged,
    ThreadLevelChanged,
    Unread,
    UnreadChanged,
)

__all__ = [
    "EVERYONE",
    "JOINED",
    "MEMBERS",
    "PEERS",
    "USER",
    "AccountChanged",
    "AccountClosed",
    "AttentionChanged",
    "Audience",
    "BroadcastCreated",
    "ConversationCreated",
    "ConversationDeleted",
    "ConversationUpdated",
    "Ephemeral",
    "Event",
    "FileDeleted",
    "FileUnlocked",
    "FileUploaded",
    "Internal",
    "LoginSessionEnded",
    "MarkedUnread",
    "MemberAdded",
    "MemberRemoved",
    "MemberUpdated",
    "MessageCreated",
    "MessageDeleted",
    "MessageFeaturesChanged",
    "MessageRead",
    "MessageUpdated",
    "NotificationCounted",
    "NotificationCreated",
    "NotificationDeleted",
    "NotificationRead",
    "PreferencesChanged",
    "PresenceChanged",
    "ServiceTokenRevoked",
    "ThreadLevelChanged",
    "ToConversation",
    "ToUser",
    "Typing",
    "Unread",
    "UnreadChanged",
]
