"""`v1`: chatd's own dialect. It has every feature; the other dialects have what their specifications know.

A call is `noun.verb`, an event `noun.past`. A client receives the events of all its conversations and joins no rooms.
`conversation.open` says that the user looks at a conversation: its messages make no notifications until
`conversation.close`. All that is `v1` stays; new keys, calls and events may come.
"""

from __future__ import annotations

from protocol.commands import (
    AddMember,
    BanMember,
    Broadcast,
    CountNotifications,
    CreateConversation,
    CreateNotification,
    DeleteConversation,
    DeleteMessage,
    DeleteNotification,
    EditMessage,
    ForwardMessage,
    GetConversation,
    GetMe,
    GetMessage,
    GetNotification,
    GetUnread,
    GetUser,
    Join,
    JoinPublicConversation,
    Leave,
    LeaveConversation,
    ListBans,
    ListConversations,
    ListMembers,
    ListMessages,
    ListNotifications,
    ListPins,
    ListPublicConversations,
    ListThread,
    ListUsers,
    MarkUnread,
    PinMessage,
    React,
    ReadConversation,
    ReadMessage,
    ReadNotification,
    ReadNotifications,
    RemoveMember,
    SendMessage,
    SetRole,
    SetTyping,
    UnbanMember,
    UnpinMessage,
    Unreact,
    UpdateConversation,
    UpdateMe,
)
from protocol.dialects.fields import (
    ANY_ATTACHMENTS,
    BOOLEAN,
    EMOJI,
    OBJECT,
    POSITIVE_INTEGER,
    SHORT_TEXT,
    TEXT,
    field,
    ids,
    one_of,
    optional,
)
from protocol.dialects.grammar import CallRow, Dialect, ListOf, Outbound, PageOf, ReplyStyle, Shape, Vocabulary
from protocol.dialects.shapes import as_id, as_is, as_object, as_time, constant
from protocol.dialects.v1_shapes import (
    BAN,
    BROADCAST,
    CONVERSATION,
    COUNT,
    ERROR,
    ME,
    MEMBER,
    MESSAGE,
    NOTIFICATION,
    PERSON,
    SHARED_CONVERSATION,
    UNREAD,
)
from protocol.dialects.v1_shapes import USER as USER_BODY
from protocol.errors import Refusal
from protocol.events import (
    MEMBERS,
    PEERS,
    USER,
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
    PresenceChanged,
    Typing,
    UnreadChanged,
)
from protocol.ids import DECIMAL

# Fields

CONVERSATION_ID = field("conversationId", DECIMAL, "conversation")
MESSAGE_ID = field("messageId", DECIMAL, "message")
NOTIFICATION_ID = field("notificationId", DECIMAL, "notification")
USER_ID = field("userId", DECIMAL, "user")
CLIENT_ID = optional("clientId", TEXT, "client_id")
EMOJI_FIELD = field("emoji", EMOJI)
VISIBILITY = optional("visibility", one_of("private", "public"))
WINDOW = (optional("limit", POSITIVE_INTEGER), optional("before", DECIMAL), optional("after", DECIMAL))
NOTICE = (
    field("title", TEXT),
    optional("content", TEXT),
    optional("type", SHORT_TEXT),
    optional("relatedId", TEXT, "related"),
)

# Calls, over sockets and REST

TALKS, TALK, MESSAGES = "/v1/conversations", "/v1/conversations/{conversationId}", "/v1/messages/{messageId}"
NOTICES, ONE_NOTICE = "/v1/notifications", "/v1/notifications/{notificationId}"

CALLS = (
    CallRow("me.get", "GET", "/v1/me", GetMe, (), ME),
    CallRow(
        "me.update",
        "PATCH",
        "/v1/me",
        UpdateMe,
        (
            field("displayName", TEXT, "display", required=False, clears=True),
            field("avatarUrl", TEXT, "avatar", required=False, clears=True),
            field("status", TEXT, required=False, clears=True),
        ),
        ME,
    ),
    CallRow("user.list", "GET", "/v1/users", ListUsers, (optional("query", TEXT), *WINDOW), PageOf(USER_BODY)),
    CallRow("user.get", "GET", "/v1/users/{userId}", GetUser, (USER_ID,), USER_BODY),
    CallRow("conversation.list", "GET", TALKS, ListConversations, WINDOW, PageOf(CONVERSATION)),
    CallRow(
        "conversation.create",
        "POST",
        TALKS,
        CreateConversation,
        (
            field("type", one_of("private", "group"), "kind"),
            field("memberIds", ids(DECIMAL), "members"),
            optional("title", TEXT),
            optional("topic", TEXT),
            VISIBILITY,
        ),
        CONVERSATION,
        status=201,
    ),
    CallRow("conversation.get", "GET", TALK, GetConversation, (CONVERSATION_ID,), CONVERSATION),
    CallRow(
        "conversation.update",
        "PATCH",
        TALK,
        UpdateConversation,
        (
            CONVERSATION_ID,
            field("title", TEXT, required=False, clears=True),
            field("topic", TEXT, required=False, clears=True),
            field("avatarUrl", TEXT, "avatar", required=False, clears=True),
            VISIBILITY,
        ),
        CONVERSATION,
    ),
    CallRow("conversation.delete", "DELETE", TALK, DeleteConversation, (CONVERSATION_ID,)),
    CallRow("conversation.leave", "POST", TALK + "/leave", LeaveConversation, (CONVERSATION_ID,)),
    CallRow(
        "conversation.find",
        "GET",
        "/v1/public-conversations",
        ListPublicConversations,
        (optional("query", TEXT), optional("limit", POSITIVE_INTEGER), optional("before", DECIMAL)),
        PageOf(SHARED_CONVERSATION),
    ),
    CallRow("conversation.join", "POST", TALK + "/join", JoinPublicConversation, (CONVERSATION_ID,), CONVERSATION),
    CallRow("conversation.open", None, "", Join, (CONVERSATION_ID,)),
    CallRow("conversation.close", None, "", Leave, (CONVERSATION_ID,)),
    CallRow("conversation.read", "POST", TALK + "/read", ReadConversation, (CONVERSATION_ID,)),
    CallRow("member.list", "GET", TALK + "/members", ListMembers, (CONVERSATION_ID,), ListOf(MEMBER)),
    CallRow(
        "member.add",
        "POST",
        TALK + "/members",
        AddMember,
        (CONVERSATION_ID, USER_ID, optional("role", one_of("admin", "member"))),
    ),
    CallRow(
        "member.update",
        "PATCH",
        TALK + "/members/{userId}",
        SetRole,
        (CONVERSATION_ID, USER_ID, field("role", one_of("owner", "admin", "member"))),
    ),
    CallRow("member.remove", "DELETE", TALK + "/members/{userId}", RemoveMember, (CONVERSATION_ID, USER_ID)),
    CallRow("ban.list", "GET", TALK + "/bans", ListBans, (CONVERSATION_ID,), ListOf(BAN)),
    CallRow("ban.add", "POST", TALK + "/bans", BanMember, (CONVERSATION_ID, USER_ID)),
    CallRow("ban.remove", "DELETE", TALK + "/bans/{userId}", UnbanMember, (CONVERSATION_ID, USER_ID)),
    CallRow("typing.set", "POST", TALK + "/typing", SetTyping, (CONVERSATION_ID, optional("isTyping", BOOLEAN, "on"))),
    CallRow("message.list", "GET", TALK + "/messages", ListMessages, (CONVERSATION_ID, *WINDOW), PageOf(MESSAGE)),
    CallRow(
        "message.send",
        "POST",
        TALK + "/messages",
        SendMessage,
        (
            CONVERSATION_ID,
            optional("content", TEXT),
            optional("type", one_of("text", "image", "file")),
            optional("attachments", ANY_ATTACHMENTS),
            optional("replyTo", DECIMAL, "reply_to"),
            optional("threadId", DECIMAL, "thread"),
            CLIENT_ID,
        ),
        MESSAGE,
        status=201,
    ),
    CallRow("message.get", "GET", MESSAGES, GetMessage, (MESSAGE_ID,), MESSAGE),
    CallRow("message.edit", "PATCH", MESSAGES, EditMessage, (MESSAGE_ID, field("content", TEXT)), MESSAGE),
    CallRow("message.delete", "DELETE", MESSAGES, DeleteMessage, (MESSAGE_ID,)),
    CallRow("message.read", "POST", MESSAGES + "/read", ReadMessage, (MESSAGE_ID,)),
    CallRow("message.markUnread", "POST", MESSAGES + "/unread", MarkUnread, (MESSAGE_ID,)),
    CallRow(
        "message.forward",
        "POST",
        MESSAGES + "/forward",
        ForwardMessage,
        (MESSAGE_ID, CONVERSATION_ID, CLIENT_ID),
        MESSAGE,
        status=201,
    ),
    CallRow("thread.list", "GET", MESSAGES + "/thread", ListThread, (MESSAGE_ID, *WINDOW), PageOf(MESSAGE)),
    CallRow("reaction.add", "POST", MESSAGES + "/reactions", React, (MESSAGE_ID, EMOJI_FIELD), MESSAGE),
    CallRow("reaction.remove", "DELETE", MESSAGES + "/reactions/{emoji}", Unreact, (MESSAGE_ID, EMOJI_FIELD), MESSAGE),
    CallRow("pin.list", "GET", TALK + "/pins", ListPins, (CONVERSATION_ID,), ListOf(MESSAGE)),
    CallRow("pin.add", "POST", MESSAGES + "/pin", PinMessage, (MESSAGE_ID,), MESSAGE),
    CallRow("pin.remove", "DELETE", MESSAGES + "/pin", UnpinMessage, (MESSAGE_ID,), MESSAGE),
    CallRow("unread.get", "GET", "/v1/unread", GetUnread, (), UNREAD),
    CallRow(
        "notification.list",
        "GET",
        NOTICES,
        ListNotifications,
        (optional("unreadOnly", BOOLEAN, "unread_only"), *WINDOW),
        PageOf(NOTIFICATION),
    ),
    CallRow("notification.count", "GET", NOTICES + "/count", CountNotifications, (), COUNT),
    CallRow("notification.readAll", "POST", NOTICES + "/read", ReadNotifications, (), COUNT),
    CallRow("notification.get", "GET", ONE_NOTICE, GetNotification, (NOTIFICATION_ID,), NOTIFICATION),
    CallRow("notification.read", "POST", ONE_NOTICE + "/read", ReadNotification, (NOTIFICATION_ID,), NOTIFICATION),
    CallRow("notification.delete", "DELETE", ONE_NOTICE, DeleteNotification, (NOTIFICATION_ID,)),
    CallRow(
        "notification.create",
        "POST",
        NOTICES,
        CreateNotification,
        (USER_ID, *NOTICE, optional("data", OBJECT, "extra")),
        NOTIFICATION,
        status=201,
    ),
    CallRow("notification.broadcast", "POST", NOTICES + "/broadcast", Broadcast, NOTICE, BROADCAST, status=202),
)

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
    Outbound(NotificationCreated, "notification.created", NOTIFICATION, USER, part="notification"),
    Outbound(
        NotificationRead,
        "notification.updated",
        {"notificationId": as_id("notification", DECIMAL), "isRead": constant(True)},
        USER,
    ),
    Outbound(NotificationDeleted, "notification.deleted", {"notificationId": as_id("notification", DECIMAL)}, USER),
    Outbound(NotificationCounted, "notification.counted", COUNT, USER),
)


def _success(data: object) -> dict[str, object]:
    return {"ok": True, "data": data}


def _failure(refusal: Refusal) -> dict[str, object]:
    error: dict[str, object] = {"code": refusal.code.code, "message": refusal.message, "field": refusal.field}
    if refusal.retry_after is not None:
        error["retryAfter"] = refusal.retry_after
    return {"ok": False, "error": error}


DIALECT = Dialect(
    name="v1",
    title="chatd's own",
    user_id=DECIMAL,
    conversation_id=DECIMAL,
    vocabularies={
        "/v1": Vocabulary(
            tuple(call.inbound for call in CALLS),
            EVENTS,
            initial_events=(UnreadChanged, PresenceChanged, NotificationCounted),
        )
    },
    replies=ReplyStyle(success=_success, failure=_failure, error_event=("error", ERROR)),
    routes=tuple(call.route for call in CALLS if call.method is not None),
)
