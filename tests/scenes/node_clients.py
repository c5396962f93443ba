"""Clients with the stock client of Socket.IO in Node: one Node process for all clients of a scene."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio

from tests.needs import NODE_FOLDER, node
from tests.scenes.chat_server import TIMEOUT


class NodeClient:
    """One socket of the stock client. Events wait in order; everything else is taken by its kind."""

    def __init__(self, node_clients: NodeProcess, name: str) -> None:
        self._process = node_clients
        self.name = name
        self.received: list[dict[str, Any]] = []

    async def _take(self, kind: str) -> dict[str, Any]:
        """The first report of a kind; the others stay."""
        with trio.fail_after(TIMEOUT):
            while True:
                for index, line in enumerate(self.received):
                    if line["kind"] == kind:
                        return self.received.pop(index)
                await self._process.listen()

    async def connects(self) -> dict[str, Any]:
        return await self._take("connect")

    async def upgrades(self) -> None:
        await self._take("upgrade")

    async def is_refused(self) -> tuple[str, Any]:
        """The content of a CONNECT_ERROR."""
        line = await self._take("connect_error")
        return line["message"], line.get("data")

    async def disconnects(self) -> str:
        """Wait for `disconnect`; its reason."""
        reason: str = (await self._take("disconnect"))["reason"]
        return reason

    async def asks(self, event: str, *args: Any) -> Any:
        """Emit, and wait for the acknowledgement: its first argument."""
        number = self._process.number()
        await self._process.say("emit", name=self.name, event=event, args=args, ack=number)
        line = await self._take("ack")
        assert line["ack"] == number
        return line["args"][0] if line["args"] else None

    async def notifies(self, event: str, *args: Any) -> None:
        await self._process.say("emit", name=self.name, event=event, args=args)

    async def receives(self, event: str) -> Any:
        """The only argument of the next event, which must have that name."""
        line = await self._take("event")
        assert line["event"] == event, f"expected {event}, received {line}"
        assert len(line["args"]) == 1
        return line["args"][0]

    async def receives_named(self, event: str, count: int) -> list[list[Any]]:
        """The next events of that name, each with all its arguments. Other events stay."""
        found: list[list[Any]] = []
        with trio.fail_after(TIMEOUT):
            while True:
                others = []
                for line in self.received:
                    if len(found) < count and line["kind"] == "event" and line["event"] == event:
                        found.append(line["args"])
                    else:
                        others.append(line)
                self.received = others
                if len(found) == count:
                    return found
                await self._process.listen()

    async def reconnects(self) -> None:
        await self._process.say("open_again", name=self.name)

    async def leaves(self) -> None:
        await self._process.say("close", name=self.name)

    async def is_cut_off(self) -> None:
        await self._process.say("cut", name=self.name)


class NodeProcess:
    """All clients of a scene, and their Node process."""

    def __init__(self, process: trio.Process, address: str) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in = process.stdin
        self._out = process.stdout
        self._address = address
        self._clients: dict[str, NodeClient] = {}
        self._rest = b""
        self._number = 0

    def number(self) -> int:
        self._number += 1
        return self._number

    async def say(self, act: str, **fields: Any) -> None:
        await self._in.send_all(json.dumps({"act": act, **fields}).encode() + b"\n")

    async def listen(self) -> None:
        """Take the next report, for any client."""
        data = await self._out.receive_some()
        assert data, "Node has gone"
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            said = json.loads(line)
            self._clients[said["name"]].received.append(said)

    async def opens(self, name: str, path: str = "/chat", *, version: int = 4, **options: Any) -> NodeClient:
        client = self._clients[name] = NodeClient(self, name)
        await self.say("open", name=name, version=version, url=f"http://{self._address}{path}", options=options)
        return client


@asynccontextmanager
async def node_clients(address: str) -> AsyncIterator[NodeProcess]:
    """A Node process for the length of a scene."""
    process = await trio.lowlevel.open_process(
        [node(), "clients.js"], cwd=NODE_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield NodeProcess(process, address)
    finally:
        with trio.CancelScope(shield=True):
            process.kill()
            await process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    await stream.aclose()
