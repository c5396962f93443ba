"""The remover: removes the content of deleted conversations in small steps, between the writes of clients.

It begins with what a stopped or killed server has left. After each step it pauses PAUSE_FACTOR times as long as the
step took. So most of the writer's time is left to clients, also when there is much to remove.
"""

from __future__ import annotations

from functools import partial

import trio

from chatd.realtime.event_bus import EventBus
from chatd.store.queries import removals
from chatd.store.sqlite.database import Database
from protocol.errors import Refusal
from protocol.events import ConversationDeleted

STEP_ROWS = 250
MIN_PAUSE_SECONDS, PAUSE_FACTOR = 0.02, 4
RETRY_SECONDS = 10.0  # after a step that could not be written


class Remover:
    """Removes the content of deleted conversations, for as long as the server runs."""

    def __init__(self, database: Database, bus: EventBus) -> None:
        self._database = database
        self._has_work = trio.Event()
        bus.after(ConversationDeleted, self._conversation_deleted)

    def _conversation_deleted(self, event: ConversationDeleted) -> None:
        self._has_work.set()

    async def run(self) -> None:
        while True:
            self._has_work = trio.Event()
            await self.remove_all()
            await self._has_work.wait()

    async def remove_all(self) -> None:
        """Remove the content of every conversation that is deleted by now."""
        more = True
        while more:
            began = trio.current_time()
            try:
                more = await self._database.write(partial(removals.step, limit=STEP_ROWS))
            except Refusal:
                await trio.sleep(RETRY_SECONDS)
                continue
            await trio.sleep(max(MIN_PAUSE_SECONDS, PAUSE_FACTOR * (trio.current_time() - began)))
