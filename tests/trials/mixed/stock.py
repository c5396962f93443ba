"""The stock client of Socket.IO in Node, as a listener."""

from __future__ import annotations

from typing import Any

import trio

from tests.outside.server import token
from tests.scenes.troupe import IoPlayer, Troupe
from tests.trials.mixed.listeners import Listener

TRANSPORTS = {
    "Socket.IO, WebSocket": ["websocket"],
    "Socket.IO, polling": ["polling"],
    "Socket.IO, moving": ["polling", "websocket"],
}
AGAIN = {"reconnectionDelay": 50, "reconnectionDelayMax": 200}
JOINED = 1


class StockListener(Listener):
    """One socket of the stock client, which reconnects by itself. `listen` serves all sockets of a Node process."""

    player: IoPlayer
    opened = False

    async def open(self, troupe: Troupe, wire: str) -> None:
        self.wire = wire
        auth = {"token": token(self.user), "dialect": self.spoken.dialect, "recovery": True}
        options: dict[str, Any] = {"auth": auth, "transports": TRANSPORTS[wire], **AGAIN, "forceNew": True}
        self.player = await troupe.opens(f"{self.user}", self.spoken.namespace, **options)
        self.troupe = troupe

    async def hear(self) -> None:
        """Take a report of Node."""
        lines, self.player.heard = self.player.heard, []
        for line in lines:
            match line["kind"]:
                case "connect":
                    await self._connected(recovered=line["recovered"])
                case "disconnect":
                    self.inside = False
                    if line["reason"] == "io server disconnect":
                        await self.player.comes_again()
                case "ack":
                    self.opened = self.inside = True
                case "event":
                    self.take(line["event"], line["args"][0])

    async def _connected(self, *, recovered: bool) -> None:
        if self.opened and not recovered:
            self.gaps.append("not recovered")
        if recovered or self.spoken.join is None:
            self.opened = self.inside = True
        else:
            event, params = self.spoken.join(self.room, self.user)
            await self.troupe.say("emit", name=self.player.name, event=event, args=[params], ack=JOINED)


async def listen(troupe: Troupe, listeners: list[StockListener]) -> None:
    """Pass on the reports of Node, during the trial."""
    while True:
        await troupe.listen()
        for listener in listeners:
            await listener.hear()
        await trio.lowlevel.checkpoint()
