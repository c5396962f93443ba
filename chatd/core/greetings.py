"""Greetings: the state that a client receives when it connects, before the first change of that state.

    unread counts         from memory, at once
    presence              which peers are online, from memory, at once
    notification count    from the store, a moment later

Which of them a client receives is the dialect's choice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from chatd.core.dispatch import Answer, Dispatch
from chatd.realtime.online_users import OnlineUsers
from chatd.realtime.presence import PresenceTracker
from chatd.services.context import Actor, Completed
from protocol import commands as ask
from protocol.errors import Refusal
from protocol.events import Event, NotificationCounted, PresenceChanged, UnreadChanged

SendEvent: TypeAlias = Callable[[Event], None]


class Greetings:
    """One table: event type → the function that sends the present state as such events."""

    def __init__(self, dispatch: Dispatch, online_users: OnlineUsers, presence: PresenceTracker) -> None:
        self._dispatch = dispatch
        self._online_users = online_users
        self._presence = presence
        self._table: dict[type[Event], Callable[[Actor, SendEvent], None]] = {
            UnreadChanged: self._unread,
            PresenceChanged: self._peers_online,
            NotificationCounted: self._notification_count,
        }

    def greet(self, kind: type[Event], actor: Actor, send: SendEvent) -> None:
        """Send the present state of one kind, at once or in a moment."""
        greeting = self._table.get(kind)
        if greeting is not None:
            greeting(actor, send)

    def _unread(self, actor: Actor, send: SendEvent) -> None:
        if counts := self._online_users.unread(actor.id):
            send(counts)

    def _peers_online(self, actor: Actor, send: SendEvent) -> None:
        for event in self._presence.online_among(sorted(self._online_users.peers(actor.id))):
            send(event)

    def _notification_count(self, actor: Actor, send: SendEvent) -> None:
        def counted(answer: Answer) -> None:
            if isinstance(answer, Completed):
                send(answer.result)

        with suppress(Refusal):  # too many units wait for the store: the client receives the count at its next change
            self._dispatch.perform(actor, ask.CountNotifications(), counted)
