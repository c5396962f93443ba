"""`colon`: message:send and its kin, acks of {ok, data}, and a notification service. The native dialect.

Users are integers, everything else is an ObjectId. `/chat` and `/notifications` are two services of one server.
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
from protocol.dialects.grammar import Dialect, Inbound, Many, Outbound, ReplyStyle, Route, Shape, Vocabulary
from protocol.dialects.words import (
    COUNT,
    FLAG,
    TEXT,
    URLS,
    always,
    computed,
    field,
    keys,
    moment,
    nested,
    one_of,
    optional,
    plain,
    spelt,
    spelt_each,
)
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

# Shapes


def _related(related: Ref | str | None) -> str | None:
    return OBJECT_ID.spell(related) if isinstance(related, Ref) else related  # type: ignore[return-value]


def _by_conversation(unread: tuple[Unread, ...]) -> dict[str, int]:
    return {str(OBJECT_ID.spell(one.conversation)): one.count for one in unread}


MESSAGE: Shape = {
    "_id": spelt("ref", OBJECT_ID),
    "sender_id": spelt("sender.ref", DECIMAL),
    "content": plain("content"),
    "attachments": computed("attachments", lambda many: [one.url for one in many], "a list of URLs"),
    "seen_by": spelt_each("seen_by", DECIMAL),
    "created_at": moment("created"),
    "clientId": plain("client_id", omit_none=True),
}


CONVERSATION: Shape = {
    "_id": spelt("ref", OBJECT_ID),
    "type": plain("kind"),
    "title": plain("title", omit_none=True),
    "participants": spelt_each("members", DECIMAL),
    "created_at": moment("created"),
}


PUBLIC_USER: Shape = {
    "username": plain("name"),
    "avatar_url": plain("avatar"),
    "status": plain("status"),
    "created_at": moment("created"),
}


NOTIFICATION: Shape = {
    "_id": spelt("ref", OBJECT_ID),
    "user_id": spelt("user", DECIMAL),
    "type": plain("type"),
    "title": plain("title"),
    "content": plain("content"),
    "is_read": plain("read", "true or false"),
    "related_id": computed("related", _related, "an id, or null"),
    "created_at": moment("created"),
}


USER_SHAPE: Shape = {"id": spelt("ref", DECIMAL), **PUBLIC_USER}
MEMBER: Shape = {
    "user_id": spelt("user.ref", DECIMAL),
    "role": plain("role", "owner, admin or member"),
    "joined_at": moment("joined"),
    "user": nested("user", PUBLIC_USER),
}
UNREAD: Shape = {
    "total": plain("total", "a number"),
    "byConversation": computed("conversations", _by_conversation, "an object: conversation id → number"),
}
BROADCAST: Shape = {"_id": spelt("ref", OBJECT_ID), "created_at": moment("created")}
COUNTED: Shape = {"count": plain("count", "a number")}
ERROR: Shape = {
    "code": plain("code.code"),
    "message": plain("message"),
    "retryAfter": plain("retry_after", "seconds", omit_none=True),
}

# Fields

CONVERSATION_ID = field("conversationId", OBJECT_ID, "conversation")
MESSAGE_ID = field("messageId", OBJECT_ID, "message")
NOTIFICATION_ID = field("notificationId", OBJECT_ID, "notification")
USER_ID = field("userId", DECIMAL, "user")
ROLE = optional("role", one_of("admin", "member"))
SENT = (
    field("content", TEXT, required=False),
    optional("attachments", URLS),
    optional("clientId", TEXT, "client_id"),
)
WINDOW = (optional("limit", COUNT), optional("before", OBJECT_ID), optional("after", OBJECT_ID))
NOTICE = (
    field("title", TEXT),
    optional("content", TEXT),
    optional("type", one_of("message", "group_invite", "system")),
    optional("related_id", TEXT, "related"),
)

# Calls

CHAT = Vocabulary(
    inbound=(
        Inbound("conversation:join", Join, (CONVERSATION_ID,)),
        Inbound("conversation:leave", Leave, (CONVERSATION_ID,)),
        Inbound("message:send", SendMessage, (CONVERSATION_ID, *SENT), MESSAGE),
        Inbound("message:edit", EditMessage, (MESSAGE_ID, field("content", TEXT)), MESSAGE),
        Inbound("message:delete", DeleteMessage, (MESSAGE_ID,)),
        Inbound("message:read", ReadMessage, (MESSAGE_ID,)),
        Inbound("typing", SetTyping, (CONVERSATION_ID, field("isTyping", FLAG, "on"))),
        Inbound("members:add", AddMember, (CONVERSATION_ID, USER_ID, ROLE)),
        Inbound("members:remove", RemoveMember, (CONVERSATION_ID, USER_ID)),
    ),
    outbound=(
        Outbound(MessageCreated, "message:created", MESSAGE, of="message"),
        Outbound(MessageUpdated, "message:updated", MESSAGE, of="message"),
        Outbound(MessageDeleted, "message:deleted", {"messageId": spelt("message", OBJECT_ID)}),
        Outbound(
            MessageRead,
            "message:read",
            {
                "messageId": spelt("message", OBJECT_ID),
                "readerId": spelt("reader", DECIMAL),
                "readAt": moment("at"),
            },
        ),
        Outbound(
            Typing,
            "typing",
            {
                "conversationId": spelt("conversation", OBJECT_ID),
                "userId": spelt("user", DECIMAL),
                "isTyping": plain("on", "true or false"),
            },
            others=True,
        ),
        Outbound(ConversationCreated, "conversation:created", CONVERSATION, MEMBERS, of="conversation"),
        Outbound(ConversationCreated, "conversation:created", CONVERSATION, USER, of="conversation"),
        Outbound(
            ConversationDeleted, "conversation:deleted", {"conversationId": spelt("conversation", OBJECT_ID)}, MEMBERS
        ),
        Outbound(MemberAdded, "members:added", {"userId": spelt("user.ref", DECIMAL)}),
        Outbound(MemberRemoved, "members:removed", {"userId": spelt("user", DECIMAL)}),
        Outbound(UnreadChanged, "unread:count", UNREAD, USER),
        Outbound(NotificationCreated, "notification:created", NOTIFICATION, USER, of="notification"),
    ),
    greets=(UnreadChanged,),
)

NOTIFICATIONS = Vocabulary(
    inbound=(
        Inbound(
            "notification:list", ListNotifications, (optional("unreadOnly", FLAG, "unread_only"),), Many(NOTIFICATION)
        ),
        Inbound("notification:get", GetNotification, (NOTIFICATION_ID,), NOTIFICATION),
        Inbound("notification:read", ReadNotification, (NOTIFICATION_ID,), NOTIFICATION),
        Inbound("notification:delete", DeleteNotification, (NOTIFICATION_ID,)),
        Inbound(
            "notification:ping",
            Heartbeat,
            (field("action", one_of("ping")),),
            {"timestamp": plain("at", "milliseconds since 1970")},
            reply_event="pong",
        ),
    ),
    outbound=(
        Outbound(NotificationCreated, "notification:created", NOTIFICATION, USER, of="notification"),
        Outbound(
            NotificationRead,
            "notification:read",
            {"notificationId": spelt("notification", OBJECT_ID), "is_read": always(True)},
            USER,
        ),
        Outbound(
            NotificationDeleted, "notification:deleted", {"notificationId": spelt("notification", OBJECT_ID)}, USER
        ),
        Outbound(NotificationCounted, "notification:count", COUNTED, USER),
    ),
    greets=(NotificationCounted,),
)

ROUTES = (
    Route(
        "POST",
        "/conversations",
        CreateConversation,
        (
            field("type", one_of("private", "group"), "kind"),
            field("participants", keys(DECIMAL), "members"),
            optional("title", TEXT),
        ),
        CONVERSATION,
        201,
    ),
    Route("GET", "/conversations", ListConversations, WINDOW, Many(CONVERSATION)),
    Route("GET", "/conversations/{conversationId}", GetConversation, (CONVERSATION_ID,), CONVERSATION),
    Route("DELETE", "/conversations/{conversationId}", DeleteConversation, (CONVERSATION_ID,), status=204),
    Route("POST", "/conversations/{conversationId}/messages", SendMessage, (CONVERSATION_ID, *SENT), MESSAGE, 201),
    Route("GET", "/conversations/{conversationId}/messages", ListMessages, (CONVERSATION_ID, *WINDOW), Many(MESSAGE)),
    Route("GET", "/messages/{messageId}", GetMessage, (MESSAGE_ID,), MESSAGE),
    Route("PATCH", "/messages/{messageId}", EditMessage, (MESSAGE_ID, field("content", TEXT)), MESSAGE),
    Route("DELETE", "/messages/{messageId}", DeleteMessage, (MESSAGE_ID,), status=204),
    Route("POST", "/messages/{messageId}/read", ReadMessage, (MESSAGE_ID,), status=204),
    Route("GET", "/conversations/{conversationId}/members", ListMembers, (CONVERSATION_ID,), Many(MEMBER)),
    Route("POST", "/conversations/{conversationId}/members", AddMember, (CONVERSATION_ID, USER_ID, ROLE), status=204),
    Route("DELETE", "/conversations/{conversationId}/members", RemoveMember, (CONVERSATION_ID, USER_ID), status=204),
    Route(
        "POST",
        "/conversations/{conversationId}/typing",
        SetTyping,
        (CONVERSATION_ID, field("isTyping", FLAG, "on")),
        status=204,
    ),
    Route("GET", "/unread", GetUnread, (), UNREAD),
    Route(
        "POST", "/notifications", CreateNotification, (field("user_id", DECIMAL, "user"), *NOTICE), NOTIFICATION, 201
    ),
    Route("POST", "/notifications/broadcast", Broadcast, NOTICE, BROADCAST, 202),
    Route(
        "GET",
        "/notifications",
        ListNotifications,
        (optional("unreadOnly", FLAG, "unread_only"), *WINDOW),
        Many(NOTIFICATION),
    ),
    Route("GET", "/notifications/unread/count", CountNotifications, (), COUNTED),
    Route("POST", "/notifications/read", ReadNotifications, (), COUNTED),
    Route("GET", "/notifications/{notificationId}", GetNotification, (NOTIFICATION_ID,), NOTIFICATION),
    Route("POST", "/notifications/{notificationId}/read", ReadNotification, (NOTIFICATION_ID,), NOTIFICATION),
    Route("DELETE", "/notifications/{notificationId}", DeleteNotification, (NOTIFICATION_ID,), status=204),
    Route(
        "GET",
        "/users",
        ListUsers,
        (optional("query", TEXT), optional("limit", COUNT), optional("before", DECIMAL), optional("after", DECIMAL)),
        Many(USER_SHAPE),
    ),
    Route("GET", "/users/me", GetMe, (), USER_SHAPE),
    Route(
        "PATCH",
        "/users/me",
        UpdateMe,
        (
            field("display_name", TEXT, "display", required=False, clears=True),
            field("avatar_url", TEXT, "avatar", required=False, clears=True),
            field("status", TEXT, "status", required=False, clears=True),
        ),
        USER_SHAPE,
    ),
    Route("GET", "/users/{userId}", GetUser, (USER_ID,), USER_SHAPE),
)


def _ok(data: object) -> dict[str, object]:
    return {"ok": True} if data is None else {"ok": True, "data": data}


def _not_ok(refusal: Refusal) -> dict[str, object]:
    error: dict[str, object] = {"code": refusal.code.code, "message": refusal.message}
    if refusal.retry_after is not None:
        error["retryAfter"] = refusal.retry_after
    return {"ok": False, "error": error}


DIALECT = Dialect(
    name="colon",
    title="WebSocket (Realtime) Spec — Chat Service and Notification Service",
    user=DECIMAL,
    conversation=OBJECT_ID,
    vocabularies={"/chat": CHAT, "/notifications": NOTIFICATIONS},
    replies=ReplyStyle(_ok, _not_ok, ("error", ERROR)),
    routes=ROUTES,
    not_yours="You have no permission for this {noun}",
)
