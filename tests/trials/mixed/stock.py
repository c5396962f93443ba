"""The stock client of Socket.IO in Node, as a listener."""

from __future__ import annotations

from typing import Any

import trio

from tests.outside.server import token
from tests.scenes.node_clients import NodeClient, NodeProcess
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

    client: NodeClient
    opened = False

    async def open(self, node_clients: NodeProcess, wire: str) -> None:
        self.wire = wire
        auth = {"token": token(self.user), "dialect": self.spoken.dialect, "recovery": True}
        options: dict[str, Any] = {"auth": auth, "transports": TRANSPORTS[wire], **AGAIN, "forceNew": True}
        self.client = await node_clients.opens(f"{self.user}", self.spoken.namespace, **options)
        self.node_clients = node_clients

    async def receive(self) -> None:
        """Take a report of Node."""
        lines, self.client.received = self.client.received, []
        for line in lines:
            match line["kind"]:
                case "connect":
                    await self._connected(recovered=line["recovered"])
                case "disconnect":
                    self.inside = False
                    if line["reason"] == "io server disconnect":
                        await self.client.reconnects()
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
            await self.node_clients.say("emit", name=self.client.name, event=event, args=[params], ack=JOINED)


async def listen(node_clients: NodeProcess, listeners: list[StockListener]) -> None:
    """Pass on the reports of Node, during the trial."""
    while True:
        await node_clients.listen()
        for listener in listeners:
            await listener.receive()
        await trio.lowlevel.checkpoint()
