"""The remover: empties deleted conversations in small steps between the writes of others.

It begins with what a server that was stopped or killed has left. Between two steps it rests SHARE times as long as the
step took, so that however much there is to remove, most of the writer's time is left to others.
"""

from __future__ import annotations

from functools import partial

import trio

from chatd.store.queries import removals
from chatd.store.sqlite.database import Database
from protocol.errors import Refusal
from protocol.events import ConversationDeleted, EventHandlers

STEP_ROWS = 250
PAUSE_SECONDS, SHARE = 0.02, 4
RETRY_SECONDS = 10.0  # when nothing can be written


class Remover:
    """Removes the content of deleted conversations, for as long as the server runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._work = trio.Event()

    @property
    def follows(self) -> EventHandlers:
        return {ConversationDeleted: lambda event: self._work.set()}

    async def run(self) -> None:
        while True:
            self._work = trio.Event()
            await self.remove_all()
            await self._work.wait()

    async def remove_all(self) -> None:
        """Remove everything that is to be removed by now."""
        more = True
        while more:
            began = trio.current_time()
            try:
                more = await self._database.write(partial(removals.step, limit=STEP_ROWS))
            except Refusal:
                await trio.sleep(RETRY_SECONDS)
                continue
            await trio.sleep(max(PAUSE_SECONDS, SHARE * (trio.current_time() - began)))
