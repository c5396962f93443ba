"""`colon`: event names with colons (message:send), acks of {ok, data}, and a notification service.

The ids of users are integers, all others are ObjectIds. `/chat` and `/notifications` are two services of one server.
"""

from __future__ import annotations

from protocol.commands import (
    AddMember,
    Broadcast,
    CountNotifications,
    CreateConversation,
    CreateNotification,
    DeleteConversation,
    DeleteMessage,
    DeleteNotification,
    EditMessage,
    GetConversation,
    GetMe,
    GetMessage,
    GetNotification,
    GetUnread,
    GetUser,
    Heartbeat,
    Join,
    Leave,
    ListConversations,
    ListMembers,
    ListMessages,
    ListNotifications,
    ListUsers,
    ReadMessage,
    ReadNotification,
    ReadNotifications,
    RemoveMember,
    SendMessage,
    SetTyping,
    UpdateMe,
)
from protocol.dialects.fields import BOOLEAN, POSITIVE_INTEGER, TEXT, URLS, field, ids, one_of, optional
from protocol.dialects.grammar import Dialect, Inbound, ListOf, Outbound, ReplyStyle, Route, Shape, Vocabulary
from protocol.dialects.shapes import as_id, as_ids, as_is, as_object, as_time, computed, constant
from protocol.errors import Refusal
from protocol.events import (
    MEMBERS,
    USER,
    ConversationCreated,
    ConversationDeleted,
    MemberAdded,
    MemberRemoved,
    MessageCreated,
    MessageDeleted,
    MessageRead,
    MessageUpdated,
    NotificationCounted,
    NotificationCreated,
    NotificationDeleted,
    NotificationRead,
    Typing,
    Unread,
    UnreadChanged,
)
from protocol.ids import DECIMAL, OBJECT_ID, Ref
from protocol.model import Attachment

# Shapes


def _related(related: Ref | str | None) -> str | None:
    return OBJECT_ID.write(related) if isinstance(related, Ref) else related  # type: ignore[return-value]


def _counts_by_conversation(unread: tuple[Unread, ...]) -> dict[str, int]:
    return {str(OBJECT_ID.write(one.conversation)): one.count for one in unread}


def _urls(attachments: tuple[Attachment, ...]) -> list[str]:
    return [attachment.url for attachment in attachments] if attachments else []


MESSAGE: Shape = {
    "_id": as_id("ref", OBJECT_ID),
    "sender_id": as_id("sender.ref", DECIMAL),
    "content": as_is("content"),
    "attachments": computed("attachments", _urls, "a list of URLs"),
    "seen_by": as_ids("seen_by", DECIMAL),
    "created_at": as_time("created"),
    "clientId": as_is("client_id", omit_none=True),
}


CONVERSATION: Shape = {
    "_id": as_id("ref", OBJECT_ID),
    "type": as_is("kind"),
    "title": as_is("title", omit_none=True),
    "participants": as_ids("members", DECIMAL),
    "created_at": as_time("created"),
}


PUBLIC_USER: Shape = {
    "username": as_is("name"),
    "avatar_url": as_is("avatar"),
    "status": as_is("status"),
    "created_at": as_time("created"),
}


NOTIFICATION: Shape = {
    "_id": as_id("ref", OBJECT_ID),
    "user_id": as_id("user", DECIMAL),
    "type": as_is("type"),
    "title": as_is("title"),
    "content": as_is("content"),
    "is_read": as_is("read", "true or false"),
    "related_id": computed("related", _related, "an id, or null"),
    "created_at": as_time("created"),
}


USER_BODY: Shape = {"id": as_id("ref", DECIMAL), **PUBLIC_USER}
MEMBER: Shape = {
    "user_id": as_id("user.ref", DECIMAL),
    "role": as_is("role", "owner, admin or member"),
    "joined_at": as_time("joined"),
    "user": as_object("user", PUBLIC_USER),
}
UNREAD: Shape = {
    "total": as_is("total", "a number"),
    "byConversation": computed("conversations", _counts_by_conversation, "an object: conversation id → number"),
}
BROADCAST: Shape = {"_id": as_id("ref", OBJECT_ID), "created_at": as_time("created")}
COUNT: Shape = {"count": as_is("count", "a number")}
ERROR: Shape = {
    "code": as_is("code.code"),
    "message": as_is("message"),
    "retryAfter": as_is("retry_after", "seconds", omit_none=True),
}

# Fields

CONVERSATION_ID = field("conversationId", OBJECT_ID, "conversation")
MESSAGE_ID = field("messageId", OBJECT_ID, "message")
NOTIFICATION_ID = field("notificationId", OBJECT_ID, "notification")
USER_ID = field("userId", DECIMAL, "user")
ROLE = optional("role", one_of("admin", "member"))
CONTENT_FIELDS = (
    field("content", TEXT, required=False),
    optional("attachments", URLS),
    optional("clientId", TEXT, "client_id"),
)
WINDOW_FIELDS = (optional("limit", POSITIVE_INTEGER), optional("before", OBJECT_ID), optional("after", OBJECT_ID))
NOTIFICATION_FIELDS = (
    field("title", TEXT),
    optional("content", TEXT),
    optional("type", one_of("message", "group_invite", "system")),
    optional("related_id", TEXT, "related"),
)

# Requests and events

CHAT = Vocabulary(
    inbound=(
        Inbound("conversation:join", Join, (CONVERSATION_ID,)),
        Inbound("conversation:leave", Leave, (CONVERSATION_ID,)),
        Inbound("message:send", SendMessage, (CONVERSATION_ID, *CONTENT_FIELDS), MESSAGE),
        Inbound("message:edit", EditMessage, (MESSAGE_ID, field("content", TEXT)), MESSAGE),
        Inbound("message:delete", DeleteMessage, (MESSAGE_ID,)),
        Inbound("message:read", ReadMessage, (MESSAGE_ID,)),
        Inbound("typing", SetTyping, (CONVERSATION_ID, field("isTyping", BOOLEAN, "on"))),
        Inbound("members:add", AddMember, (CONVERSATION_ID, USER_ID, ROLE)),
        Inbound("members:remove", RemoveMember, (CONVERSATION_ID, USER_ID)),
    ),
    outbound=(
        Outbound(MessageCreated, "message:created", MESSAGE, part="message"),
        Outbound(MessageUpdated, "message:updated", MESSAGE, part="message"),
        Outbound(MessageDeleted, "message:deleted", {"messageId": as_id("message", OBJECT_ID)}),
        Outbound(
            MessageRead,
            "message:read",
            {
                "messageId": as_id("message", OBJECT_ID),
                "readerId": as_id("reader", DECIMAL),
                "readAt": as_time("at"),
            },
        ),
        Outbound(
            Typing,
            "typing",
            {
                "conversationId": as_id("conversation", OBJECT_ID),
                "userId": as_id("user", DECIMAL),
                "isTyping": as_is("on", "true or false"),
            },
            others_only=True,
        ),
        Outbound(ConversationCreated, "conversation:created", CONVERSATION, MEMBERS, part="conversation"),
        Outbound(ConversationCreated, "conversation:created", CONVERSATION, USER, part="conversation"),
        Outbound(
            ConversationDeleted, "conversation:deleted", {"conversationId": as_id("conversation", OBJECT_ID)}, MEMBERS
        ),
        Outbound(MemberAdded, "members:added", {"userId": as_id("user.ref", DECIMAL)}),
        Outbound(MemberRemoved, "members:removed", {"userId": as_id("user", DECIMAL)}),
        Outbound(UnreadChanged, "unread:count", UNREAD, USER),
        Outbound(NotificationCreated, "notification:created", NOTIFICATION, USER, part="notification"),
    ),
    initial_events=(UnreadChanged,),
)

NOTIFICATIONS = Vocabulary(
    inbound=(
        Inbound(
            "notification:list",
            ListNotifications,
            (optional("unreadOnly", BOOLEAN, "unread_only"),),
            ListOf(NOTIFICATION),
        ),
        Inbound("notification:get", GetNotification, (NOTIFICATION_ID,), NOTIFICATION),
        Inbound("notification:read", ReadNotification, (NOTIFICATION_ID,), NOTIFICATION),
        Inbound("notification:delete", DeleteNotification, (NOTIFICATION_ID,)),
        Inbound(
            "notification:ping",
            Heartbeat,
            (field("action", one_of("ping")),),
            {"timestamp": as_is("at", "milliseconds since 1970")},
            reply_event="pong",
        ),
    ),
    outbound=(
        Outbound(NotificationCreated, "notification:created", NOTIFICATION, USER, part="notification"),
        Outbound(
            NotificationRead,
            "notification:read",
            {"notificationId": as_id("notification", OBJECT_ID), "is_read": constant(True)},
            USER,
        ),
        Outbound(
            NotificationDeleted, "notification:deleted", {"notificationId": as_id("notification", OBJECT_ID)}, USER
        ),
        Outbound(NotificationCounted, "notification:count", COUNT, USER),
    ),
    initial_events=(NotificationCounted,),
)

# Routes

ROUTES = (
    Route(
        "POST",
        "/conversations",
        CreateConversation,
        (
            field("type", one_of("private", "group"), "kind"),
            field("participants", ids(DECIMAL), "members"),
            optional("title", TEXT),
        ),
        CONVERSATION,
        201,
    ),
    Route("GET", "/conversations", ListConversations, WINDOW_FIELDS, ListOf(CONVERSATION)),
    Route("GET", "/conversations/{conversationId}", GetConversation, (CONVERSATION_ID,), CONVERSATION),
    Route("DELETE", "/conversations/{conversationId}", DeleteConversation, (CONVERSATION_ID,), status=204),
    Route(
        "POST",
        "/conversations/{conversationId}/messages",
        SendMessage,
        (CONVERSATION_ID, *CONTENT_FIELDS),
        MESSAGE,
        201,
    ),
    Route(
        "GET",
        "/conversations/{conversationId}/messages",
        ListMessages,
        (CONVERSATION_ID, *WINDOW_FIELDS),
        ListOf(MESSAGE),
    ),
    Route("GET", "/messages/{messageId}", GetMessage, (MESSAGE_ID,), MESSAGE),
    Route("PATCH", "/messages/{messageId}", EditMessage, (MESSAGE_ID, field("content", TEXT)), MESSAGE),
    Route("DELETE", "/messages/{messageId}", DeleteMessage, (MESSAGE_ID,), status=204),
    Route("POST", "/messages/{messageId}/read", ReadMessage, (MESSAGE_ID,), status=204),
    Route("GET", "/conversations/{conversationId}/members", ListMembers, (CONVERSATION_ID,), ListOf(MEMBER)),
    Route("POST", "/conversations/{conversationId}/members", AddMember, (CONVERSATION_ID, USER_ID, ROLE), status=204),
    Route("DELETE", "/conversations/{conversationId}/members", RemoveMember, (CONVERSATION_ID, USER_ID), status=204),
    Route(
        "POST",
        "/conversations/{conversationId}/typing",
        SetTyping,
        (CONVERSATION_ID, field("isTyping", BOOLEAN, "on")),
        status=204,
    ),
    Route("GET", "/unread", GetUnread, (), UNREAD),
    Route(
        "POST",
        "/notifications",
        CreateNotification,
        (field("user_id", DECIMAL, "user"), *NOTIFICATION_FIELDS),
        NOTIFICATION,
        201,
    ),
    Route("POST", "/notifications/broadcast", Broadcast, NOTIFICATION_FIELDS, BROADCAST, 202),
    Route(
        "GET",
        "/notifications",
        ListNotifications,
        (optional("unreadOnly", BOOLEAN, "unread_only"), *WINDOW_FIELDS),
        ListOf(NOTIFICATION),
    ),
    Route("GET", "/notifications/unread/count", CountNotifications, (), COUNT),
    Route("POST", "/notifications/read", ReadNotifications, (), COUNT),
    Route("GET", "/notifications/{notificationId}", GetNotification, (NOTIFICATION_ID,), NOTIFICATION),
    Route("POST", "/notifications/{notificationId}/read", ReadNotification, (NOTIFICATION_ID,), NOTIFICATION),
    Route("DELETE", "/notifications/{notificationId}", DeleteNotification, (NOTIFICATION_ID,), status=204),
    Route(
        "GET",
        "/users",
        ListUsers,
        (
            optional("query", TEXT),
            optional("limit", POSITIVE_INTEGER),
            optional("before", DECIMAL),
            optional("after", DECIMAL),
        ),
        ListOf(USER_BODY),
    ),
    Route("GET", "/users/me", GetMe, (), USER_BODY),
    Route(
        "PATCH",
        "/users/me",
        UpdateMe,
        (
            field("display_name", TEXT, "display", required=False, clears=True),
            field("avatar_url", TEXT, "avatar", required=False, clears=True),
            field("status", TEXT, "status", required=False, clears=True),
        ),
        USER_BODY,
    ),
    Route("GET", "/users/{userId}", GetUser, (USER_ID,), USER_BODY),
)


def _success(data: object) -> dict[str, object]:
    return {"ok": True} if data is None else {"ok": True, "data": data}


def _failure(refusal: Refusal) -> dict[str, object]:
    error: dict[str, object] = {"code": refusal.code.code, "message": refusal.message}
    if refusal.retry_after is not None:
        error["retryAfter"] = refusal.retry_after
    return {"ok": False, "error": error}


DIALECT = Dialect(
    name="colon",
    title="WebSocket (Realtime) Spec — Chat Service and Notification Service",
    user_id=DECIMAL,
    conversation_id=OBJECT_ID,
    vocabularies={"/chat": CHAT, "/notifications": NOTIFICATIONS},
    replies=ReplyStyle(success=_success, failure=_failure, error_event=("error", ERROR)),
    routes=ROUTES,
    forbidden_text="You have no permission for this {noun}",
)
