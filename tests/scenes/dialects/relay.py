"""`relay`: a dialect of the tests. It consists of tables only; its event names are short words in capitals."""

from __future__ import annotations

from protocol.commands import CreateConversation, Join, ListMessages, SendMessage, SetTyping
from protocol.dialects.fields import TEXT, field, ids, optional
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
    reply_as_ack,
)
from protocol.dialects.shapes import as_id, as_is, as_time, constant
from protocol.errors import Refusal
from protocol.events import MEMBERS, MessageCreated, Typing
from protocol.ids import DECIMAL, UUID

LINE: Shape = {
    "v": constant(6),
    "no": as_id("ref", DECIMAL),
    "channel": as_id("conversation", UUID),
    "who": as_is("sender.name"),
    "text": as_is("content"),
    "at": as_time("created"),
}
CHANNEL = field("channel", UUID, "conversation")
TEXT_FIELD = field("text", TEXT, "content")


def _no(refusal: Refusal) -> list[str]:
    return ["NO", refusal.code.code]


DIALECT = Dialect(
    name="relay",
    title="Made up for the test",
    user_id=DECIMAL,
    conversation_id=UUID,
    vocabularies={
        "/relay": Vocabulary(
            inbound=(
                Inbound("JOIN", Join, (CHANNEL,), positional=True),
                Inbound("SAY", SendMessage, (CHANNEL, TEXT_FIELD), LINE, positional=True),
                Inbound("BUSY", SetTyping, (CHANNEL,), positional=True, fixed={"on": True}),
            ),
            outbound=(
                Outbound(MessageCreated, "LINE", LINE, MEMBERS, part="message"),
                Outbound(Typing, "BUSY", {"who": as_id("user", DECIMAL)}, others_only=True, when=("on", True)),
            ),
        )
    },
    replies=ReplyStyle(reply_as_ack, _no, ("error", {"message": as_is("message")}), ErrorTexts(missing="461 {field}")),
    routes=(
        Route(
            "POST",
            "/relay",
            CreateConversation,
            (field("with", ids(DECIMAL), "members"), optional("topic", TEXT, "title")),
            {"channel": as_id("ref", UUID)},
            201,
            fixed={"kind": "group"},
        ),
        Route("GET", "/relay/{channel}", ListMessages, (CHANNEL,), ListOf(LINE)),
        Route("POST", "/relay/{channel}", SendMessage, (CHANNEL, TEXT_FIELD), LINE, 201),
    ),
)
