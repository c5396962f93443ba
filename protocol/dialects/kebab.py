"""`kebab`: event names with hyphens (send-message), replies as events, presence, class-validator's error texts.

All ids are integers. The specification documents one ack, `{success, conversationId}` of join-conversation. So a
request whose row has a reply is acknowledged with it. An error is `{success: false, error}` to a caller that asks for
an ack, and an event to any other. A conversation without the caller as a member has its own error text. Every request
and route answers with it.
"""

from __future__ import annotations

from protocol.commands import (
    CreateConversation,
    Join,
    Leave,
    ListConversations,
    ListMessages,
    SendMessage,
    SetTyping,
)
from protocol.dialects.fields import BOOLEAN, POSITIVE_INTEGER, TEXT, claimed_user, field, one_of, optional, single_id
from protocol.dialects.grammar import (
    Dialect,
    ErrorTexts,
    Inbound,
    ListOf,
    Outbound,
    ReplyStyle,
    Route,
    Shape,
    Vocabulary,
    reply_as_ack,
)
from protocol.dialects.shapes import as_id, as_is, as_object, as_time, constant
from protocol.errors import Refusal
from protocol.events import PEERS, MessageCreated, PresenceChanged, Typing
from protocol.ids import DECIMAL

INTEGER = DECIMAL._replace(name="an integer number")

# Shapes


MESSAGE: Shape = {
    "id": as_id("ref", INTEGER),
    "sender_id": as_id("sender.ref", INTEGER),
    "conversation_id": as_id("conversation", INTEGER),
    "timestamp": as_time("created"),
    "message_type": as_is("type", "text, image or file"),
    "content": as_is("content"),
    "conversation": as_object(
        "",
        {
            "id": as_id("conversation", INTEGER),
            "sender_id": as_id("creator", INTEGER),
            "receiver_id": as_id("peer", INTEGER),
        },
    ),
}

CONVERSATION: Shape = {
    "id": as_id("ref", INTEGER),
    "sender_id": as_id("creator", INTEGER),
    "receiver_id": as_id("peer", INTEGER),
}
JOINED: Shape = {"success": constant(True), "conversationId": as_id("conversation", INTEGER)}
PRESENCE: Shape = {"userId": as_id("user", INTEGER)}
MESSAGE_ERROR: Shape = {"error": as_is("message")}
ERROR: Shape = {"message": as_is("message")}

# Fields

CONVERSATION_ID = field("conversationId", INTEGER, "conversation")
SENDER = claimed_user("sender_id", INTEGER)
CONTENT_FIELDS = (
    field("message_type", one_of("text", "image", "file"), "type"),
    field("content", TEXT),
    optional("clientId", TEXT, "client_id"),
)
ID_IN_PATH = field("id", INTEGER, "conversation")

# Requests and events

CHAT = Vocabulary(
    inbound=(
        Inbound(
            "send-message",
            SendMessage,
            (SENDER, field("conversation_id", INTEGER, "conversation"), *CONTENT_FIELDS),
            MESSAGE,
            reply_event="message-sent",
            error_event=("message-error", MESSAGE_ERROR),
        ),
        Inbound(
            "join-conversation",
            Join,
            (CONVERSATION_ID, claimed_user("userId", INTEGER)),
            JOINED,
            reply_event="joined-conversation",
        ),
        Inbound("leave-conversation", Leave, (CONVERSATION_ID,)),
        Inbound(
            "typing", SetTyping, (CONVERSATION_ID, claimed_user("userId", INTEGER), field("isTyping", BOOLEAN, "on"))
        ),
    ),
    outbound=(
        Outbound(MessageCreated, "receive-message", MESSAGE, part="message"),
        Outbound(
            Typing,
            "user-typing",
            {
                "conversationId": as_id("conversation", INTEGER),
                "userId": as_id("user", INTEGER),
                "isTyping": as_is("on", "true or false"),
            },
            others_only=True,
        ),
        Outbound(PresenceChanged, "user:online", PRESENCE, PEERS, when=("online", True)),
        Outbound(PresenceChanged, "user:offline", PRESENCE, PEERS, when=("online", False)),
    ),
    initial_events=(PresenceChanged,),
)

# Routes

ROUTES = (
    Route(
        "POST",
        "/api/chats/conversations",
        CreateConversation,
        (SENDER, field("receiver_id", single_id(INTEGER), "members")),
        CONVERSATION,
        201,
        fixed={"kind": "private"},
    ),
    Route(
        "GET",
        "/api/chats/conversations",
        ListConversations,
        (optional("limit", POSITIVE_INTEGER), optional("before", INTEGER), optional("after", INTEGER)),
        ListOf(CONVERSATION),
    ),
    Route(
        "POST",
        "/api/chats/conversations/{id}/messages",
        SendMessage,
        (ID_IN_PATH, SENDER, *CONTENT_FIELDS),
        MESSAGE,
        201,
    ),
    Route(
        "GET",
        "/api/chats/conversations/{id}/messages",
        ListMessages,
        (ID_IN_PATH, optional("page", POSITIVE_INTEGER), optional("limit", POSITIVE_INTEGER)),
        ListOf(MESSAGE),
        numbered_pages=True,
    ),
)


def _failure(refusal: Refusal) -> dict[str, object]:
    return {"success": False, "error": refusal.message}


DIALECT = Dialect(
    name="kebab",
    title="WebSocket Chat API Documentation",
    user_id=INTEGER,
    conversation_id=INTEGER,
    vocabularies={"/chat": CHAT},
    replies=ReplyStyle(
        success=reply_as_ack,
        failure=_failure,
        error_event=("error", ERROR),
        error_texts=ErrorTexts(
            missing="{field} should not be empty, {field} must be {expected}",
            unknown="property {field} should not exist",
        ),
    ),
    routes=ROUTES,
    forbidden_text="Unauthorized to join this conversation",
    user_id_in_query=True,
    rejects_with="error",
)
