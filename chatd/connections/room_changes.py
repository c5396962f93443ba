"""The joins and leaves of one channel that are in progress."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from protocol.events import JOINED, Audience


class RoomChange(NamedTuple):
    """How many joins and leaves of one conversation are in progress, and whether the last one is a join."""

    in_progress: int
    joins: bool


class RoomChanges:
    """Counts the joins and leaves in progress, so that the limit on rooms holds for what is still to come."""

    __slots__ = ("_by_conversation",)

    def __init__(self) -> None:
        self._by_conversation: dict[int, RoomChange] | None = None

    def begin(self, conversation: int, *, joins: bool) -> None:
        if self._by_conversation is None:
            self._by_conversation = {}
        before = self._by_conversation.get(conversation)
        self._by_conversation[conversation] = RoomChange(1 if before is None else before.in_progress + 1, joins)

    def end(self, conversation: int) -> None:
        if self._by_conversation is not None:
            change = self._by_conversation.pop(conversation)
            if change.in_progress > 1:
                self._by_conversation[conversation] = RoomChange(change.in_progress - 1, change.joins)

    def allow_join(self, conversation: int, rooms: Collection[Audience], limit: int) -> bool:
        """Whether a join keeps within the limit (0: no limit) when everything in progress is done.

        `rooms` are the places that the channel is subscribed to now, the one of its user included.
        """
        in_progress = self._by_conversation or {}
        if not limit or len(rooms) + len(in_progress) <= limit:
            return True
        joined = {number for kind, number in rooms if kind == JOINED}
        for number, change in in_progress.items():
            (joined.add if change.joins else joined.discard)(number)
        return conversation in joined or len(joined) < limit
