"""`relay`: made up for the test, in tables alone. It speaks like an old chat: short words in capitals."""

from __future__ import annotations

from protocol.commands import CreateConversation, Join, ListMessages, SendMessage, SetTyping
from protocol.dialects.grammar import Complaints, Dialect, Hear, Manners, Many, Route, Say, Shape, Vocabulary, bare
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
            hears=(
                Hear("JOIN", Join, (CHANNEL,), positional=True),
                Hear("SAY", SendMessage, (CHANNEL, TEXT_FIELD), LINE, positional=True),
                Hear("BUSY", SetTyping, (CHANNEL,), positional=True, fixed={"on": True}),
            ),
            says=(
                Say(MessageCreated, "LINE", LINE, MEMBERS, of="message"),
                Say(Typing, "BUSY", {"who": spelt("user", DECIMAL)}, others=True, when=("on", True)),
            ),
        )
    },
    manners=Manners(bare, _no, ("error", {"message": plain("message")}), Complaints(missing="461 {field}")),
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
