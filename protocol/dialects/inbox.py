"""`inbox`: nothing to join, everything comes to every device of a user, and unread_count tells how much of it is new.

All ids are UUIDs. No call is ever acknowledged; what went wrong is told to its sender as the event `error`. An
attachment that came without a type, from a dialect that has none, is a PDF if its URL says so and an image otherwise.
Over REST a message goes to a person (`POST /api/messages`) or, as on the socket, into a conversation.
"""

from __future__ import annotations

from protocol.commands import (
    CreateConversation,
    ListConversations,
    ListMessagesWith,
    ReadConversation,
    SendMessage,
    SendTo,
)
from protocol.dialects.grammar import Dialect, Inbound, Many, Outbound, ReplyStyle, Route, Shape, Vocabulary, silent
from protocol.dialects.words import (
    ATTACHMENTS,
    COUNT,
    FLAG,
    TEXT,
    computed,
    content_or_null,
    field,
    key_alone,
    moment,
    nested,
    nested_each,
    optional,
    plain,
    spelt,
    spelt_each,
    whether_read,
)
from protocol.events import MEMBERS, USER, MessageCreated, UnreadChanged
from protocol.ids import UUID
from protocol.model import Attachment, AttachmentType

# Shapes


def _type_of(attachment: Attachment) -> AttachmentType:
    return attachment.type or ("PDF" if attachment.url.partition("?")[0].lower().endswith(".pdf") else "IMAGE")


ATTACHMENT: Shape = {"url": plain("url"), "type": computed("", _type_of, "IMAGE or PDF")}


MESSAGE: Shape = {
    "id": spelt("ref", UUID),
    "conversationId": spelt("conversation", UUID),
    "senderId": spelt("sender.ref", UUID),
    "receiverId": spelt("receiver", UUID),
    "content": content_or_null(),
    "attachments": nested_each("attachments", ATTACHMENT),
    "isRead": whether_read(""),
    "createdAt": moment("created"),
}

OTHER: Shape = {"id": spelt("ref", UUID), "username": plain("name"), "displayName": plain("display")}
CONVERSATION: Shape = {
    "id": spelt("ref", UUID),
    "type": plain("kind", "private or group"),
    "title": plain("title", "a string, or null"),
    "participants": spelt_each("members", UUID),
    "otherUser": nested("other", OTHER),
    "lastMessage": nested("last", MESSAGE),
    "unreadCount": plain("unread", "a number"),
    "createdAt": moment("created"),
}
ERROR: Shape = {"message": plain("message")}

# Fields

CONVERSATION_ID = field("conversationId", UUID, "conversation")
OTHER_USER = field("otherUserId", UUID, "user")
SENT = (optional("content", TEXT), optional("attachments", ATTACHMENTS), optional("clientId", TEXT, "client_id"))
IN_PATH = field("id", UUID, "conversation")

# Calls

CHAT = Vocabulary(
    inbound=(
        Inbound("send_message", SendMessage, (CONVERSATION_ID, *SENT)),
        Inbound("read_messages", ReadConversation, (CONVERSATION_ID,), resends=UnreadChanged),
    ),
    outbound=(
        Outbound(MessageCreated, "new_message", MESSAGE, MEMBERS, of="message"),
        Outbound(UnreadChanged, "unread_count", {"count": plain("total", "a number")}, USER),
    ),
    greets=(UnreadChanged,),
    greets_user=True,
)

ROUTES = (
    Route(
        "POST",
        "/api/messages/conversations",
        CreateConversation,
        (field("otherUserId", key_alone(UUID), "members"),),
        CONVERSATION,
        201,
        fixed={"kind": "private"},
    ),
    Route(
        "GET",
        "/api/messages/conversations",
        ListConversations,
        (optional("limit", COUNT), optional("before", UUID), optional("after", UUID)),
        Many(CONVERSATION),
    ),
    Route(
        "GET",
        "/api/messages/with/{otherUserId}",
        ListMessagesWith,
        (OTHER_USER, optional("page", COUNT), optional("limit", COUNT), optional("markAsRead", FLAG, "mark_read")),
        Many(MESSAGE),
        numbered=True,
    ),
    Route("POST", "/api/messages", SendTo, (OTHER_USER, *SENT), MESSAGE, 201),
    Route("POST", "/api/messages/conversations/{id}/messages", SendMessage, (IN_PATH, *SENT), MESSAGE, 201),
    Route("POST", "/api/messages/conversations/{id}/read", ReadConversation, (IN_PATH,), status=204),
)

DIALECT = Dialect(
    name="inbox",
    title="Realtime Sockets (Socket.IO)",
    user=UUID,
    conversation=UUID,
    vocabularies={"/": CHAT},
    replies=ReplyStyle(silent, silent, ("error", ERROR)),
    routes=ROUTES,
    token=("auth", "query"),
    rejects_with="disconnect",
)
