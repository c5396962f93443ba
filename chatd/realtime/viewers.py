"""Viewers: which users have a socket in which conversation's room.

The store keeps between which messages that was (chatd/store/queries/view_intervals.py). An interval begins when the
first socket of a user enters, and ends when the last one leaves. A change names its message, so it need not be written
at once. One unit writes all changes, before the next command that uses the store (`flush`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import outcome

from chatd.realtime.event_bus import EventBus
from chatd.store.queries import view_intervals
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import Transaction
from protocol.errors import Refusal
from protocol.events import JOINED, Audience, MessageCreated

MAX_UNWRITTEN_CHANGES = 20_000  # at most so many are kept while the store can't be written to


class ViewChange(NamedTuple):
    """The first socket of a user entered a room, or the last one left; and the last message published by then."""

    conversation: int
    user: int
    entered: bool
    last_message: int


class Viewer:
    """A user in a room: the number of sockets, and the last message before the first of them entered."""

    __slots__ = ("since", "sockets")

    def __init__(self, since: int) -> None:
        self.since = since
        self.sockets = 0


class Viewers:
    """All viewers, and the changes that the store does not know yet. `on_change` is called after each change."""

    def __init__(self, database: Database, bus: EventBus, on_change: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._on_change = on_change
        self._rooms: dict[tuple[int, int], Viewer] = {}
        self._changes: list[ViewChange] = []
        self.last_message = 0
        """The last message that was published."""
        bus.after(MessageCreated, self._sent)

    async def begin(self) -> None:
        """End the intervals that a killed server left open. Call it once, before any connection."""
        self.last_message = await self._database.write(_begin)

    def room_changed(self, user: int, place: Audience, entered: bool) -> None:
        """A subscriber of the user has entered a room or left it."""
        if place[0] != JOINED:
            return
        key = (place[1], user)
        viewer = self._rooms.get(key)
        if viewer is None:
            viewer = self._rooms[key] = Viewer(self.last_message)
            self._changes.append(ViewChange(*key, True, self.last_message))
            self._on_change()
        viewer.sockets += 1 if entered else -1
        if not viewer.sockets:
            del self._rooms[key]
            self._changes.append(ViewChange(*key, False, self.last_message))
            self._on_change()

    @property
    def has_changes(self) -> bool:
        """Whether changes wait to be written."""
        return bool(self._changes)

    def _sent(self, event: MessageCreated) -> None:
        self.last_message = event.message.ref.number

    def viewing_since(self, conversation: int, user: int) -> int | None:
        """After which message the user began to view the conversation; None if the user does not view it."""
        viewer = self._rooms.get((conversation, user))
        return None if viewer is None else viewer.since

    def flush(self) -> None:
        """Submit all unwritten changes to the store, so that they are written before all later units."""
        if self._changes:
            changes, self._changes = self._changes, []
            try:
                self._database.submit(partial(_write, changes=changes), partial(self._written, changes))
            except Refusal:  # too many wait, or the store is closing
                self._keep(changes)

    def _written(self, changes: list[ViewChange], done: outcome.Outcome[Any]) -> None:
        if isinstance(done, outcome.Error):
            self._keep(changes)

    def _keep(self, changes: list[ViewChange]) -> None:
        """Keep changes that could not be written for the next flush."""
        self._changes = [*changes, *self._changes][-MAX_UNWRITTEN_CHANGES:]
        self._on_change()


def _begin(tx: Transaction) -> int:
    view_intervals.end_all(tx)
    return tx.sequences["messages"]


def _write(tx: Transaction, changes: list[ViewChange]) -> None:
    for conversation, user, entered, last in changes:
        (view_intervals.begin if entered else view_intervals.end)(tx, conversation, user, last)
