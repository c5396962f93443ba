"""Typists: who is writing where, until they stop, send, leave or fall silent."""

from __future__ import annotations

from collections.abc import Callable

from protocol.events import Follows, MemberRemoved, MessageCreated, Typing


class Typists:
    """`tell` publishes the end of a typing that ended by itself. Times are the caller's clock."""

    def __init__(self, expire: float, tell: Callable[[Typing], None]) -> None:
        self.expire = expire
        self._tell = tell
        self._writing: dict[tuple[int, int], tuple[float, Typing]] = {}  # when they were last heard of, in that order

    def heard(self, event: Typing, now: float) -> None:
        """Somebody said that they write, or that they stopped."""
        key = (event.conversation.number, event.user.number)
        self._writing.pop(key, None)
        if event.on and self.expire:
            self._writing[key] = (now, event)

    @property
    def follows(self) -> Follows:
        """Sending ends the writing; so does being removed."""
        return {MessageCreated: self._sent, MemberRemoved: self._removed}

    def _sent(self, event: MessageCreated) -> None:
        if self._writing:
            self._end((event.message.conversation.number, event.message.sender.ref.number))

    def _removed(self, event: MemberRemoved) -> None:
        self._writing.pop((event.conversation.number, event.user.number), None)

    def left(self, user: int) -> None:
        """The user's last socket closed."""
        for key in [key for key in self._writing if key[1] == user]:
            self._end(key)

    def sweep(self, now: float) -> None:
        """End what has been silent for too long."""
        while self._writing and self.expire:
            key, (heard, _) = next(iter(self._writing.items()))
            if heard + self.expire > now:
                return
            self._end(key)

    def _end(self, key: tuple[int, int]) -> None:
        found = self._writing.pop(key, None)
        if found is not None:
            self._tell(Typing(found[1].conversation, found[1].user, False))
