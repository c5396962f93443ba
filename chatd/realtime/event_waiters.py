"""Long polls that wait for events: an event wakes the waiters of the users that it concerns, and no others.

A waiter is registered under its user and under each conversation of that user. An event costs a look-up for each of its
places, for any number of waiters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import trio

from protocol.events import EVERYONE, JOINED, MEMBERS, PEERS, USER, Audience, ConversationCreated, Event

Key: TypeAlias = tuple[str, int]

CONVERSATION = "conversation"
ALL: Key = (EVERYONE, 0)
KINDS = {JOINED: CONVERSATION, MEMBERS: CONVERSATION, USER: USER, PEERS: PEERS, EVERYONE: EVERYONE}
"""The kind of key for each kind of place. Nothing is registered under PEERS: what goes there is not durable."""


class EventWaiter:
    """One long poll that waits. `wakes` counts how often it was woken."""

    __slots__ = ("_woken", "keys", "user", "wakes")

    def __init__(self, user: int) -> None:
        self.user = user
        self.keys: tuple[Key, ...] = ()
        self.wakes = 0
        self._woken = trio.Event()

    def wake(self) -> None:
        if not self._woken.is_set():
            self.wakes += 1
            self._woken.set()

    async def wait(self) -> None:
        """Wait until `wake` is called, or return at once if that was before; then be ready for the next call."""
        await self._woken.wait()
        self._woken = trio.Event()


class EventWaiters:
    """All waiters, by the keys of the events that wake them."""

    def __init__(self) -> None:
        self._by_key: dict[Key, set[EventWaiter]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def register(self, waiter: EventWaiter, conversations: Iterable[int]) -> None:
        """Wake the waiter for events of its user and of these conversations. These replace the earlier ones."""
        self.remove(waiter)
        waiter.keys = (ALL, (USER, waiter.user), *((CONVERSATION, number) for number in conversations))
        for key in waiter.keys:
            self._by_key.setdefault(key, set()).add(waiter)

    def remove(self, waiter: EventWaiter) -> None:
        for key in waiter.keys:
            waiters = self._by_key[key]
            waiters.discard(waiter)
            if not waiters:
                del self._by_key[key]
        waiter.keys = ()

    def wake(self, event: Event) -> None:
        """Wake the waiters that a durable event concerns. The event has been published."""
        for key in _keys_of(event):
            for waiter in self._by_key.get(key, ()):
                waiter.wake()


def _keys_of(event: Event) -> set[Key]:
    places: tuple[Audience, ...] = event.audiences
    if type(event) is ConversationCreated and event.newcomer is None:  # its members cannot be registered for it yet
        places += tuple((USER, member.number) for member in event.conversation.members)
    return {(KINDS[kind], number) for kind, number in places}
