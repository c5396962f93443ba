"""`pairs`: a bare id joins, toUserId names the receiver, reading has receipts, and notifications have any type.

All ids are integers, and a client may write them as digits in a string. No acks are documented, so none are given; what
went wrong is told as the event `error`. The receiver of a message and of typing hears it joined or not. What waits in a
conversation is told as `message_notification`, so that `new_notification` has all notifications but those of messages.
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
from protocol.dialects.grammar import Dialect, Inbound, Many, Outbound, ReplyStyle, Route, Shape, Vocabulary, silent
from protocol.dialects.words import (
    COUNT,
    FLAG,
    FREE,
    TEXT,
    always,
    field,
    key_alone,
    moment,
    nested,
    optional,
    plain,
    spelt,
    spelt_each,
    spread,
    whether_read,
)
from protocol.events import MEMBERS, USER, MessageCreated, MessageRead, NotificationCreated, Typing
from protocol.ids import DIGITS

# Shapes


_HEAD: Shape = {
    "id": spelt("ref", DIGITS),
    "conversation_id": spelt("conversation", DIGITS),
    "sender_id": spelt("sender.ref", DIGITS),
    "receiver_id": spelt("receiver", DIGITS),
    "content": plain("content"),
    "is_read": whether_read(""),
}


MESSAGE: Shape = {**_HEAD, "read_at": moment("read_at"), "created_at": moment("created")}
NOTICE: Shape = {**_HEAD, "created_at": moment("created"), "type": always("new_message")}


NOTIFICATION: Shape = {
    "id": spelt("ref", DIGITS),
    "user_id": spelt("user", DIGITS),
    "title": plain("title"),
    "message": plain("content"),
    "type": plain("type"),
    "created_at": moment("created"),
    "…": spread("extra"),
}


OTHER: Shape = {"id": spelt("ref", DIGITS), "username": plain("name"), "display_name": plain("display")}
CONVERSATION: Shape = {
    "id": spelt("ref", DIGITS),
    "type": plain("kind", "private or group"),
    "title": plain("title", "a string, or null"),
    "participants": spelt_each("members", DIGITS),
    "other_user": nested("other", OTHER),
    "last_message": nested("last", MESSAGE),
    "unread_count": plain("unread", "a number"),
    "created_at": moment("created"),
}
TYPING: Shape = {"conversationId": spelt("conversation", DIGITS), "userId": spelt("user", DIGITS)}
ERROR: Shape = {"message": plain("message")}

# Fields

CONVERSATION_ID = field("conversationId", DIGITS, "conversation")
IN_PATH = field("id", DIGITS, "conversation")
SENT = (field("content", TEXT), optional("toUserId", DIGITS, "to"), optional("clientId", TEXT, "client_id"))
WINDOW = (optional("limit", COUNT), optional("before", DIGITS), optional("after", DIGITS))

# Calls

CHAT = Vocabulary(
    inbound=(
        Inbound("join_conversation", Join, (CONVERSATION_ID,), positional=True),
        Inbound("leave_conversation", Leave, (CONVERSATION_ID,), positional=True),
        Inbound("send_message", SendMessage, (CONVERSATION_ID, *SENT)),
        Inbound("mark_read", ReadConversation, (CONVERSATION_ID,)),
        Inbound("typing_start", SetTyping, (CONVERSATION_ID, optional("toUserId", DIGITS, "to")), fixed={"on": True}),
        Inbound("typing_stop", SetTyping, (CONVERSATION_ID, optional("toUserId", DIGITS, "to")), fixed={"on": False}),
    ),
    outbound=(
        Outbound(MessageCreated, "new_message", MESSAGE, of="message"),
        Outbound(MessageCreated, "message_notification", NOTICE, MEMBERS, others=True, of="message"),
        Outbound(
            MessageRead,
            "messages_read",
            {
                "conversationId": spelt("conversation", DIGITS),
                "userId": spelt("reader", DIGITS),
                "readAt": moment("at"),
            },
            others=True,
        ),
        Outbound(Typing, "typing_start", TYPING, MEMBERS, others=True, when=("on", True)),
        Outbound(Typing, "typing_stop", TYPING, MEMBERS, others=True, when=("on", False)),
        Outbound(
            NotificationCreated,
            "new_notification",
            NOTIFICATION,
            USER,
            when=("of_conversation", False),
            of="notification",
        ),
    ),
)

ROUTES = (
    Route(
        "POST",
        "/api/conversations",
        CreateConversation,
        (field("toUserId", key_alone(DIGITS), "members"),),
        CONVERSATION,
        201,
        fixed={"kind": "private"},
    ),
    Route("GET", "/api/conversations", ListConversations, WINDOW, Many(CONVERSATION)),
    Route("POST", "/api/conversations/{id}/messages", SendMessage, (IN_PATH, *SENT), MESSAGE, 201),
    Route("GET", "/api/conversations/{id}/messages", ListMessages, (IN_PATH, *WINDOW), Many(MESSAGE)),
    Route("POST", "/api/conversations/{id}/read", ReadConversation, (IN_PATH,), status=204),
    Route(
        "POST",
        "/api/notifications",
        CreateNotification,
        (
            field("user_id", DIGITS, "user"),
            field("title", TEXT),
            optional("message", TEXT, "content"),
            optional("type", TEXT),
            optional("data", FREE, "extra"),
        ),
        NOTIFICATION,
        201,
    ),
    Route(
        "GET",
        "/api/notifications",
        ListNotifications,
        (optional("unreadOnly", FLAG, "unread_only"), *WINDOW),
        Many(NOTIFICATION),
    ),
)

DIALECT = Dialect(
    name="pairs",
    title="WebSocket Chat API Documentation (1-on-1 chat, receipts, notifications)",
    user=DIGITS,
    conversation=DIGITS,
    vocabularies={"/": CHAT},
    replies=ReplyStyle(silent, silent, ("error", ERROR)),
    routes=ROUTES,
)
