"""`colon`; all expectations are those of its two specifications."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from protocol.commands import (
    AddMember,
    Command,
    DeleteMessage,
    DeleteNotification,
    EditMessage,
    GetNotification,
    Heartbeat,
    Join,
    Leave,
    ListNotifications,
    ReadMessage,
    ReadNotification,
    RemoveMember,
    SendMessage,
    SetTyping,
    UpdateMe,
)
from protocol.dialects import dialect
from protocol.errors import FORBIDDEN, NOT_FOUND, Refusal
from protocol.events import (
    JOINED,
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
from protocol.ids import Key
from protocol.model import Attachment
from tests.protocol.dialects.samples import (
    ANN,
    CONVERSATION,
    GROUP,
    GROUP_MESSAGE,
    MESSAGE,
    NOTIFICATION,
    READ,
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
    row,
    vocabulary,
)

NOTES = "/notifications"
CONVERSATION_ID, MESSAGE_ID, NOTIFICATION_ID = object_id(12), object_id(101), object_id(50)
AT = '"created_at":"2024-01-12T21:44:35.007Z"'
MESSAGE_BODY = f'{{"_id":"{MESSAGE_ID}","sender_id":1,"content":"Hello world!","attachments":[],"seen_by":[],{AT}}}'
NOTIFICATION_BODY = (
    f'{{"_id":"{NOTIFICATION_ID}","user_id":2,"type":"system","title":"Project Update",'
    f'"content":"You have been assigned",'
    f'"is_read":false,"related_id":"{CONVERSATION_ID}",{AT}}}'
)


@pytest.mark.parametrize(
    ("call", "payload", "command"),
    [
        ("conversation:join", f'{{"conversationId":"{CONVERSATION_ID}"}}', Join(conversation=object_key(12))),
        ("conversation:leave", f'[{{"conversationId":"{CONVERSATION_ID}"}}]', Leave(conversation=object_key(12))),
        (
            "message:send",
            f'{{"conversationId":"{CONVERSATION_ID}","content":"Hello","attachments":["https://x/a"],"clientId":"c-1"}}',
            SendMessage(
                conversation=object_key(12),
                content="Hello",
                attachments=(Attachment("https://x/a"),),
                client_id="c-1",
            ),
        ),
        (
            "message:edit",
            f'{{"messageId":"{MESSAGE_ID}","content":"Bye"}}',
            EditMessage(message=object_key(101), content="Bye"),
        ),
        ("message:delete", f'{{"messageId":"{MESSAGE_ID}"}}', DeleteMessage(message=object_key(101))),
        ("message:read", f'{{"messageId":"{MESSAGE_ID}"}}', ReadMessage(message=object_key(101))),
        (
            "typing",
            f'{{"conversationId":"{CONVERSATION_ID}","isTyping":false}}',
            SetTyping(conversation=object_key(12), on=False),
        ),
        (
            "members:add",
            f'{{"conversationId":"{CONVERSATION_ID}","userId":3}}',
            AddMember(conversation=object_key(12), user=Key(3)),
        ),
        (
            "members:remove",
            f'{{"conversationId":"{CONVERSATION_ID}","userId":3}}',
            RemoveMember(conversation=object_key(12), user=Key(3)),
        ),
    ],
)
def test_calls_of_the_chat(call: str, payload: str, command: Command) -> None:
    assert decode("colon", call, payload) == command


@pytest.mark.parametrize(
    ("call", "payload", "command"),
    [
        ("notification:list", '{"unreadOnly":true}', ListNotifications(unread_only=True)),
        ("notification:list", "", ListNotifications()),
        ("notification:list", "[ ]", ListNotifications()),
        (
            "notification:get",
            f'{{"notificationId":"{NOTIFICATION_ID}"}}',
            GetNotification(notification=object_key(50)),
        ),
        (
            "notification:read",
            f'{{"notificationId":"{NOTIFICATION_ID}"}}',
            ReadNotification(notification=object_key(50)),
        ),
        (
            "notification:delete",
            f'{{"notificationId":"{NOTIFICATION_ID}"}}',
            DeleteNotification(notification=object_key(50)),
        ),
        ("notification:ping", '{"action":"ping"}', Heartbeat()),
    ],
)
def test_calls_of_the_notifications(call: str, payload: str, command: Command) -> None:
    assert decode("colon", call, payload, NOTES) == command


@pytest.mark.parametrize(
    ("call", "payload", "text"),
    [
        ("conversation:join", "{}", "conversationId is required and must be an id of 24 hexadecimal digits"),
        ("conversation:join", '{"conversationId":7}', "conversationId must be an id of 24 hexadecimal digits"),
        (
            "conversation:join",
            f'{{"conversationId":"{CONVERSATION_ID}z"}}',
            "conversationId must be an id of 24 hexadecimal digits",
        ),
        ("message:edit", f'{{"messageId":"{MESSAGE_ID}"}}', "content is required and must be a string"),
        ("typing", f'{{"conversationId":"{CONVERSATION_ID}","isTyping":1}}', "isTyping must be a boolean value"),
        ("members:add", f'{{"conversationId":"{CONVERSATION_ID}","userId":"3"}}', "userId must be a positive integer"),
        ("members:add", f'{{"conversationId":"{CONVERSATION_ID}","userId":true}}', "userId must be a positive integer"),
        (
            "message:send",
            f'{{"conversationId":"{CONVERSATION_ID}","content":"x","sender_id":1}}',
            "sender_id is not a field of this call",
        ),
        (
            "message:send",
            f'{{"conversationId":"{CONVERSATION_ID}","attachments":["https://x/a b"]}}',
            "attachments must be a URL of 1 to 2048 characters without spaces",
        ),
    ],
)
def test_error_texts(call: str, payload: str, text: str) -> None:
    refusal = refusal_of("colon", call, payload)
    assert error_event("colon", refusal) == ("error", f'{{"code":"BAD_REQUEST","message":"{text}"}}')


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        (MessageCreated(MESSAGE), [("message:created", MESSAGE_BODY)]),
        (MessageUpdated(MESSAGE), [("message:updated", MESSAGE_BODY)]),
        (
            MessageCreated(
                replace(GROUP_MESSAGE, attachments=(Attachment("https://x/a", "PDF"), Attachment("https://x/b")))
            ),
            [
                (
                    "message:created",
                    f'{{"_id":"{object_id(102)}","sender_id":2,"content":"https://x.example/cat.png",'
                    f'"attachments":["https://x/a","https://x/b"],"seen_by":[2],{AT},"clientId":"c-1"}}',
                )
            ],
        ),
        (
            MessageRead(ref(101), ref(12), ref(2), READ),
            [("message:read", f'{{"messageId":"{MESSAGE_ID}","readerId":2,"readAt":"2024-01-12T21:45:35.507Z"}}')],
        ),
        (
            Typing(ref(12), ref(1), False),
            [("typing", f'{{"conversationId":"{CONVERSATION_ID}","userId":1,"isTyping":false}}')],
        ),
        (MemberAdded(ref(12), ANN), [("members:added", '{"userId":1}')]),
        (MemberRemoved(ref(12), ref(1)), [("members:removed", '{"userId":1}')]),
        (
            UnreadChanged(ref(1), 3, (Unread(ref(12), 2), Unread(ref(13), 1))),
            [("unread:count", f'{{"total":3,"byConversation":{{"{CONVERSATION_ID}":2,"{object_id(13)}":1}}}}')],
        ),
        (NotificationCreated(NOTIFICATION), [("notification:created", NOTIFICATION_BODY)]),
    ],
)
def test_events_of_the_chat(event: Any, sent: list[tuple[str, str]]) -> None:
    assert encoded_events("colon", event) == sent


def test_what_goes_is_named_by_its_id() -> None:
    deleted = MessageDeleted(message=ref(101), conversation=ref(12), by=ref(1), sender=ref(1))
    assert encoded_events("colon", deleted) == [("message:deleted", f'{{"messageId":"{MESSAGE_ID}"}}')]
    gone = ConversationDeleted(conversation=ref(12), by=ref(1), members=())
    assert encoded_events("colon", gone) == [("conversation:deleted", f'{{"conversationId":"{CONVERSATION_ID}"}}')]


def test_a_new_conversation_is_told_to_all_or_to_the_newcomer() -> None:
    body = f'{{"_id":"{CONVERSATION_ID}","type":"private","participants":[1,2],{AT}}}'
    assert encoded_events("colon", ConversationCreated(CONVERSATION)) == [("conversation:created", body)] * 2
    assert event_audiences("colon", ConversationCreated(CONVERSATION)) == [
        ("conversation:created", MEMBERS, False),
        ("conversation:created", USER, False),
    ]
    named = f'{{"_id":"{object_id(13)}","type":"group","title":"Three","participants":[1,2,3],{AT}}}'
    assert encoded_events("colon", ConversationCreated(GROUP))[0] == ("conversation:created", named)


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        (NotificationCreated(NOTIFICATION), [("notification:created", NOTIFICATION_BODY)]),
        (
            NotificationRead(ref(50), ref(2)),
            [("notification:read", f'{{"notificationId":"{NOTIFICATION_ID}","is_read":true}}')],
        ),
        (NotificationDeleted(ref(50), ref(2)), [("notification:deleted", f'{{"notificationId":"{NOTIFICATION_ID}"}}')]),
        (NotificationCounted(ref(2), 4), [("notification:count", '{"count":4}')]),
        (MessageCreated(MESSAGE), []),
    ],
)
def test_events_of_the_notifications(event: Any, sent: list[tuple[str, str]]) -> None:
    assert encoded_events("colon", event, NOTES) == sent


@pytest.mark.parametrize(("related", "sent"), [(None, "null"), ("invoice-9", '"invoice-9"')])
def test_what_a_notification_is_about(related: str | None, sent: str) -> None:
    [(_, body)] = encoded_events("colon", NotificationCreated(replace(NOTIFICATION, related=related)), NOTES)
    assert f'"related_id":{sent},' in body


@pytest.mark.parametrize(
    ("namespace", "places"),
    [
        (
            "/chat",
            {
                ("message:created", JOINED, False),
                ("message:updated", JOINED, False),
                ("message:deleted", JOINED, False),
                ("message:read", JOINED, False),
                ("typing", JOINED, True),
                ("conversation:created", MEMBERS, False),
                ("conversation:created", USER, False),
                ("conversation:deleted", MEMBERS, False),
                ("members:added", JOINED, False),
                ("members:removed", JOINED, False),
                ("unread:count", USER, False),
                ("notification:created", USER, False),
            },
        ),
        (
            NOTES,
            {
                ("notification:created", USER, False),
                ("notification:read", USER, False),
                ("notification:deleted", USER, False),
                ("notification:count", USER, False),
            },
        ),
    ],
)
def test_audiences(namespace: str, places: set[tuple[str, str, bool]]) -> None:
    assert {(row_.name, row_.audience, row_.others_only) for row_ in vocabulary("colon", namespace).outbound} == places


def test_greetings() -> None:
    assert vocabulary("colon").initial_events == (UnreadChanged,)
    assert vocabulary("colon", NOTES).initial_events == (NotificationCounted,)


def test_acks() -> None:
    replies = dialect("colon").replies
    assert replies.success(None) == {"ok": True}
    assert replies.success([]) == {"ok": True, "data": []}
    assert replies.failure(Refusal(FORBIDDEN, "Not yours")) == {
        "ok": False,
        "error": {"code": "FORBIDDEN", "message": "Not yours"},
    }
    assert error_event("colon", Refusal(NOT_FOUND, "None")) == ("error", '{"code":"NOT_FOUND","message":"None"}')


def test_replies() -> None:
    assert encode_body(row("colon", "message:send").reply, MESSAGE) == MESSAGE_BODY
    assert encode_body(row("colon", "notification:list", NOTES).reply, (NOTIFICATION,)) == f"[{NOTIFICATION_BODY}]"
    assert [row_.name for row_ in vocabulary("colon").inbound if row_.reply] == ["message:send", "message:edit"]


class Beat(Struct, frozen=True):
    at: int


def test_a_ping_is_answered_by_an_event() -> None:
    ping = row("colon", "notification:ping", NOTES)
    assert ping.reply_event == "pong"
    assert encode_body(ping.reply, Beat(1700000000000)) == '{"timestamp":1700000000000}'


def test_null_empties_what_a_profile_has() -> None:
    assert decode_route("colon", "PATCH", "/users/me", '{"status":null}') == UpdateMe(status=None)
    assert decode_route("colon", "PATCH", "/users/me", '{"status":"away"}') == UpdateMe(status="away")
    assert decode_route("colon", "PATCH", "/users/me", "{}") == UpdateMe()
