"""Typing: which users type in which conversation, until they stop, send, leave or send no event for a while."""

from __future__ import annotations

from collections.abc import Callable

import trio

from chatd.config.settings import Config
from chatd.realtime.event_bus import EventBus
from protocol.events import MemberRemoved, MessageCreated, Typing


class TypingTracker:
    """`publish` publishes the end of a typing that the user did not end; `on_typing` is called when a user types.

    Times are of the caller's clock.
    """

    def __init__(
        self,
        config: Config,
        publish: Callable[[Typing], None],
        bus: EventBus,
        on_typing: Callable[[], None] = lambda: None,
    ) -> None:
        self.expire = config.typing.expire
        self._publish = publish
        self._on_typing = on_typing
        self._typing: dict[tuple[int, int], tuple[float, Typing]] = {}  # when they were last since of, in that order
        bus.after(Typing, lambda event: self.typing_changed(event, trio.current_time()))
        bus.after(MessageCreated, self._sent)
        bus.after(MemberRemoved, self._removed)

    def adopt(self, config: Config) -> None:
        """Use another time, also for users who are typing now."""
        self.expire = config.typing.expire

    def typing_changed(self, event: Typing, now: float) -> None:
        """A user types, or has stopped."""
        key = (event.conversation.number, event.user.number)
        self._typing.pop(key, None)
        if event.on and self.expire:
            self._typing[key] = (now, event)
            self._on_typing()

    @property
    def is_active(self) -> bool:
        """Whether any user types."""
        return bool(self._typing)

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
        """End each typing whose last event is too old."""
        while self._typing and self.expire:
            key, (since, _) = next(iter(self._typing.items()))
            if since + self.expire > now:
                return
            self._end(key)

    def _end(self, key: tuple[int, int]) -> None:
        found = self._typing.pop(key, None)
        if found is not None:
            self._publish(Typing(found[1].conversation, found[1].user, False))
