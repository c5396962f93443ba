"""`pairs`: a bare id joins, toUserId names the receiver, there are read receipts, and notifications have any type.

All ids are integers, and a client may write them as digits in a string. The specification documents no acks, so the
server sends none; an error is the event `error`. The receiver gets messages and typing whether it joined or not. A
message to a member is also the event `message_notification`. So `new_notification` carries only notifications that
are not about messages.
"""

from __future__ import annotations

from protocol.commands import (
    CreateConversation,
    CreateNotification,
    Join,
    Leave,
    ListConversations,
    ListMessages,
    ListNotifications,
    ReadConversation,
    SendMessage,
    SetTyping,
)
from protocol.dialects.fields import BOOLEAN, OBJECT, POSITIVE_INTEGER, TEXT, field, optional, single_id
from protocol.dialects.grammar import Dialect, Inbound, ListOf, Outbound, ReplyStyle, Route, Shape, Vocabulary, no_ack
from protocol.dialects.shapes import as_id, as_ids, as_is, as_object, as_time, constant, extra_keys, is_read
from protocol.events import MEMBERS, USER, MessageCreated, MessageRead, NotificationCreated, Typing
from protocol.ids import DIGITS

# Shapes


_MESSAGE_BASE: Shape = {
    "id": as_id("ref", DIGITS),
    "conversation_id": as_id("conversation", DIGITS),
    "sender_id": as_id("sender.ref", DIGITS),
    "receiver_id": as_id("receiver", DIGITS),
    "content": as_is("content"),
    "is_read": is_read(),
}


MESSAGE: Shape = {**_MESSAGE_BASE, "read_at": as_time("read_at"), "created_at": as_time("created")}
MESSAGE_NOTIFICATION: Shape = {**_MESSAGE_BASE, "created_at": as_time("created"), "type": constant("new_message")}


NOTIFICATION: Shape = {
    "id": as_id("ref", DIGITS),
    "user_id": as_id("user", DIGITS),
    "title": as_is("title"),
    "message": as_is("content"),
    "type": as_is("type"),
    "created_at": as_time("created"),
    "…": extra_keys("extra"),
}


OTHER_USER: Shape = {"id": as_id("ref", DIGITS), "username": as_is("name"), "display_name": as_is("display")}
CONVERSATION: Shape = {
    "id": as_id("ref", DIGITS),
    "type": as_is("kind", "private or group"),
    "title": as_is("title", "a string, or null"),
    "participants": as_ids("members", DIGITS),
    "other_user": as_object("other", OTHER_USER),
    "last_message": as_object("last", MESSAGE),
    "unread_count": as_is("unread", "a number"),
    "created_at": as_time("created"),
}
TYPING: Shape = {"conversationId": as_id("conversation", DIGITS), "userId": as_id("user", DIGITS)}
ERROR: Shape = {"message": as_is("message")}

# Fields

CONVERSATION_ID = field("conversationId", DIGITS, "conversation")
ID_IN_PATH = field("id", DIGITS, "conversation")
CONTENT_FIELDS = (field("content", TEXT), optional("toUserId", DIGITS, "to"), optional("clientId", TEXT, "client_id"))
WINDOW_FIELDS = (optional("limit", POSITIVE_INTEGER), optional("before", DIGITS), optional("after", DIGITS))

# Requests and events

CHAT = Vocabulary(
    inbound=(
        Inbound("join_conversation", Join, (CONVERSATION_ID,), positional=True),
        Inbound("leave_conversation", Leave, (CONVERSATION_ID,), positional=True),
        Inbound("send_message", SendMessage, (CONVERSATION_ID, *CONTENT_FIELDS)),
        Inbound("mark_read", ReadConversation, (CONVERSATION_ID,)),
        Inbound("typing_start", SetTyping, (CONVERSATION_ID, optional("toUserId", DIGITS, "to")), fixed={"on": True}),
        Inbound("typing_stop", SetTyping, (CONVERSATION_ID, optional("toUserId", DIGITS, "to")), fixed={"on": False}),
    ),
    outbound=(
        Outbound(MessageCreated, "new_message", MESSAGE, part="message"),
        Outbound(
            MessageCreated, "message_notification", MESSAGE_NOTIFICATION, MEMBERS, others_only=True, part="message"
        ),
        Outbound(
            MessageRead,
            "messages_read",
            {
                "conversationId": as_id("conversation", DIGITS),
                "userId": as_id("reader", DIGITS),
                "readAt": as_time("at"),
            },
            others_only=True,
        ),
        Outbound(Typing, "typing_start", TYPING, MEMBERS, others_only=True, when=("on", True)),
        Outbound(Typing, "typing_stop", TYPING, MEMBERS, others_only=True, when=("on", False)),
        Outbound(
            NotificationCreated,
            "new_notification",
            NOTIFICATION,
            USER,
            when=("of_conversation", False),
            part="notification",
        ),
    ),
)

# Routes

ROUTES = (
    Route(
        "POST",
        "/api/conversations",
        CreateConversation,
        (field("toUserId", single_id(DIGITS), "members"),),
        CONVERSATION,
        201,
        fixed={"kind": "private"},
    ),
    Route("GET", "/api/conversations", ListConversations, WINDOW_FIELDS, ListOf(CONVERSATION)),
    Route("POST", "/api/conversations/{id}/messages", SendMessage, (ID_IN_PATH, *CONTENT_FIELDS), MESSAGE, 201),
    Route("GET", "/api/conversations/{id}/messages", ListMessages, (ID_IN_PATH, *WINDOW_FIELDS), ListOf(MESSAGE)),
    Route("POST", "/api/conversations/{id}/read", ReadConversation, (ID_IN_PATH,), status=204),
    Route(
        "POST",
        "/api/notifications",
        CreateNotification,
        (
            field("user_id", DIGITS, "user"),
            field("title", TEXT),
            optional("message", TEXT, "content"),
            optional("type", TEXT),
            optional("data", OBJECT, "extra"),
        ),
        NOTIFICATION,
        201,
    ),
    Route(
        "GET",
        "/api/notifications",
        ListNotifications,
        (optional("unreadOnly", BOOLEAN, "unread_only"), *WINDOW_FIELDS),
        ListOf(NOTIFICATION),
    ),
)

DIALECT = Dialect(
    name="pairs",
    title="WebSocket Chat API Documentation (1-on-1 chat, receipts, notifications)",
    user_id=DIGITS,
    conversation_id=DIGITS,
    vocabularies={"/": CHAT},
    replies=ReplyStyle(success=no_ack, failure=no_ack, error_event=("error", ERROR)),
    routes=ROUTES,
)
