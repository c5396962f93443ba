"""`relay`: a dialect of the tests. It consists of tables only; its event names are short words in capitals."""

from __future__ import annotations

from protocol.commands import CreateConversation, Join, ListMessages, SendMessage, SetTyping
from protocol.dialects.grammar import (
    Complaints,
    Dialect,
    Inbound,
    Many,
    Outbound,
    ReplyStyle,
    Route,
    Shape,
    Vocabulary,
    bare,
)
from protocol.dialects.words import TEXT, always, field, keys, moment, optional, plain, spelt
from protocol.errors import Refusal
from protocol.events import MEMBERS, MessageCreated, Typing
from protocol.ids import DECIMAL, UUID

LINE: Shape = {
    "v": always(6),
    "no": spelt("ref", DECIMAL),
    "channel": spelt("conversation", UUID),
    "who": plain("sender.name"),
    "text": plain("content"),
    "at": moment("created"),
}
CHANNEL = field("channel", UUID, "conversation")
TEXT_FIELD = field("text", TEXT, "content")


def _no(refusal: Refusal) -> list[str]:
    return ["NO", refusal.code.code]


DIALECT = Dialect(
    name="relay",
    title="Made up for the test",
    user=DECIMAL,
    conversation=UUID,
    vocabularies={
        "/relay": Vocabulary(
            inbound=(
                Inbound("JOIN", Join, (CHANNEL,), positional=True),
                Inbound("SAY", SendMessage, (CHANNEL, TEXT_FIELD), LINE, positional=True),
                Inbound("BUSY", SetTyping, (CHANNEL,), positional=True, fixed={"on": True}),
            ),
            outbound=(
                Outbound(MessageCreated, "LINE", LINE, MEMBERS, of="message"),
                Outbound(Typing, "BUSY", {"who": spelt("user", DECIMAL)}, others=True, when=("on", True)),
            ),
        )
    },
    replies=ReplyStyle(bare, _no, ("error", {"message": plain("message")}), Complaints(missing="461 {field}")),
    routes=(
        Route(
            "POST",
            "/relay",
            CreateConversation,
            (field("with", keys(DECIMAL), "members"), optional("topic", TEXT, "title")),
            {"channel": spelt("ref", UUID)},
            201,
            fixed={"kind": "group"},
        ),
        Route("GET", "/relay/{channel}", ListMessages, (CHANNEL,), Many(LINE)),
        Route("POST", "/relay/{channel}", SendMessage, (CHANNEL, TEXT_FIELD), LINE, 201),
    ),
)
