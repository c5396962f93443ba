"""`kebab`; all expectations are those of its specification: each call, each event, each text."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from protocol.commands import (
    Command,
    CreateConversation,
    Join,
    Leave,
    ListConversations,
    ListMessages,
    SendMessage,
    SetTyping,
)
from protocol.dialects import dialect
from protocol.dialects.grammar import NO_ACK
from protocol.errors import FORBIDDEN, NOT_FOUND, Refusal
from protocol.events import JOINED, PEERS, MessageCreated, PresenceChanged, Typing
from protocol.ids import Key
from tests.protocol.dialects.samples import (
    CONVERSATION,
    GROUP,
    GROUP_MESSAGE,
    MESSAGE,
    decode,
    decode_route,
    encode_body,
    encoded_events,
    error_event,
    event_audiences,
    ref,
    refusal_of,
    route_of,
    row,
    shape_of,
    vocabulary,
)

MESSAGE_BODY = (
    '{"id":101,"sender_id":1,"conversation_id":12,"timestamp":"2024-01-12T21:44:35.007Z","message_type":"text",'
    '"content":"Hello world!","conversation":{"id":12,"sender_id":2,"receiver_id":1}}'
)
GROUP_MESSAGE_BODY = (
    '{"id":102,"sender_id":2,"conversation_id":13,"timestamp":"2024-01-12T21:44:35.007Z","message_type":"image",'
    '"content":"https://x.example/cat.png","conversation":{"id":13,"sender_id":2,"receiver_id":null}}'
)


@pytest.mark.parametrize(
    ("call", "payload", "command"),
    [
        (
            "send-message",
            '{"sender_id":1,"conversation_id":1,"message_type":"text","content":"Hello, how are you?"}',
            SendMessage(claimed_user=Key(1), conversation=Key(1), type="text", content="Hello, how are you?"),
        ),
        (
            "send-message",
            '[{"content":"https://x/y.png","message_type":"image","conversation_id":1,"sender_id":1}]',
            SendMessage(claimed_user=Key(1), conversation=Key(1), type="image", content="https://x/y.png"),
        ),
        ("join-conversation", '{"conversationId":1,"userId":1}', Join(claimed_user=Key(1), conversation=Key(1))),
        ("leave-conversation", '{"conversationId":1}', Leave(conversation=Key(1))),
        (
            "typing",
            '{"conversationId":1,"userId":1,"isTyping":true}',
            SetTyping(claimed_user=Key(1), conversation=Key(1), on=True),
        ),
        (
            "typing",
            '{"conversationId":1,"userId":1,"isTyping":false}',
            SetTyping(claimed_user=Key(1), conversation=Key(1), on=False),
        ),
    ],
)
def test_calls(call: str, payload: str, command: Command) -> None:
    assert decode("kebab", call, payload) == command


@pytest.mark.parametrize(
    ("call", "payload", "text"),
    [
        (
            "send-message",
            '{"conversation_id":1,"message_type":"text","content":"x"}',
            "sender_id should not be empty, sender_id must be an integer number",
        ),
        (
            "send-message",
            '{"sender_id":"1","conversation_id":1,"message_type":"text","content":"x"}',
            "sender_id must be an integer number",
        ),
        (
            "send-message",
            '{"sender_id":1.5,"conversation_id":true,"message_type":"text","content":"x"}',
            "sender_id must be an integer number, conversation_id must be an integer number",
        ),
        (
            "send-message",
            '{"sender_id":1,"conversation_id":1,"message_type":"text","content":5}',
            "content must be a string",
        ),
        (
            "send-message",
            '{"sender_id":1,"conversation_id":1,"message_type":"video","content":"x"}',
            "message_type must be one of the following values: text, image, file",
        ),
        (
            "send-message",
            '{"sender_id":1,"conversation_id":1,"message_type":7,"content":"x"}',
            "message_type must be one of the following values: text, image, file",
        ),
        (
            "send-message",
            '{"sender_id":1,"conversation_id":1,"message_type":"text","content":"x","x":1}',
            "property x should not exist",
        ),
        (
            "send-message",
            "{}",
            "sender_id should not be empty, sender_id must be an integer number, "
            "conversation_id should not be empty, conversation_id must be an integer number, "
            "message_type should not be empty, message_type must be one of the following values: text, image, file, "
            "content should not be empty, content must be a string",
        ),
        ("typing", '{"conversationId":1,"userId":1,"isTyping":"true"}', "isTyping must be a boolean value"),
        (
            "typing",
            '{"conversationId":1,"userId":1}',
            "isTyping should not be empty, isTyping must be a boolean value",
        ),
        (
            "join-conversation",
            '{"conversationId":1}',
            "userId should not be empty, userId must be an integer number",
        ),
        ("join-conversation", '{"conversationId":"1","userId":1}', "conversationId must be an integer number"),
        ("leave-conversation", '{"conversationId":0}', "conversationId must be a positive integer"),
        ("leave-conversation", '{"conversationId":9223372036854775808}', "conversationId must be a positive integer"),
    ],
)
def test_error_texts(call: str, payload: str, text: str) -> None:
    assert refusal_of("kebab", call, payload).message == text


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        (MessageCreated(MESSAGE), [("receive-message", MESSAGE_BODY)]),
        (MessageCreated(GROUP_MESSAGE), [("receive-message", GROUP_MESSAGE_BODY)]),
        (Typing(ref(12), ref(1), True), [("user-typing", '{"conversationId":12,"userId":1,"isTyping":true}')]),
        (Typing(ref(12), ref(1), False), [("user-typing", '{"conversationId":12,"userId":1,"isTyping":false}')]),
        (PresenceChanged(ref(1), True), [("user:online", '{"userId":1}')]),
        (PresenceChanged(ref(1), False), [("user:offline", '{"userId":1}')]),
    ],
)
def test_events(event: Any, sent: list[tuple[str, str]]) -> None:
    assert encoded_events("kebab", event) == sent


def test_audiences() -> None:
    assert event_audiences("kebab", MessageCreated(MESSAGE)) == [("receive-message", JOINED, False)]
    assert event_audiences("kebab", Typing(ref(12), ref(1), True)) == [("user-typing", JOINED, True)]
    assert event_audiences("kebab", PresenceChanged(ref(1), True)) == [("user:online", PEERS, False)]
    assert vocabulary("kebab").initial_events == (PresenceChanged,)


def test_a_sent_message_is_answered_by_an_event() -> None:
    send = row("kebab", "send-message")
    assert send.reply_event == "message-sent"
    assert encode_body(send.reply, MESSAGE) == MESSAGE_BODY
    assert send.error_event is not None
    name, shape = send.error_event
    refusal = Refusal(NOT_FOUND, "Conversation not found")
    assert (name, encode_body(shape, refusal)) == ("message-error", '{"error":"Conversation not found"}')


def test_joining_is_answered_by_an_ack_and_an_event() -> None:
    join = row("kebab", "join-conversation")
    assert join.reply_event == "joined-conversation"
    assert encode_body(join.reply, MESSAGE) == '{"success":true,"conversationId":12}'
    assert dialect("kebab").forbidden_text == "Unauthorized to join this conversation"


def test_acks() -> None:
    replies = dialect("kebab").replies
    assert replies.success({"success": True}) == {"success": True}
    assert replies.success(None) is NO_ACK
    assert replies.failure(Refusal(NOT_FOUND, "no")) == {"success": False, "error": "no"}
    assert error_event("kebab", Refusal(FORBIDDEN, "Not yours")) == ("error", '{"message":"Not yours"}')


def test_the_handshake() -> None:
    found = dialect("kebab")
    assert (found.user_id_in_query, found.token_in, found.rejects_with) == (True, ("auth",), "error")
    assert list(found.vocabularies) == ["/chat"]


def test_routes() -> None:
    conversations, messages = "/api/chats/conversations", "/api/chats/conversations/{id}/messages"
    assert decode_route("kebab", "POST", conversations, '{"sender_id":1,"receiver_id":2}') == CreateConversation(
        claimed_user=Key(1), kind="private", members=(Key(2),)
    )
    assert decode_route("kebab", "GET", conversations, '{"limit":5,"before":9}') == ListConversations(
        limit=5, before=Key(9)
    )
    assert decode_route("kebab", "GET", messages, '{"id":1,"page":1,"limit":20}') == ListMessages(
        conversation=Key(1), page=1, limit=20
    )
    assert decode_route(
        "kebab", "POST", messages, '{"id":1,"sender_id":2,"message_type":"file","content":"7"}'
    ) == SendMessage(conversation=Key(1), claimed_user=Key(2), type="file", content="7")
    assert route_of("kebab", "GET", messages).numbered_pages
    assert route_of("kebab", "POST", conversations).status == 201


def test_resources() -> None:
    conversation = shape_of(route_of("kebab", "GET", "/api/chats/conversations").reply)
    assert encode_body(conversation, CONVERSATION) == '{"id":12,"sender_id":2,"receiver_id":1}'
    assert encode_body(conversation, GROUP) == '{"id":13,"sender_id":2,"receiver_id":null}'
    message = shape_of(route_of("kebab", "GET", "/api/chats/conversations/{id}/messages").reply)
    assert encode_body(message, MESSAGE) == MESSAGE_BODY
    assert '"content":""' in encode_body(message, replace(MESSAGE, content=""))
