"""`kebab`: send-message and its kin, answers as events, presence, class-validator's complaints. All ids are integers.

The specification documents one ack, `{success, conversationId}` of join-conversation. So a call has its reply as ack
where it has one, a refusal is `{success: false, error}` to whoever asked for an ack, and all else is told by events.
A conversation that exists and is another's has a text of its own, which every call and route answers with.
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
from protocol.dialects.grammar import (
    Complaints,
    Dialect,
    Inbound,
    Many,
    Outbound,
    ReplyStyle,
    Route,
    Shape,
    Vocabulary,
    bare,
)
from protocol.dialects.words import (
    COUNT,
    FLAG,
    TEXT,
    always,
    claim,
    field,
    key_alone,
    moment,
    nested,
    one_of,
    optional,
    plain,
    spelt,
)
from protocol.errors import Refusal
from protocol.events import PEERS, MessageCreated, PresenceChanged, Typing
from protocol.ids import DECIMAL

NUMBER = DECIMAL._replace(name="an integer number")

# Shapes


MESSAGE: Shape = {
    "id": spelt("ref", NUMBER),
    "sender_id": spelt("sender.ref", NUMBER),
    "conversation_id": spelt("conversation", NUMBER),
    "timestamp": moment("created"),
    "message_type": plain("type", "text, image or file"),
    "content": plain("content"),
    "conversation": nested(
        "",
        {
            "id": spelt("conversation", NUMBER),
            "sender_id": spelt("creator", NUMBER),
            "receiver_id": spelt("peer", NUMBER),
        },
    ),
}

CONVERSATION: Shape = {
    "id": spelt("ref", NUMBER),
    "sender_id": spelt("creator", NUMBER),
    "receiver_id": spelt("peer", NUMBER),
}
JOINED_IT: Shape = {"success": always(True), "conversationId": spelt("conversation", NUMBER)}
PRESENCE: Shape = {"userId": spelt("user", NUMBER)}
MESSAGE_ERROR: Shape = {"error": plain("message")}
ERROR: Shape = {"message": plain("message")}

# Fields

CONVERSATION_ID = field("conversationId", NUMBER, "conversation")
SENDER = claim("sender_id", NUMBER)
SENT = (
    field("message_type", one_of("text", "image", "file"), "type"),
    field("content", TEXT),
    optional("clientId", TEXT, "client_id"),
)
IN_PATH = field("id", NUMBER, "conversation")

# Calls

CHAT = Vocabulary(
    inbound=(
        Inbound(
            "send-message",
            SendMessage,
            (SENDER, field("conversation_id", NUMBER, "conversation"), *SENT),
            MESSAGE,
            reply_event="message-sent",
            error_event=("message-error", MESSAGE_ERROR),
        ),
        Inbound(
            "join-conversation",
            Join,
            (CONVERSATION_ID, claim("userId", NUMBER)),
            JOINED_IT,
            reply_event="joined-conversation",
        ),
        Inbound("leave-conversation", Leave, (CONVERSATION_ID,)),
        Inbound("typing", SetTyping, (CONVERSATION_ID, claim("userId", NUMBER), field("isTyping", FLAG, "on"))),
    ),
    outbound=(
        Outbound(MessageCreated, "receive-message", MESSAGE, of="message"),
        Outbound(
            Typing,
            "user-typing",
            {
                "conversationId": spelt("conversation", NUMBER),
                "userId": spelt("user", NUMBER),
                "isTyping": plain("on", "true or false"),
            },
            others=True,
        ),
        Outbound(PresenceChanged, "user:online", PRESENCE, PEERS, when=("online", True)),
        Outbound(PresenceChanged, "user:offline", PRESENCE, PEERS, when=("online", False)),
    ),
    greets=(PresenceChanged,),
)

ROUTES = (
    Route(
        "POST",
        "/api/chats/conversations",
        CreateConversation,
        (SENDER, field("receiver_id", key_alone(NUMBER), "members")),
        CONVERSATION,
        201,
        fixed={"kind": "private"},
    ),
    Route(
        "GET",
        "/api/chats/conversations",
        ListConversations,
        (optional("limit", COUNT), optional("before", NUMBER), optional("after", NUMBER)),
        Many(CONVERSATION),
    ),
    Route("POST", "/api/chats/conversations/{id}/messages", SendMessage, (IN_PATH, SENDER, *SENT), MESSAGE, 201),
    Route(
        "GET",
        "/api/chats/conversations/{id}/messages",
        ListMessages,
        (IN_PATH, optional("page", COUNT), optional("limit", COUNT)),
        Many(MESSAGE),
        numbered=True,
    ),
)


def _not_done(refusal: Refusal) -> dict[str, object]:
    return {"success": False, "error": refusal.message}


DIALECT = Dialect(
    name="kebab",
    title="WebSocket Chat API Documentation",
    user=NUMBER,
    conversation=NUMBER,
    vocabularies={"/chat": CHAT},
    replies=ReplyStyle(
        bare,
        _not_done,
        ("error", ERROR),
        Complaints(
            missing="{field} should not be empty, {field} must be {expected}",
            unknown="property {field} should not exist",
        ),
    ),
    routes=ROUTES,
    not_yours="Unauthorized to join this conversation",
    claims_user=True,
    rejects_with="error",
)
