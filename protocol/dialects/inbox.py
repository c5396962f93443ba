"""`inbox`: no joining; every device of a user receives every event, and unread_count is the number of unread messages.

All ids are UUIDs. No request is acknowledged; an error is the event `error` to the caller. Some dialects send
attachments without a type: such an attachment is a PDF if its URL ends in .pdf, else an image. Over REST a client
sends to a user (`POST /api/messages`) or, as on the socket, to a conversation.
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
from protocol.dialects.fields import ATTACHMENTS, BOOLEAN, POSITIVE_INTEGER, TEXT, field, optional, single_id
from protocol.dialects.grammar import Dialect, Inbound, ListOf, Outbound, ReplyStyle, Route, Shape, Vocabulary, no_ack
from protocol.dialects.shapes import (
    as_id,
    as_ids,
    as_is,
    as_object,
    as_objects,
    as_time,
    computed,
    content_or_null,
    is_read,
)
from protocol.events import MEMBERS, USER, MessageCreated, UnreadChanged
from protocol.ids import UUID
from protocol.model import Attachment, AttachmentType

# Shapes


def _type_of(attachment: Attachment) -> AttachmentType:
    if attachment.type is None and attachment.file is not None:
        return "IMAGE" if attachment.file.type.startswith("image/") else "PDF"
    return attachment.type or ("PDF" if attachment.url.partition("?")[0].lower().endswith(".pdf") else "IMAGE")


ATTACHMENT: Shape = {"url": as_is("url"), "type": computed("", _type_of, "IMAGE or PDF")}


MESSAGE: Shape = {
    "id": as_id("ref", UUID),
    "conversationId": as_id("conversation", UUID),
    "senderId": as_id("sender.ref", UUID),
    "receiverId": as_id("receiver", UUID),
    "content": content_or_null(),
    "attachments": as_objects("attachments", ATTACHMENT),
    "isRead": is_read(),
    "createdAt": as_time("created"),
}

OTHER_USER: Shape = {"id": as_id("ref", UUID), "username": as_is("name"), "displayName": as_is("display")}
CONVERSATION: Shape = {
    "id": as_id("ref", UUID),
    "type": as_is("kind", "private or group"),
    "title": as_is("title", "a string, or null"),
    "participants": as_ids("members", UUID),
    "otherUser": as_object("other", OTHER_USER),
    "lastMessage": as_object("last", MESSAGE),
    "unreadCount": as_is("unread", "a number"),
    "createdAt": as_time("created"),
}
ERROR: Shape = {"message": as_is("message")}

# Fields

CONVERSATION_ID = field("conversationId", UUID, "conversation")
OTHER_USER_ID = field("otherUserId", UUID, "user")
CONTENT_FIELDS = (
    optional("content", TEXT),
    optional("attachments", ATTACHMENTS),
    optional("clientId", TEXT, "client_id"),
)
ID_IN_PATH = field("id", UUID, "conversation")

# Requests and events

CHAT = Vocabulary(
    inbound=(
        Inbound("send_message", SendMessage, (CONVERSATION_ID, *CONTENT_FIELDS)),
        Inbound("read_messages", ReadConversation, (CONVERSATION_ID,), resends=UnreadChanged),
    ),
    outbound=(
        Outbound(MessageCreated, "new_message", MESSAGE, MEMBERS, part="message"),
        Outbound(UnreadChanged, "unread_count", {"count": as_is("total", "a number")}, USER),
    ),
    initial_events=(UnreadChanged,),
    initial_events_to_user=True,
)

# Routes

ROUTES = (
    Route(
        "POST",
        "/api/messages/conversations",
        CreateConversation,
        (field("otherUserId", single_id(UUID), "members"),),
        CONVERSATION,
        201,
        fixed={"kind": "private"},
    ),
    Route(
        "GET",
        "/api/messages/conversations",
        ListConversations,
        (optional("limit", POSITIVE_INTEGER), optional("before", UUID), optional("after", UUID)),
        ListOf(CONVERSATION),
    ),
    Route(
        "GET",
        "/api/messages/with/{otherUserId}",
        ListMessagesWith,
        (
            OTHER_USER_ID,
            optional("page", POSITIVE_INTEGER),
            optional("limit", POSITIVE_INTEGER),
            optional("markAsRead", BOOLEAN, "mark_read"),
        ),
        ListOf(MESSAGE),
        numbered_pages=True,
    ),
    Route("POST", "/api/messages", SendTo, (OTHER_USER_ID, *CONTENT_FIELDS), MESSAGE, 201),
    Route(
        "POST", "/api/messages/conversations/{id}/messages", SendMessage, (ID_IN_PATH, *CONTENT_FIELDS), MESSAGE, 201
    ),
    Route("POST", "/api/messages/conversations/{id}/read", ReadConversation, (ID_IN_PATH,), status=204),
)

DIALECT = Dialect(
    name="inbox",
    title="Realtime Sockets (Socket.IO)",
    user_id=UUID,
    conversation_id=UUID,
    vocabularies={"/": CHAT},
    replies=ReplyStyle(success=no_ack, failure=no_ack, error_event=("error", ERROR)),
    routes=ROUTES,
    token_in=("auth", "query"),
    rejects_with="disconnect",
)
