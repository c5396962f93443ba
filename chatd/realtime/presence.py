"""Presence: who is online. From the first socket, over all dialects and framings, until `grace` after the last.

    offline ──first socket──→ online ──last socket──→ leaving ──grace is over──→ offline
                 told           ↑                        │            told
                                └──────another socket────┘  not told: a reload does not flicker

It is told to those who share a conversation, and only when it changes: whoever becomes somebody's peer later (added
to a group) hears of the next change. A newcomer is told who of their peers is online when they come. All of it is in
memory, so nobody is online after a restart.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from chatd.config.settings import Config
from protocol.events import PresenceChanged
from protocol.ids import Ref


class PresenceTracker:
    """`tell` publishes a change; `gone` hears of whoever is offline, after that. Times are Trio's."""

    def __init__(
        self, config: Config, publish: Callable[[PresenceChanged], None], on_offline: Callable[[int], None]
    ) -> None:
        self.grace = config.presence.grace
        self._publish = publish
        self._on_offline = on_offline
        self._online: dict[int, Ref] = {}
        self._leaving: dict[int, float] = {}  # user → when the last socket closed, in that order
        self._work = trio.Event()
        self._other_grace = trio.Event()

    def adopt(self, config: Config) -> None:
        """Use another grace, also for users who are leaving now."""
        self.grace = config.presence.grace
        self._other_grace.set()

    def user_connected(self, user: Ref) -> None:
        """Somebody has a socket."""
        self._leaving.pop(user.number, None)
        if user.number not in self._online:
            self._online[user.number] = user
            self._publish(PresenceChanged(user, True))

    def user_disconnected(self, user: int) -> None:
        """Somebody has no socket any more."""
        self._leaving[user] = trio.current_time()
        self._work.set()
        if not self.grace:
            self._end(user)

    def online_among(self, users: list[int]) -> list[PresenceChanged]:
        """Who of these is online."""
        return [PresenceChanged(self._online[user], True) for user in users if user in self._online]

    def _end(self, user: int) -> None:
        del self._leaving[user]
        ref = self._online.pop(user, None)
        if ref is not None:
            self._publish(PresenceChanged(ref, False))
        self._on_offline(user)

    async def run(self) -> None:
        """See to it that whoever has left is offline when the grace is over."""
        while True:
            await self._work.wait()
            if not self._leaving:
                self._work = trio.Event()
                continue
            user, left = next(iter(self._leaving.items()))
            if left + self.grace > trio.current_time():
                self._other_grace = trio.Event()
                with trio.move_on_at(left + self.grace):
                    await self._other_grace.wait()
            else:
                self._end(user)
