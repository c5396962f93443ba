"""`rooms`: join_room, send_message, typing; a conversation is a room, and every id is an ObjectId.

The specification documents no acks, so the server sends none; an error is the event `error`. The start of typing has
an event, the end has none. The specification reserves `file_uploaded` and `file_unlocked`: this server chose their
bodies. The account routes that it documents are in accounts.py: all dialects share them.
"""

from __future__ import annotations

from protocol.commands import (
    CreateConversation,
    GetConversation,
    Join,
    ListConversations,
    ListMessages,
    SendMessage,
    SetTyping,
    UnlockFile,
)
from protocol.dialects.fields import POSITIVE_INTEGER, TEXT, field, ids, one_of, optional
from protocol.dialects.grammar import Dialect, Inbound, ListOf, Outbound, ReplyStyle, Route, Shape, Vocabulary, no_ack
from protocol.dialects.shapes import as_id, as_ids, as_is, as_object, as_time
from protocol.events import FileUnlocked, FileUploaded, MessageCreated, Typing
from protocol.ids import OBJECT_ID

# Shapes

SENDER: Shape = {
    "_id": as_id("ref", OBJECT_ID),
    "email": as_is("email", omit_none=True),
    "displayName": as_is("display", omit_none=True),
}


MESSAGE: Shape = {
    "id": as_id("ref", OBJECT_ID),
    "roomId": as_id("conversation", OBJECT_ID),
    "sender": as_object("sender", SENDER),
    "content": as_is("content"),
    "createdAt": as_time("created"),
}

ROOM: Shape = {
    "_id": as_id("ref", OBJECT_ID),
    "type": as_is("kind", "private or group"),
    "name": as_is("title", omit_none=True),
    "participants": as_ids("members", OBJECT_ID),
    "createdAt": as_time("created"),
}
FILE: Shape = {
    "id": as_id("ref", OBJECT_ID),
    "name": as_is("name"),
    "type": as_is("type", "a media type"),
    "size": as_is("size", "bytes"),
    "url": as_is("url", "the path of the content"),
    "locked": as_is("locked", "true or false"),
    "price": as_is("price", omit_none=True),
}
FILE_UPLOADED: Shape = {
    "roomId": as_id("conversation", OBJECT_ID),
    "file": as_object("file", FILE),
    "sender": as_object("sender", SENDER),
    "createdAt": as_time("created"),
}
FILE_UNLOCKED: Shape = {
    "roomId": as_id("conversation", OBJECT_ID),
    "fileId": as_id("file.ref", OBJECT_ID),
    "userId": as_id("user", OBJECT_ID),
    "unlockedAt": as_time("at"),
}
ERROR: Shape = {"message": as_is("message")}

# Fields

ROOM_ID = field("roomId", OBJECT_ID, "conversation")
ID_IN_PATH = field("id", OBJECT_ID, "conversation")
CONTENT = field("content", TEXT)
CONTENT_FIELDS = (CONTENT, optional("clientId", TEXT, "client_id"))
WINDOW_FIELDS = (optional("limit", POSITIVE_INTEGER), optional("before", OBJECT_ID), optional("after", OBJECT_ID))

# Requests and events

CHAT = Vocabulary(
    inbound=(
        Inbound("join_room", Join, (ROOM_ID,)),
        Inbound("send_message", SendMessage, (ROOM_ID, *CONTENT_FIELDS)),
        Inbound("typing", SetTyping, (ROOM_ID,), fixed={"on": True}),
    ),
    outbound=(
        Outbound(MessageCreated, "message", MESSAGE, part="message"),
        Outbound(
            Typing,
            "user_typing",
            {"userId": as_id("user", OBJECT_ID), "roomId": as_id("conversation", OBJECT_ID)},
            others_only=True,
            when=("on", True),
        ),
        Outbound(FileUploaded, "file_uploaded", FILE_UPLOADED),
        Outbound(FileUnlocked, "file_unlocked", FILE_UNLOCKED),
    ),
)

# Routes

ROUTES = (
    Route(
        "POST",
        "/chat/rooms",
        CreateConversation,
        (
            field("participants", ids(OBJECT_ID), "members"),
            optional("name", TEXT, "title"),
            optional("type", one_of("private", "group"), "kind"),
        ),
        ROOM,
        201,
        fixed={"kind": "group"},
    ),
    Route("GET", "/chat/rooms", ListConversations, WINDOW_FIELDS, ListOf(ROOM)),
    Route("GET", "/chat/rooms/{id}", GetConversation, (ID_IN_PATH,), ROOM),
    Route("POST", "/chat/rooms/{id}/messages", SendMessage, (ID_IN_PATH, *CONTENT_FIELDS), MESSAGE, 201),
    Route(
        "POST",
        "/chat/rooms/{id}/files/{fileId}/unlock",
        UnlockFile,
        (ID_IN_PATH, field("fileId", OBJECT_ID, "file"), optional("userId", OBJECT_ID, "user")),
        FILE,
    ),
    Route("GET", "/chat/rooms/{id}/messages", ListMessages, (ID_IN_PATH, *WINDOW_FIELDS), ListOf(MESSAGE)),
)

DIALECT = Dialect(
    name="rooms",
    title="WebSocket API (Real-time Chat)",
    user_id=OBJECT_ID,
    conversation_id=OBJECT_ID,
    vocabularies={"/chat": CHAT},
    replies=ReplyStyle(success=no_ack, failure=no_ack, error_event=("error", ERROR)),
    routes=ROUTES,
)
