"""A sixth dialect, defined here in one table: it decodes and encodes, and no other code knows its name.

It follows the checklist of protocol/dialects/__init__.py.
"""

from __future__ import annotations

import pytest

from protocol.commands import Join, ListMessages, SendMessage, SetTyping
from protocol.dialects.decode import CallDecoder, call_decoder
from protocol.dialects.encode import build_body, encode, outbound_encoders
from protocol.dialects.fields import BOOLEAN, TEXT, claimed_user, field, optional
from protocol.dialects.grammar import (
    Dialect,
    ErrorTexts,
    Inbound,
    ListOf,
    Outbound,
    ReplyStyle,
    Route,
    Shape,
    Vocabulary,
    no_ack,
    reply_as_ack,
)
from protocol.dialects.shapes import as_id, as_is, as_time, constant
from protocol.errors import NOT_FOUND, Refusal
from protocol.events import MEMBERS, MessageCreated, Typing
from protocol.ids import DIGITS, UUID, Key
from tests.protocol.dialects.samples import CREATED_TEXT, MESSAGE, ref, uuid, uuid_key

CHANNEL = field("channel", UUID, "conversation")
MESSAGE_BODY: Shape = {
    "v": constant(6),
    "no": as_id("message.ref", DIGITS),
    "channel": as_id("message.conversation", UUID),
    "who": as_is("message.sender.name"),
    "text": as_is("message.content"),
    "at": as_time("message.created"),
}
DIALECT = Dialect(
    name="sixth",
    title="Made up for the test",
    user_id=DIGITS,
    conversation_id=UUID,
    vocabularies={
        "/irc": Vocabulary(
            inbound=(
                Inbound("JOIN", Join, (CHANNEL, claimed_user("nick", DIGITS, required=False)), positional=True),
                Inbound("PRIVMSG", SendMessage, (CHANNEL, field("text", TEXT, "content")), positional=True),
                Inbound("BUSY", SetTyping, (CHANNEL, optional("now", BOOLEAN, "on"))),
            ),
            outbound=(
                Outbound(MessageCreated, "PRIVMSG", MESSAGE_BODY, MEMBERS),
                Outbound(Typing, "BUSY", {"who": as_id("user", DIGITS)}, others_only=True, when=("on", True)),
                Outbound(Typing, "IDLE", {"who": as_id("user", DIGITS)}, others_only=True, when=("on", False)),
            ),
        )
    },
    replies=ReplyStyle(reply_as_ack, no_ack, ("NOTICE", {"why": as_is("message")}), ErrorTexts(missing="461 {field}")),
    routes=(
        Route("GET", "/log/{channel}", ListMessages, (CHANNEL,), ListOf({"id": as_id("ref", UUID)})),
        Route("POST", "/say/{channel}", SendMessage, (CHANNEL, field("text", TEXT, "content")), status=202),
    ),
)
CALLS = {row.name: call_decoder(row, DIALECT.replies.error_texts) for row in DIALECT.vocabulary("/irc").inbound}


def test_it_decodes_requests() -> None:
    assert CALLS["JOIN"].decode(f'["{uuid(12)}","7"]'.encode()) == Join(conversation=uuid_key(12), claimed_user=Key(7))
    assert CALLS["JOIN"].decode(f'["{uuid(12)}"]'.encode()) == Join(conversation=uuid_key(12))
    sent = SendMessage(conversation=uuid_key(12), content="hi")
    assert CALLS["PRIVMSG"].decode(f'["{uuid(12)}","hi"]'.encode()) == sent
    assert CALLS["PRIVMSG"].decode(f'{{"text":"hi","channel":"{uuid(12)}"}}'.encode()) == sent
    assert CALLS["BUSY"].decode(f'[{{"channel":"{uuid(12)}"}}]'.encode()) == SetTyping(conversation=uuid_key(12))


@pytest.mark.parametrize(
    ("call", "arguments", "text"),
    [
        ("JOIN", b"[]", "461 channel"),
        ("PRIVMSG", b"{}", "461 channel, 461 text"),
        ("BUSY", b'{"channel":"x","now":2}', "channel must be a UUID, now must be a boolean value"),
    ],
)
def test_it_has_error_texts_of_its_own(call: str, arguments: bytes, text: str) -> None:
    with pytest.raises(Refusal) as caught:
        CALLS[call].decode(arguments)
    assert caught.value.message == text


def test_it_encodes_events() -> None:
    encoders = outbound_encoders(DIALECT.vocabulary("/irc"))
    [encoder] = encoders[MessageCreated]
    assert encoder.encode(MessageCreated(MESSAGE)).decode() == (
        f'{{"v":6,"no":101,"channel":"{uuid(12)}","who":"ann","text":"Hello world!","at":"{CREATED_TEXT}"}}'
    )
    for on, name in ((True, "BUSY"), (False, "IDLE")):
        event = Typing(ref(12), ref(1), on)
        assert [(row.name, row.encode(event)) for row in encoders[Typing] if row.applies(event)] == [
            (name, b'{"who":1}')
        ]


def test_it_has_an_error_event() -> None:
    name, shape = DIALECT.replies.error_event
    assert (name, build_body(shape, Refusal(NOT_FOUND, "403 No such channel"))) == (
        "NOTICE",
        {"why": "403 No such channel"},
    )


def test_it_is_served_over_rest() -> None:
    list_messages, send = DIALECT.routes
    assert encode(build_body(list_messages.reply, (MESSAGE,))) == f'[{{"id":"{uuid(101)}"}}]'.encode()
    request = CallDecoder(send.command, send.fields, send.fixed, DIALECT.replies.error_texts)
    command = request.decode(f'{{"channel":"{uuid(12)}","text":"hi"}}'.encode())
    assert command == SendMessage(conversation=uuid_key(12), content="hi")
