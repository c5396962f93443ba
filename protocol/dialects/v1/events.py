"""The events of `v1`. Each goes to all members of its conversation, or to one user."""

from __future__ import annotations

from protocol.dialects.grammar import Outbound, Shape
from protocol.dialects.shapes import as_id, as_is, as_object, as_time, constant, within
from protocol.dialects.v1.shapes import (
    ATTENTION,
    COUNT,
    MESSAGE,
    NOTIFICATION,
    PERSON,
    PREFERENCES,
    SHARED_CONVERSATION,
    THREAD_PREFERENCE,
    UNREAD,
)
from protocol.events import (
    MEMBERS,
    PEERS,
    USER,
    AttentionChanged,
    ConversationCreated,
    ConversationDeleted,
    ConversationUpdated,
    MarkedUnread,
    MemberAdded,
    MemberRemoved,
    MemberUpdated,
    MessageCreated,
    MessageDeleted,
    MessageFeaturesChanged,
    MessageRead,
    MessageUpdated,
    NotificationCounted,
    NotificationCreated,
    NotificationDeleted,
    NotificationRead,
    PreferencesChanged,
    PresenceChanged,
    ThreadLevelChanged,
    Typing,
    UnreadChanged,
)
from protocol.ids import DECIMAL

# Events

IN_CONVERSATION: Shape = {"conversationId": as_id("conversation", DECIMAL)}

EVENTS = (
    Outbound(MessageCreated, "message.created", MESSAGE, MEMBERS, part="message"),
    Outbound(MessageUpdated, "message.updated", MESSAGE, MEMBERS, part="message"),
    Outbound(MessageFeaturesChanged, "message.updated", MESSAGE, MEMBERS, part="message"),
    Outbound(
        MessageDeleted,
        "message.deleted",
        {**IN_CONVERSATION, "messageId": as_id("message", DECIMAL), "deletedBy": as_id("by", DECIMAL)},
        MEMBERS,
    ),
    Outbound(
        MessageRead,
        "message.read",
        {
            **IN_CONVERSATION,
            "messageId": as_id("message", DECIMAL),
            "userId": as_id("reader", DECIMAL),
            "readAt": as_time("at"),
        },
        MEMBERS,
    ),
    Outbound(
        MarkedUnread, "message.markedUnread", {**IN_CONVERSATION, "readTo": as_is("read_to", "an id, or 0")}, USER
    ),
    Outbound(ConversationCreated, "conversation.created", SHARED_CONVERSATION, MEMBERS, part="conversation"),
    Outbound(ConversationCreated, "conversation.created", SHARED_CONVERSATION, USER, part="conversation"),
    Outbound(ConversationUpdated, "conversation.updated", SHARED_CONVERSATION, MEMBERS, part="conversation"),
    Outbound(
        PreferencesChanged,
        "preferences.updated",
        {**IN_CONVERSATION, **within("preferences", PREFERENCES)},
        USER,
    ),
    Outbound(
        ConversationDeleted, "conversation.deleted", {**IN_CONVERSATION, "deletedBy": as_id("by", DECIMAL)}, MEMBERS
    ),
    Outbound(
        MemberAdded,
        "member.added",
        {**IN_CONVERSATION, "user": as_object("user", PERSON), "role": as_is("role", "owner, admin or member")},
        MEMBERS,
    ),
    Outbound(
        MemberUpdated,
        "member.updated",
        {**IN_CONVERSATION, "user": as_object("user", PERSON), "role": as_is("role", "owner, admin or member")},
        MEMBERS,
    ),
    Outbound(MemberRemoved, "member.removed", {**IN_CONVERSATION, "userId": as_id("user", DECIMAL)}, MEMBERS),
    Outbound(
        Typing,
        "typing.changed",
        {**IN_CONVERSATION, "userId": as_id("user", DECIMAL), "isTyping": as_is("on", "true or false")},
        MEMBERS,
        others_only=True,
    ),
    Outbound(
        PresenceChanged,
        "presence.changed",
        {"userId": as_id("user", DECIMAL), "isOnline": as_is("online", "true or false")},
        PEERS,
    ),
    Outbound(UnreadChanged, "unread.changed", UNREAD, USER),
    Outbound(AttentionChanged, "attention.updated", ATTENTION, USER, part="attention"),
    Outbound(ThreadLevelChanged, "thread.updated", THREAD_PREFERENCE, USER, part="preference"),
    Outbound(
        NotificationCreated,
        "notification.created",
        {**within("notification", NOTIFICATION), "isSilent": as_is("silent", "true or false")},
        USER,
    ),
    Outbound(
        NotificationRead,
        "notification.updated",
        {"notificationId": as_id("notification", DECIMAL), "isRead": constant(True)},
        USER,
    ),
    Outbound(NotificationDeleted, "notification.deleted", {"notificationId": as_id("notification", DECIMAL)}, USER),
    Outbound(NotificationCounted, "notification.counted", COUNT, USER),
)
