"""`pairs`; all expectations are those of its specification."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from protocol.commands import (
    Command,
    CreateConversation,
    CreateNotification,
    Join,
    Leave,
    ListConversations,
    ListMessages,
    ListNotifications,
    ReadConversation,
    SendMessage,
    SetTyping,
)
from protocol.dialects import dialect
from protocol.dialects.grammar import NO_ACK
from protocol.errors import FORBIDDEN, Refusal
from protocol.events import JOINED, MEMBERS, USER, MessageCreated, MessageRead, NotificationCreated, Typing
from protocol.ids import Key
from tests.protocol.dialects.samples import (
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
    ref,
    refusal_of,
    route_of,
    vocabulary,
)

HEAD = '"id":101,"conversation_id":12,"sender_id":1,"receiver_id":2,"content":"Hello world!"'
MESSAGE_BODY = f'{{{HEAD},"is_read":false,"read_at":null,"created_at":"2024-01-12T21:44:35.007Z"}}'
NOTICE = f'{{{HEAD},"is_read":false,"created_at":"2024-01-12T21:44:35.007Z","type":"new_message"}}'
GROUP_HEAD = '"id":102,"conversation_id":13,"sender_id":2,"receiver_id":null,"content":"https://x.example/cat.png"'


@pytest.mark.parametrize(
    ("call", "arguments", "command"),
    [
        ("join_conversation", "[123]", Join(conversation=Key(123))),
        ("join_conversation", '["123"]', Join(conversation=Key(123))),
        ("join_conversation", '{"conversationId":123}', Join(conversation=Key(123))),
        ("leave_conversation", "[123]", Leave(conversation=Key(123))),
        ("leave_conversation", '["123"]', Leave(conversation=Key(123))),
        (
            "send_message",
            '{"conversationId":123,"content":"Hello world!","toUserId":456}',
            SendMessage(conversation=Key(123), content="Hello world!", to=Key(456)),
        ),
        (
            "send_message",
            '[{"conversationId":"123","content":"Hello world!","toUserId":"456"}]',
            SendMessage(conversation=Key(123), content="Hello world!", to=Key(456)),
        ),
        ("send_message", '{"conversationId":1,"content":"x"}', SendMessage(conversation=Key(1), content="x")),
        (
            "send_message",
            '{"conversationId":1,"content":"x","toUserId":null}',
            SendMessage(conversation=Key(1), content="x"),
        ),
        ("mark_read", '{"conversationId":123}', ReadConversation(conversation=Key(123))),
        (
            "typing_start",
            '{"conversationId":123,"toUserId":456}',
            SetTyping(conversation=Key(123), on=True, to=Key(456)),
        ),
        (
            "typing_stop",
            '{"conversationId":123,"toUserId":456}',
            SetTyping(conversation=Key(123), on=False, to=Key(456)),
        ),
        ("typing_stop", '{"conversationId":123}', SetTyping(conversation=Key(123), on=False)),
    ],
)
def test_calls(call: str, arguments: str, command: Command) -> None:
    assert decode("pairs", call, arguments) == command


ID = "a positive integer or its digits"


@pytest.mark.parametrize(
    ("call", "arguments", "text"),
    [
        ("join_conversation", "[]", f"conversationId is required and must be {ID}"),
        ("join_conversation", "", f"conversationId is required and must be {ID}"),
        ("join_conversation", "[null]", f"conversationId is required and must be {ID}"),
        ("join_conversation", "[true]", f"conversationId must be {ID}"),
        ("join_conversation", '["1 "]', "conversationId must be a positive integer"),
        ("join_conversation", '["01"]', "conversationId must be a positive integer"),
        ("join_conversation", '["١"]', "conversationId must be a positive integer"),
        ("join_conversation", "[0]", "conversationId must be a positive integer"),
        ("join_conversation", "[9007199254740992]", "conversationId must be a positive integer"),
        ("join_conversation", '[{"conversationId":1}]', f"conversationId must be {ID}"),
        ("join_conversation", "[1,2]", "This call takes 1 argument(s), not 2"),
        ("send_message", '{"conversationId":1}', "content is required and must be a string"),
        ("send_message", '{"conversationId":1,"content":"x","toUserId":1.5}', f"toUserId must be {ID}"),
        ("mark_read", "[7]", "The payload must be an object"),
        ("mark_read", '[{"conversationId":1},2]', "This call takes one object, and nothing beside it"),
    ],
)
def test_error_texts(call: str, arguments: str, text: str) -> None:
    refusal = refusal_of("pairs", call, arguments)
    assert error_event("pairs", refusal) == ("error", f'{{"message":"{text}"}}')


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        (MessageCreated(MESSAGE), [("new_message", MESSAGE_BODY), ("message_notification", NOTICE)]),
        (
            MessageCreated(GROUP_MESSAGE),
            [
                (
                    "new_message",
                    f'{{{GROUP_HEAD},"is_read":false,"read_at":null,"created_at":"2024-01-12T21:44:35.007Z"}}',
                ),
                (
                    "message_notification",
                    f'{{{GROUP_HEAD},"is_read":false,"created_at":"2024-01-12T21:44:35.007Z","type":"new_message"}}',
                ),
            ],
        ),
        (
            MessageRead(ref(101), ref(12), ref(2), READ),
            [("messages_read", '{"conversationId":12,"userId":2,"readAt":"2024-01-12T21:45:35.507Z"}')],
        ),
        (Typing(ref(12), ref(1), True), [("typing_start", '{"conversationId":12,"userId":1}')]),
        (Typing(ref(12), ref(1), False), [("typing_stop", '{"conversationId":12,"userId":1}')]),
    ],
)
def test_events(event: Any, sent: list[tuple[str, str]]) -> None:
    assert encoded_events("pairs", event) == sent


def test_a_notification_has_any_type_and_its_fields() -> None:
    bare = (
        '{"id":50,"user_id":2,"title":"Project Update","message":"You have been assigned","type":"system",'
        '"created_at":"2024-01-12T21:44:35.007Z"'
    )
    assert encoded_events("pairs", NotificationCreated(NOTIFICATION)) == [("new_notification", bare + "}")]
    rich = replace(NOTIFICATION, extra={"projectId": 7, "id": "mine", "tags": ["a"]})
    assert encoded_events("pairs", NotificationCreated(rich)) == [
        ("new_notification", bare + ',"projectId":7,"tags":["a"]}')
    ]


def test_audiences() -> None:
    assert event_audiences("pairs", MessageCreated(MESSAGE)) == [
        ("new_message", JOINED, False),
        ("message_notification", MEMBERS, True),
    ]
    assert event_audiences("pairs", MessageRead(ref(101), ref(12), ref(2), READ)) == [("messages_read", JOINED, True)]
    assert event_audiences("pairs", Typing(ref(12), ref(1), True)) == [("typing_start", MEMBERS, True)]
    assert event_audiences("pairs", Typing(ref(12), ref(1), False)) == [("typing_stop", MEMBERS, True)]
    assert event_audiences("pairs", NotificationCreated(NOTIFICATION)) == [("new_notification", USER, False)]
    assert vocabulary("pairs").initial_events == ()


def test_a_message_that_was_read() -> None:
    message = route_of("pairs", "GET", "/api/conversations/{id}/messages").reply
    read = replace(MESSAGE, read_at=READ, seen_by=(ref(2),))
    sent = f'{{{HEAD},"is_read":true,"read_at":"2024-01-12T21:45:35.507Z","created_at":"2024-01-12T21:44:35.007Z"}}'
    assert encode_body(message, (read,)) == f"[{sent}]"
    by_another = replace(GROUP_MESSAGE, seen_by=(ref(2), ref(3)))
    assert '"is_read":true,"read_at":null' in encode_body(message, (by_another,))


def test_no_acks() -> None:
    replies = dialect("pairs").replies
    assert replies.success({"x": 1}) is NO_ACK
    assert replies.failure(Refusal(FORBIDDEN)) is NO_ACK


def test_the_handshake() -> None:
    found = dialect("pairs")
    assert (found.user_id_in_query, found.token_in, found.rejects_with) == (False, ("auth",), "connect_error")
    assert list(found.vocabularies) == ["/"]


@pytest.mark.parametrize(
    ("method", "path", "payload", "command"),
    [
        (
            "POST",
            "/api/conversations",
            '{"toUserId":"2"}',
            CreateConversation(kind="private", members=(Key(2),)),
        ),
        ("GET", "/api/conversations", '{"after":3}', ListConversations(after=Key(3))),
        (
            "POST",
            "/api/conversations/{id}/messages",
            '{"id":1,"content":"x","toUserId":2}',
            SendMessage(conversation=Key(1), content="x", to=Key(2)),
        ),
        ("GET", "/api/conversations/{id}/messages", '{"id":1}', ListMessages(conversation=Key(1))),
        ("POST", "/api/conversations/{id}/read", '{"id":1}', ReadConversation(conversation=Key(1))),
        (
            "POST",
            "/api/notifications",
            '{"user_id":2,"title":"T","message":"m","type":"project_assigned","data":{"projectId":7}}',
            CreateNotification(user=Key(2), title="T", content="m", type="project_assigned", extra={"projectId": 7}),
        ),
        ("POST", "/api/notifications", '{"user_id":2,"title":"T"}', CreateNotification(user=Key(2), title="T")),
        ("GET", "/api/notifications", '{"unreadOnly":true}', ListNotifications(unread_only=True)),
    ],
)
def test_routes(method: str, path: str, payload: str, command: Command) -> None:
    assert decode_route("pairs", method, path, payload) == command


@pytest.mark.parametrize("data", ['"x"', "[1]", '{"a":"\\u0000"}', '{"a":"' + "x" * 4100 + '"}'])
def test_fields_of_a_notification_are_an_object_of_some_size(data: str) -> None:
    with pytest.raises(Refusal) as caught:
        decode_route("pairs", "POST", "/api/notifications", f'{{"user_id":2,"title":"T","data":{data}}}')
    assert caught.value.message == "data must be an object of at most 4096 bytes, without NUL"


def test_resources() -> None:
    conversation = route_of("pairs", "POST", "/api/conversations").reply
    assert encode_body(conversation, CONVERSATION) == (
        '{"id":12,"type":"private","title":null,"participants":[1,2],'
        '"other_user":{"id":2,"username":"bob","display_name":null},'
        f'"last_message":{MESSAGE_BODY},"unread_count":3,"created_at":"2024-01-12T21:44:35.007Z"}}'
    )
    assert encode_body(conversation, GROUP) == (
        '{"id":13,"type":"group","title":"Three","participants":[1,2,3],"other_user":null,"last_message":null,'
        '"unread_count":0,"created_at":"2024-01-12T21:44:35.007Z"}'
    )
