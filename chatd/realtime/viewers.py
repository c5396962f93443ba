"""Watchers: who has a socket in which conversation's room. The store is told when the first comes and the last goes.

What is told is between which messages that was (chatd/store/queries/view_intervals.py); since these are named, it
matters little when it is written: before the next thing that is asked of the store (`flush`), and all that has gathered
in one unit.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import outcome

from chatd.store.queries import view_intervals
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import Transaction
from protocol.errors import Refusal
from protocol.events import JOINED, Audience, EventHandlers, MessageCreated

MAX_UNWRITTEN_CHANGES = 20_000  # moves that are kept while the store can't be written to


class ViewChange(NamedTuple):
    """The first socket of a user came into a room, or the last one went; and the last message told by then."""

    conversation: int
    user: int
    entered: bool
    last_message: int


class Viewer:
    """A user in a room: with how many sockets, and since after which message."""

    __slots__ = ("since", "sockets")

    def __init__(self, since: int) -> None:
        self.since = since
        self.sockets = 0


class Viewers:
    """See above."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rooms: dict[tuple[int, int], Viewer] = {}
        self._changes: list[ViewChange] = []
        self.last_message = 0
        """The last message that was told."""

    async def begin(self) -> None:
        """At the start nobody watches anything."""
        self.last_message = await self._database.write(_begin)

    def room_changed(self, user: int, place: Audience, came: bool) -> None:
        """A seat has come into a room or gone from it."""
        if place[0] != JOINED:
            return
        key = (place[1], user)
        watcher = self._rooms.get(key)
        if watcher is None:
            watcher = self._rooms[key] = Viewer(self.last_message)
            self._changes.append(ViewChange(*key, True, self.last_message))
        watcher.sockets += 1 if came else -1
        if not watcher.sockets:
            del self._rooms[key]
            self._changes.append(ViewChange(*key, False, self.last_message))

    @property
    def follows(self) -> EventHandlers:
        return {MessageCreated: self._sent}

    def _sent(self, event: MessageCreated) -> None:
        self.last_message = event.message.ref.number

    def viewing_since(self, conversation: int, user: int) -> int | None:
        """After which message somebody began to watch; None if they don't."""
        watcher = self._rooms.get((conversation, user))
        return None if watcher is None else watcher.since

    def flush(self) -> None:
        """Have the store told what it does not know yet, before anything that is submitted later."""
        if self._changes:
            moves, self._changes = self._changes, []
            try:
                self._database.submit(partial(_write, moves=moves), partial(self._written, moves))
            except Refusal:  # too many wait, or the store is closing
                self._keep(moves)

    def _written(self, moves: list[ViewChange], done: outcome.Outcome[Any]) -> None:
        if isinstance(done, outcome.Error):
            self._keep(moves)

    def _keep(self, moves: list[ViewChange]) -> None:
        """Not written: the next time, then."""
        self._changes = [*moves, *self._changes][-MAX_UNWRITTEN_CHANGES:]


def _begin(tx: Transaction) -> int:
    view_intervals.end_all(tx)
    return tx.sequences["messages"]


def _write(tx: Transaction, moves: list[ViewChange]) -> None:
    for conversation, user, came, last in moves:
        (view_intervals.begin if came else view_intervals.end)(tx, conversation, user, last)
