"""Typists: who is writing where, until they stop, send, leave or fall silent."""

from __future__ import annotations

from collections.abc import Callable

from protocol.events import EventHandlers, MemberRemoved, MessageCreated, Typing


class TypingTracker:
    """`tell` publishes the end of a typing that ended by itself. Times are the caller's clock."""

    def __init__(self, expire: float, tell: Callable[[Typing], None]) -> None:
        self.expire = expire
        self._publish = tell
        self._typing: dict[tuple[int, int], tuple[float, Typing]] = {}  # when they were last heard of, in that order

    def typing_changed(self, event: Typing, now: float) -> None:
        """Somebody said that they write, or that they stopped."""
        key = (event.conversation.number, event.user.number)
        self._typing.pop(key, None)
        if event.on and self.expire:
            self._typing[key] = (now, event)

    @property
    def follows(self) -> EventHandlers:
        """Sending ends the writing; so does being removed."""
        return {MessageCreated: self._sent, MemberRemoved: self._removed}

    def _sent(self, event: MessageCreated) -> None:
        if self._typing:
            self._end((event.message.conversation.number, event.message.sender.ref.number))

    def _removed(self, event: MemberRemoved) -> None:
        self._typing.pop((event.conversation.number, event.user.number), None)

    def user_disconnected(self, user: int) -> None:
        """The user's last socket closed."""
        for key in [key for key in self._typing if key[1] == user]:
            self._end(key)

    def sweep(self, now: float) -> None:
        """End what has been silent for too long."""
        while self._typing and self.expire:
            key, (heard, _) = next(iter(self._typing.items()))
            if heard + self.expire > now:
                return
            self._end(key)

    def _end(self, key: tuple[int, int]) -> None:
        found = self._typing.pop(key, None)
        if found is not None:
            self._publish(Typing(found[1].conversation, found[1].user, False))
