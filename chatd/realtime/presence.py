"""Presence: which users are online, from the first socket of any dialect and framing until `grace` after the last.

    offline ──first socket──→ online ──last socket──→ leaving ──grace is over──→ offline
              published         ↑                        │          published
                                └──────another socket────┘  not published: a reload of a page does not flicker

A change is published to the users who share a conversation. A user who becomes a peer later (by an addition to a group)
receives the next change. A client that connects receives which of its peers are online. Presence is kept in memory, so
no user is online after a restart.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from chatd.config.settings import Config
from protocol.events import PresenceChanged
from protocol.ids import Ref


class PresenceTracker:
    """`publish` publishes a change; `on_offline` is called after that with a user who is offline. Times are Trio's."""

    def __init__(
        self, config: Config, publish: Callable[[PresenceChanged], None], on_offline: Callable[[int], None]
    ) -> None:
        self.grace = config.presence.grace
        self._publish = publish
        self._on_offline = on_offline
        self._online: dict[int, Ref] = {}
        self._leaving: dict[int, float] = {}  # user → when the last socket closed, in that order
        self._has_leaving = trio.Event()
        self._grace_changed = trio.Event()

    def adopt(self, config: Config) -> None:
        """Use another grace, also for users who are leaving now."""
        self.grace = config.presence.grace
        self._grace_changed.set()

    def user_connected(self, user: Ref) -> None:
        """A user has one more socket."""
        self._leaving.pop(user.number, None)
        if user.number not in self._online:
            self._online[user.number] = user
            self._publish(PresenceChanged(user, True))

    def user_disconnected(self, user: int) -> None:
        """The last socket of a user has closed."""
        self._leaving[user] = trio.current_time()
        self._has_leaving.set()
        if not self.grace:
            self._end(user)

    def online_among(self, users: list[int]) -> list[PresenceChanged]:
        """One event for each of these users, if online."""
        return [PresenceChanged(self._online[user], True) for user in users if user in self._online]

    def _end(self, user: int) -> None:
        del self._leaving[user]
        ref = self._online.pop(user, None)
        if ref is not None:
            self._publish(PresenceChanged(ref, False))
        self._on_offline(user)

    async def run(self) -> None:
        """Make each absent user offline when the grace time is over. Run it as long as the server runs."""
        while True:
            await self._has_leaving.wait()
            if not self._leaving:
                self._has_leaving = trio.Event()
                continue
            user, left = next(iter(self._leaving.items()))
            if left + self.grace > trio.current_time():
                self._grace_changed = trio.Event()
                with trio.move_on_at(left + self.grace):
                    await self._grace_changed.wait()
            else:
                self._end(user)
