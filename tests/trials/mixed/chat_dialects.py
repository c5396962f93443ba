"""The dialects, as far as a listener needs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class ChatDialect(NamedTuple):
    """A dialect: its namespace, how a user joins the group, and the events that carry a message."""

    dialect: str
    namespace: str
    notifies: tuple[str, ...]
    join: Callable[[str, int], tuple[str, Any]] | None = None


def number(room: str) -> int:
    """An ObjectId's number."""
    return int(room[8:], 16)


COLON = ChatDialect(
    "colon", "/chat", ("message:created",), lambda room, _: ("conversation:join", {"conversationId": room})
)
KEBAB = ChatDialect(
    "kebab",
    "/chat",
    ("receive-message",),
    lambda room, user: ("join-conversation", {"conversationId": number(room), "userId": user}),
)
ROOMS = ChatDialect("rooms", "/chat", ("message",), lambda room, _: ("join_room", {"roomId": room}))
PAIRS = ChatDialect(
    "pairs", "/", ("new_message", "message_notification"), lambda room, _: ("join_conversation", [number(room)])
)
INBOX = ChatDialect("inbox", "/", ("new_message",))
