"""The ticker: work that is done a moment later, four times a second while there is any. An idle server is not woken."""

from __future__ import annotations

from collections.abc import Callable

import trio

TICK_SECONDS = 0.25


class Ticker:
    """Calls its function TICK_SECONDS after `need`, and again as long as the function says that work is left."""

    def __init__(self) -> None:
        self._needed = trio.Event()

    def need(self) -> None:
        """There is work for the next tick."""
        self._needed.set()

    async def run(self, work: Callable[[float], bool]) -> None:
        """Tick for as long as the server runs. `work` gets the time, and returns whether work is left."""
        while True:
            await self._needed.wait()
            await trio.sleep(TICK_SECONDS)
            self._needed = trio.Event()
            if work(trio.current_time()):
                self._needed.set()
