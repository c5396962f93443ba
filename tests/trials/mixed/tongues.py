"""The dialects, as far as a listener must speak them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Tongue(NamedTuple):
    """A dialect: where it is spoken, how a user joins the group, and which events carry a message."""

    dialect: str
    namespace: str
    tells: tuple[str, ...]
    join: Callable[[str, int], tuple[str, Any]] | None = None


def number(room: str) -> int:
    """An ObjectId's number."""
    return int(room[8:], 16)


COLON = Tongue("colon", "/chat", ("message:created",), lambda room, _: ("conversation:join", {"conversationId": room}))
KEBAB = Tongue(
    "kebab",
    "/chat",
    ("receive-message",),
    lambda room, user: ("join-conversation", {"conversationId": number(room), "userId": user}),
)
ROOMS = Tongue("rooms", "/chat", ("message",), lambda room, _: ("join_room", {"roomId": room}))
PAIRS = Tongue(
    "pairs", "/", ("new_message", "message_notification"), lambda room, _: ("join_conversation", [number(room)])
)
INBOX = Tongue("inbox", "/", ("new_message",))
