"""`rooms`: join_room, send_message, typing; every id is an ObjectId, and a conversation is a room.

No acks are documented, so none are given; what went wrong is told as the event `error`. Only the start of typing has a
word, its end has none. `file_uploaded` and `file_unlocked` are reserved by the specification: their bodies here are
this server's choice. The account routes that it names are in accounts.py: every dialect shares them.
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
)
from protocol.dialects.grammar import Dialect, Inbound, Many, Outbound, ReplyStyle, Route, Shape, Vocabulary, silent
from protocol.dialects.words import (
    COUNT,
    TEXT,
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
from protocol.events import FileUnlocked, FileUploaded, MessageCreated, Typing
from protocol.ids import OBJECT_ID

# Shapes

SENDER: Shape = {
    "_id": spelt("ref", OBJECT_ID),
    "email": plain("email", omit_none=True),
    "displayName": plain("display", omit_none=True),
}


MESSAGE: Shape = {
    "id": spelt("ref", OBJECT_ID),
    "roomId": spelt("conversation", OBJECT_ID),
    "sender": nested("sender", SENDER),
    "content": plain("content"),
    "createdAt": moment("created"),
}

ROOM: Shape = {
    "_id": spelt("ref", OBJECT_ID),
    "type": plain("kind", "private or group"),
    "name": plain("title", omit_none=True),
    "participants": spelt_each("members", OBJECT_ID),
    "createdAt": moment("created"),
}
UPLOADED: Shape = {
    "fileId": spelt("file.ref", OBJECT_ID),
    "roomId": spelt("file.conversation", OBJECT_ID),
    "userId": spelt("file.owner", OBJECT_ID),
    "name": plain("file.name"),
    "type": plain("file.type", "a media type"),
    "size": plain("file.size", "bytes"),
    "createdAt": moment("file.created"),
}
UNLOCKED: Shape = {
    "fileId": spelt("file.ref", OBJECT_ID),
    "roomId": spelt("file.conversation", OBJECT_ID),
    "userId": spelt("user", OBJECT_ID),
}
ERROR: Shape = {"message": plain("message")}

# Fields

ROOM_ID = field("roomId", OBJECT_ID, "conversation")
IN_PATH = field("id", OBJECT_ID, "conversation")
CONTENT = field("content", TEXT)
SENT = (CONTENT, optional("clientId", TEXT, "client_id"))
WINDOW = (optional("limit", COUNT), optional("before", OBJECT_ID), optional("after", OBJECT_ID))

# Calls

CHAT = Vocabulary(
    inbound=(
        Inbound("join_room", Join, (ROOM_ID,)),
        Inbound("send_message", SendMessage, (ROOM_ID, *SENT)),
        Inbound("typing", SetTyping, (ROOM_ID,), fixed={"on": True}),
    ),
    outbound=(
        Outbound(MessageCreated, "message", MESSAGE, of="message"),
        Outbound(
            Typing,
            "user_typing",
            {"userId": spelt("user", OBJECT_ID), "roomId": spelt("conversation", OBJECT_ID)},
            others=True,
            when=("on", True),
        ),
        Outbound(FileUploaded, "file_uploaded", UPLOADED),
        Outbound(FileUnlocked, "file_unlocked", UNLOCKED),
    ),
)

ROUTES = (
    Route(
        "POST",
        "/chat/rooms",
        CreateConversation,
        (
            field("participants", keys(OBJECT_ID), "members"),
            optional("name", TEXT, "title"),
            optional("type", one_of("private", "group"), "kind"),
        ),
        ROOM,
        201,
        fixed={"kind": "group"},
    ),
    Route("GET", "/chat/rooms", ListConversations, WINDOW, Many(ROOM)),
    Route("GET", "/chat/rooms/{id}", GetConversation, (IN_PATH,), ROOM),
    Route("POST", "/chat/rooms/{id}/messages", SendMessage, (IN_PATH, *SENT), MESSAGE, 201),
    Route("GET", "/chat/rooms/{id}/messages", ListMessages, (IN_PATH, *WINDOW), Many(MESSAGE)),
)

DIALECT = Dialect(
    name="rooms",
    title="WebSocket API (Real-time Chat)",
    user=OBJECT_ID,
    conversation=OBJECT_ID,
    vocabularies={"/chat": CHAT},
    replies=ReplyStyle(silent, silent, ("error", ERROR)),
    routes=ROUTES,
)
