"""NamespaceCodec: results and refusals become acks and events, in the reply style of each dialect."""

from __future__ import annotations

import pytest
from msgspec import Raw, Struct

from protocol.commands import Join, Leave
from protocol.dialects import dialect
from protocol.dialects.codec import NamespaceCodec
from protocol.errors import FORBIDDEN, NOT_FOUND, RATE_LIMITED, UNKNOWN_CALL, NoAccess, Refusal
from protocol.ids import Key, Ref
from tests.protocol.dialects.samples import MESSAGE, object_id, ref


class Joined(Struct, frozen=True):
    """The result of a join."""

    conversation: Ref


def make_codec(name: str) -> NamespaceCodec:
    found = dialect(name)
    return NamespaceCodec(found, next(iter(found.vocabularies)))


def test_a_call_is_found_by_its_name() -> None:
    assert make_codec("kebab").decode("leave-conversation", Raw(b'{"conversationId":1}')) == Leave(conversation=Key(1))
    assert make_codec("pairs").decode("join_conversation", Raw(b"[1]")) == Join(conversation=Key(1))
    with pytest.raises(Refusal) as caught:
        make_codec("kebab").row("join_conversation")
    assert caught.value.code is UNKNOWN_CALL


JOINED = b'{"success":true,"conversationId":12}'


@pytest.mark.parametrize(
    ("name", "call", "result", "ack", "event"),
    [
        ("colon", "conversation:join", Joined(ref(12)), b'{"ok":true}', None),
        ("kebab", "join-conversation", Joined(ref(12)), JOINED, ("joined-conversation", JOINED)),
        ("kebab", "leave-conversation", None, None, None),
        ("kebab", "typing", None, None, None),
        ("rooms", "send_message", MESSAGE, None, None),
        ("pairs", "join_conversation", Joined(ref(12)), None, None),
        ("inbox", "send_message", MESSAGE, None, None),
    ],
)
def test_success(name: str, call: str, result: object, ack: bytes | None, event: tuple[str, bytes] | None) -> None:
    codec = make_codec(name)
    assert codec.answer(codec.row(call), result) == (ack, event)


def test_a_message_that_was_sent() -> None:
    colon, kebab = make_codec("colon"), make_codec("kebab")
    ack, event = colon.answer(colon.row("message:send"), MESSAGE)
    assert ack is not None
    assert ack.startswith(f'{{"ok":true,"data":{{"_id":"{object_id(101)}","sender_id":1,'.encode())
    assert event is None
    ack, event = kebab.answer(kebab.row("send-message"), MESSAGE)
    assert ack is not None
    assert event == ("message-sent", ack)


NO = Refusal(NOT_FOUND, "Conversation not found")
NO_TEXT = b"Conversation not found"
NO_ACCESS = NoAccess("Conversation")
UNAUTHORIZED = b"Unauthorized to join this conversation"
COLON_NO = b'{"code":"NOT_FOUND","message":"%b"}' % NO_TEXT
COLON_NO_ACCESS = b'{"code":"FORBIDDEN","message":"You have no permission for this conversation"}'


@pytest.mark.parametrize(
    ("name", "call", "wants_ack", "ack", "event"),
    [
        ("colon", "conversation:join", True, b'{"ok":false,"error":%b}' % COLON_NO, None),
        ("colon", "conversation:join", False, b'{"ok":false,"error":%b}' % COLON_NO, ("error", COLON_NO)),
        ("kebab", "join-conversation", True, b'{"success":false,"error":"%b"}' % NO_TEXT, None),
        (
            "kebab",
            "join-conversation",
            False,
            b'{"success":false,"error":"%b"}' % NO_TEXT,
            ("error", b'{"message":"%b"}' % NO_TEXT),
        ),
        (
            "kebab",
            "send-message",
            False,
            b'{"success":false,"error":"%b"}' % NO_TEXT,
            ("message-error", b'{"error":"%b"}' % NO_TEXT),
        ),
        (
            "kebab",
            "send-message",
            True,
            b'{"success":false,"error":"%b"}' % NO_TEXT,
            ("message-error", b'{"error":"%b"}' % NO_TEXT),
        ),
        ("rooms", "join_room", True, None, ("error", b'{"message":"%b"}' % NO_TEXT)),
        ("rooms", "join_room", False, None, ("error", b'{"message":"%b"}' % NO_TEXT)),
        ("pairs", "send_message", True, None, ("error", b'{"message":"%b"}' % NO_TEXT)),
        ("inbox", "read_messages", True, None, ("error", b'{"message":"%b"}' % NO_TEXT)),
    ],
)
def test_refusal(name: str, call: str, wants_ack: bool, ack: bytes | None, event: tuple[str, bytes] | None) -> None:
    codec = make_codec(name)
    _, sent_ack, sent_event = codec.refuse(codec.row(call), NO, wants_ack=wants_ack)
    assert (sent_ack, sent_event) == (ack, event)


@pytest.mark.parametrize(
    ("name", "call", "ack", "event"),
    [
        ("colon", "conversation:join", b'{"ok":false,"error":%b}' % COLON_NO_ACCESS, ("error", COLON_NO_ACCESS)),
        (
            "kebab",
            "join-conversation",
            b'{"success":false,"error":"%b"}' % UNAUTHORIZED,
            ("error", b'{"message":"%b"}' % UNAUTHORIZED),
        ),
        (
            "kebab",
            "send-message",
            b'{"success":false,"error":"%b"}' % UNAUTHORIZED,
            ("message-error", b'{"error":"%b"}' % UNAUTHORIZED),
        ),
        ("rooms", "join_room", None, ("error", b'{"message":"%b"}' % NO_TEXT)),
        ("pairs", "send_message", None, ("error", b'{"message":"%b"}' % NO_TEXT)),
        ("inbox", "read_messages", None, ("error", b'{"message":"%b"}' % NO_TEXT)),
    ],
)
def test_no_access(name: str, call: str, ack: bytes | None, event: tuple[str, bytes] | None) -> None:
    codec = make_codec(name)
    _, sent_ack, sent_event = codec.refuse(codec.row(call), NO_ACCESS, wants_ack=False)
    assert (sent_ack, sent_event) == (ack, event)


@pytest.mark.parametrize("name", ["colon", "kebab", "rooms", "pairs", "inbox"])
def test_a_refusal_without_a_row_is_an_event_too(name: str) -> None:
    refusal = Refusal(RATE_LIMITED, retry_after=2.0)
    same, ack, event = make_codec(name).refuse(None, refusal, wants_ack=False)
    assert same is refusal
    assert event is not None
    assert event[0] == "error"
    assert b'"message":"Too many requests"' in event[1]
    assert ack is None or b"Too many requests" in ack


def test_no_other_refusal_is_reworded() -> None:
    kebab = make_codec("kebab")
    join = kebab.row("join-conversation")
    for refusal in (NO, Refusal(FORBIDDEN, "Not you")):
        assert kebab.refuse(join, refusal, wants_ack=True)[0] is refusal
    assert kebab.refuse(join, NO_ACCESS, wants_ack=True)[0].code is FORBIDDEN
