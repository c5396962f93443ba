"""`rooms`; all expectations are those of its specification."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.commands import (
    Command,
    CreateConversation,
    GetConversation,
    Join,
    ListConversations,
    ListMessages,
    SendMessage,
    SetTyping,
)
from protocol.dialects import dialect
from protocol.dialects.grammar import NO_ACK
from protocol.errors import FORBIDDEN, Refusal
from protocol.events import JOINED, FileUnlocked, FileUploaded, MessageCreated, Typing
from protocol.model import File
from tests.protocol.dialects.samples import (
    CONVERSATION,
    CREATED,
    GROUP,
    GROUP_MESSAGE,
    MESSAGE,
    decode,
    decode_route,
    encode_body,
    encoded_events,
    error_event,
    event_audiences,
    object_id,
    object_key,
    ref,
    refusal_of,
    route_of,
    shape_of,
    vocabulary,
)

ROOM = object_id(12)
FILE = File(ref(9), 1, "a.pdf", "application/pdf", 1234, "0" * 64, CREATED)
SENDER_BODY = f'{{"_id":"{object_id(1)}","email":"ann@example.org","displayName":"Ann A."}}'
MESSAGE_BODY = (
    f'{{"id":"{object_id(101)}","roomId":"{ROOM}",'
    f'"sender":{{"_id":"{object_id(1)}","email":"ann@example.org","displayName":"Ann A."}},'
    '"content":"Hello world!","createdAt":"2024-01-12T21:44:35.007Z"}'
)
GROUP_MESSAGE_BODY = (
    f'{{"id":"{object_id(102)}","roomId":"{object_id(13)}","sender":{{"_id":"{object_id(2)}"}},'
    '"content":"https://x.example/cat.png","createdAt":"2024-01-12T21:44:35.007Z"}'
)


@pytest.mark.parametrize(
    ("call", "payload", "command"),
    [
        ("join_room", f'{{"roomId":"{ROOM}"}}', Join(conversation=object_key(12))),
        ("join_room", f'[{{"roomId":"{ROOM.upper()}"}}]', Join(conversation=object_key(12))),
        (
            "send_message",
            f'{{"roomId":"{ROOM}","content":"Hello!"}}',
            SendMessage(conversation=object_key(12), content="Hello!"),
        ),
        ("typing", f'{{"roomId":"{ROOM}"}}', SetTyping(conversation=object_key(12), on=True)),
    ],
)
def test_calls(call: str, payload: str, command: Command) -> None:
    assert decode("rooms", call, payload) == command


@pytest.mark.parametrize(
    ("call", "payload", "text"),
    [
        ("join_room", "{}", "roomId is required and must be an id of 24 hexadecimal digits"),
        ("join_room", '{"roomId":"ROOM_MONGODB_ID"}', "roomId must be an id of 24 hexadecimal digits"),
        ("join_room", '{"roomId":12}', "roomId must be an id of 24 hexadecimal digits"),
        ("send_message", f'{{"roomId":"{ROOM}"}}', "content is required and must be a string"),
        ("send_message", f'{{"roomId":"{ROOM}","content":7}}', "content must be a string"),
        ("typing", f'{{"roomId":"{ROOM}","isTyping":true}}', "isTyping is not a field of this call"),
    ],
)
def test_error_texts(call: str, payload: str, text: str) -> None:
    refusal = refusal_of("rooms", call, payload)
    assert error_event("rooms", refusal) == ("error", f'{{"message":"{text}"}}')


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        (MessageCreated(MESSAGE), [("message", MESSAGE_BODY)]),
        (MessageCreated(GROUP_MESSAGE), [("message", GROUP_MESSAGE_BODY)]),
        (Typing(ref(12), ref(1), True), [("user_typing", f'{{"userId":"{object_id(1)}","roomId":"{ROOM}"}}')]),
        (Typing(ref(12), ref(1), False), []),
        (
            FileUploaded(FILE, ref(12), MESSAGE.sender, CREATED),
            [
                (
                    "file_uploaded",
                    f'{{"roomId":"{ROOM}","file":{{"id":"{object_id(9)}","name":"a.pdf","type":"application/pdf",'
                    f'"size":1234,"url":"/files/9","locked":false}},"sender":{SENDER_BODY},'
                    '"createdAt":"2024-01-12T21:44:35.007Z"}',
                )
            ],
        ),
        (
            FileUnlocked(FILE, ref(12), ref(2), CREATED),
            [
                (
                    "file_unlocked",
                    f'{{"roomId":"{ROOM}","fileId":"{object_id(9)}","userId":"{object_id(2)}",'
                    '"unlockedAt":"2024-01-12T21:44:35.007Z"}',
                )
            ],
        ),
    ],
)
def test_events(event: Any, sent: list[tuple[str, str]]) -> None:
    assert encoded_events("rooms", event) == sent


def test_audiences() -> None:
    assert event_audiences("rooms", MessageCreated(MESSAGE)) == [("message", JOINED, False)]
    assert event_audiences("rooms", Typing(ref(12), ref(1), True)) == [("user_typing", JOINED, True)]
    assert vocabulary("rooms").initial_events == ()


def test_no_acks() -> None:
    replies = dialect("rooms").replies
    assert replies.success({"x": 1}) is NO_ACK
    assert replies.failure(Refusal(FORBIDDEN)) is NO_ACK


def test_the_handshake() -> None:
    found = dialect("rooms")
    assert (found.user_id_in_query, found.token_in, found.rejects_with) == (False, ("auth",), "connect_error")
    assert list(found.vocabularies) == ["/chat"]


@pytest.mark.parametrize(
    ("method", "path", "payload", "command"),
    [
        (
            "POST",
            "/chat/rooms",
            f'{{"participants":["{object_id(2)}","{object_id(3)}"],"name":"Three"}}',
            CreateConversation(kind="group", members=(object_key(2), object_key(3)), title="Three"),
        ),
        (
            "POST",
            "/chat/rooms",
            f'{{"participants":["{object_id(2)}"],"type":"private"}}',
            CreateConversation(kind="private", members=(object_key(2),)),
        ),
        ("GET", "/chat/rooms", '{"limit":3}', ListConversations(limit=3)),
        ("GET", "/chat/rooms/{id}", f'{{"id":"{ROOM}"}}', GetConversation(conversation=object_key(12))),
        (
            "GET",
            "/chat/rooms/{id}/messages",
            f'{{"id":"{ROOM}","before":"{object_id(101)}"}}',
            ListMessages(conversation=object_key(12), before=object_key(101)),
        ),
        (
            "POST",
            "/chat/rooms/{id}/messages",
            f'{{"id":"{ROOM}","content":"hi"}}',
            SendMessage(conversation=object_key(12), content="hi"),
        ),
    ],
)
def test_routes(method: str, path: str, payload: str, command: Command) -> None:
    assert decode_route("rooms", method, path, payload) == command


def test_resources() -> None:
    room = shape_of(route_of("rooms", "GET", "/chat/rooms").reply)
    people = f'"{object_id(1)}","{object_id(2)}"'
    assert encode_body(room, CONVERSATION) == (
        f'{{"_id":"{ROOM}","type":"private","participants":[{people}],"createdAt":"2024-01-12T21:44:35.007Z"}}'
    )
    assert encode_body(room, GROUP) == (
        f'{{"_id":"{object_id(13)}","type":"group","name":"Three","participants":[{people},"{object_id(3)}"],'
        '"createdAt":"2024-01-12T21:44:35.007Z"}'
    )
    assert encode_body(route_of("rooms", "GET", "/chat/rooms/{id}/messages").reply, (MESSAGE,)) == f"[{MESSAGE_BODY}]"
