"""`inbox`; all expectations are those of its specification."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from protocol.commands import (
    Command,
    CreateConversation,
    ListConversations,
    ListMessagesWith,
    ReadConversation,
    SendMessage,
    SendTo,
)
from protocol.dialects import dialect
from protocol.dialects.grammar import NO_ACK
from protocol.errors import FORBIDDEN, Refusal
from protocol.events import MEMBERS, USER, MessageCreated, Typing, UnreadChanged
from protocol.model import Attachment
from tests.protocol.dialects.samples import (
    CONVERSATION,
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
    uuid,
    uuid_key,
    vocabulary,
)

CONVERSATION_ID = uuid(12)
IDS = f'"id":"{uuid(101)}","conversationId":"{CONVERSATION_ID}","senderId":"{uuid(1)}","receiverId":"{uuid(2)}"'
END = '"isRead":false,"createdAt":"2024-01-12T21:44:35.007Z"'
MESSAGE_BODY = f'{{{IDS},"content":"Hello world!","attachments":[],{END}}}'


@pytest.mark.parametrize(
    ("call", "payload", "command"),
    [
        (
            "send_message",
            f'{{"conversationId":"{CONVERSATION_ID}","content":"Hello!","attachments":[]}}',
            SendMessage(conversation=uuid_key(12), content="Hello!"),
        ),
        (
            "send_message",
            f'{{"conversationId":"{CONVERSATION_ID}","content":null,"attachments":'
            '[{"url":"https://x/a","type":"IMAGE"},{"type":"PDF","url":"https://x/b"}]}',
            SendMessage(
                conversation=uuid_key(12),
                attachments=(Attachment("https://x/a", "IMAGE"), Attachment("https://x/b", "PDF")),
            ),
        ),
        ("send_message", f'[{{"conversationId":"{CONVERSATION_ID.upper()}"}}]', SendMessage(conversation=uuid_key(12))),
        ("read_messages", f'{{"conversationId":"{CONVERSATION_ID}"}}', ReadConversation(conversation=uuid_key(12))),
    ],
)
def test_calls(call: str, payload: str, command: Command) -> None:
    assert decode("inbox", call, payload) == command


SORT = 'a list of {url, type: "IMAGE" or "PDF"}'


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ('{"content":"x"}', "conversationId is required and must be a UUID"),
        ('{"conversationId":"uuid-of-conversation"}', "conversationId must be a UUID"),
        ('{"conversationId":12}', "conversationId must be a UUID"),
        (f'{{"conversationId":"{CONVERSATION_ID}","content":1}}', "content must be a string"),
        (f'{{"conversationId":"{CONVERSATION_ID}","content":"a\\u0000b"}}', "content must be a string without NUL"),
        (f'{{"conversationId":"{CONVERSATION_ID}","attachments":["https://x"]}}', f"attachments must be {SORT}"),
        (
            f'{{"conversationId":"{CONVERSATION_ID}","attachments":[{{"url":"https://x","type":"VIDEO"}}]}}',
            f"attachments must be {SORT}",
        ),
        (
            f'{{"conversationId":"{CONVERSATION_ID}","attachments":[{{"url":"https://x"}}]}}',
            f"attachments must be {SORT}",
        ),
        (
            f'{{"conversationId":"{CONVERSATION_ID}","attachments":[{{"url":"https://x","type":"PDF","name":"n"}}]}}',
            f"attachments must be {SORT}",
        ),
        (
            f'{{"conversationId":"{CONVERSATION_ID}","attachments":[{{"url":"a b","type":"PDF"}}]}}',
            "attachments must be a URL of 1 to 2048 characters without spaces",
        ),
        (f'{{"conversationId":"{CONVERSATION_ID}","roomId":"c"}}', "roomId is not a field of this call"),
    ],
)
def test_error_texts(payload: str, text: str) -> None:
    refusal = refusal_of("inbox", "send_message", payload)
    assert refusal.message == text
    assert error_event("inbox", Refusal(FORBIDDEN, "no")) == ("error", '{"message":"no"}')


def with_attachments(*attachments: Attachment) -> MessageCreated:
    return MessageCreated(replace(MESSAGE, content="", attachments=attachments))


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        (MessageCreated(MESSAGE), [("new_message", MESSAGE_BODY)]),
        (
            with_attachments(Attachment("https://x/a", "PDF")),
            [
                (
                    "new_message",
                    f'{{{IDS},"content":"","attachments":[{{"url":"https://x/a","type":"PDF"}}],{END}}}',
                )
            ],
        ),
        (
            with_attachments(Attachment("https://x/A.PDF?v=1"), Attachment("https://x/a.gif")),
            [
                (
                    "new_message",
                    f'{{{IDS},"content":"","attachments":[{{"url":"https://x/A.PDF?v=1","type":"PDF"}},'
                    f'{{"url":"https://x/a.gif","type":"IMAGE"}}],{END}}}',
                )
            ],
        ),
        (
            MessageCreated(GROUP_MESSAGE),
            [
                (
                    "new_message",
                    f'{{"id":"{uuid(102)}","conversationId":"{uuid(13)}","senderId":"{uuid(2)}","receiverId":null,'
                    f'"content":"https://x.example/cat.png","attachments":[],{END}}}',
                )
            ],
        ),
        (UnreadChanged(ref(1), 3), [("unread_count", '{"count":3}')]),
        (Typing(ref(12), ref(1), True), []),
    ],
)
def test_events(event: Any, sent: list[tuple[str, str]]) -> None:
    assert encoded_events("inbox", event) == sent


def test_audiences() -> None:
    assert event_audiences("inbox", MessageCreated(MESSAGE)) == [("new_message", MEMBERS, False)]
    assert event_audiences("inbox", UnreadChanged(ref(1), 3)) == [("unread_count", USER, False)]
    assert vocabulary("inbox").initial_events == (UnreadChanged,)


def test_no_acks() -> None:
    replies = dialect("inbox").replies
    assert replies.success({"x": 1}) is NO_ACK
    assert replies.failure(Refusal(FORBIDDEN)) is NO_ACK


def test_the_handshake() -> None:
    found = dialect("inbox")
    assert (found.user_id_in_query, found.token_in, found.rejects_with) == (False, ("auth", "query"), "disconnect")
    assert list(found.vocabularies) == ["/"]


@pytest.mark.parametrize(
    ("method", "path", "payload", "command"),
    [
        (
            "POST",
            "/api/messages/conversations",
            f'{{"otherUserId":"{uuid(2)}"}}',
            CreateConversation(kind="private", members=(uuid_key(2),)),
        ),
        ("GET", "/api/messages/conversations", "{}", ListConversations()),
        (
            "GET",
            "/api/messages/with/{otherUserId}",
            f'{{"otherUserId":"{uuid(2)}","page":2,"limit":10,"markAsRead":true}}',
            ListMessagesWith(user=uuid_key(2), page=2, limit=10, mark_read=True),
        ),
        (
            "POST",
            "/api/messages",
            f'{{"otherUserId":"{uuid(2)}","content":"hi"}}',
            SendTo(user=uuid_key(2), content="hi"),
        ),
        (
            "POST",
            "/api/messages/conversations/{id}/messages",
            f'{{"id":"{CONVERSATION_ID}","content":"hi"}}',
            SendMessage(conversation=uuid_key(12), content="hi"),
        ),
        (
            "POST",
            "/api/messages/conversations/{id}/read",
            f'{{"id":"{CONVERSATION_ID}"}}',
            ReadConversation(conversation=uuid_key(12)),
        ),
    ],
)
def test_routes(method: str, path: str, payload: str, command: Command) -> None:
    assert decode_route("inbox", method, path, payload) == command


def test_resources() -> None:
    assert route_of("inbox", "GET", "/api/messages/with/{otherUserId}").numbered_pages
    assert encode_body(route_of("inbox", "GET", "/api/messages/conversations").reply, (CONVERSATION,)) == (
        f'[{{"id":"{CONVERSATION_ID}","type":"private","title":null,"participants":["{uuid(1)}","{uuid(2)}"],'
        f'"otherUser":{{"id":"{uuid(2)}","username":"bob","displayName":null}},"lastMessage":{MESSAGE_BODY},'
        '"unreadCount":3,"createdAt":"2024-01-12T21:44:35.007Z"}]'
    )
