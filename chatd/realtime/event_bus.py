"""The event bus: what the server does because of an event, apart from sending it to clients.

    before     handlers that must run before clients receive the event: a new member is in the room first
    delivery   the broker sends the event to clients; long polls that wait for it are woken
    after      handlers of everything that follows: unread counts, typing, evictions, notifications

Each phase is one table, event type → handlers. Parts of the server subscribe when they are built. The handlers of one
event type run in that order. Everything is synchronous.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from chatd.realtime.broker import Broker
from chatd.realtime.event_waiters import EventWaiters
from chatd.telemetry.metrics import EVENTS, Child
from protocol.events import Event

Handler: TypeAlias = Callable[[Any], None]
HandlerTable: TypeAlias = dict[type[Event], list[Handler]]


class EventBus:
    """The two tables of handlers."""

    def __init__(self) -> None:
        self.handlers_before: HandlerTable = {}
        self.handlers_after: HandlerTable = {}

    def before(self, kind: type[Event], handler: Handler) -> None:
        """Call the handler with each event of that type, before clients receive the event."""
        self.handlers_before.setdefault(kind, []).append(handler)

    def after(self, kind: type[Event], handler: Handler) -> None:
        """Call the handler with each event of that type, after the event has been handed to the broker."""
        self.handlers_after.setdefault(kind, []).append(handler)


class Publisher:
    """Publishes events: runs the handlers of both phases, with the delivery between them."""

    def __init__(self, bus: EventBus, broker: Broker, event_waiters: EventWaiters) -> None:
        self._before = bus.handlers_before
        self._after = bus.handlers_after
        self._broker = broker
        self._event_waiters = event_waiters

    def publish(self, event: Event, position: int | None = None) -> None:
        """Publish an event. A durable event has the position of its commit; all others have none."""
        kind = type(event)
        for handler in self._before.get(kind, ()):
            handler(event)
        self._broker.publish(event, position)
        _counter(kind).value += 1
        if position is not None and self._event_waiters:
            self._event_waiters.wake(event)
        for handler in self._after.get(kind, ()):
            handler(event)


@cache
def _counter(kind: type[Event]) -> Child:
    return EVENTS.child(kind.__name__)
