"""A running server for the probes of live settings, with its clients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from chatd.server.main import RunningServer
from tests.outside.raw import Raw
from tests.scenes.chat_server import RegisteredUser, Rest


class LiveServer:
    """A running server, with what the probes need."""

    def __init__(self, running: RunningServer) -> None:
        self.running = running
        self.address = running.front.addresses[0]
        self.rest = Rest(f"http://{self.address}")
        self.users: dict[str, RegisteredUser] = {}

    async def register(self, name: str) -> RegisteredUser:
        if name not in self.users:
            account = {"username": name, "password": "correct horse"}
            status, said, _ = await self.rest.ask("POST", "/auth/register", account)
            assert status == 201, said
            self.users[name] = RegisteredUser(self.rest, said)
        return self.users[name]

    async def group(self) -> str:
        made = await (await self.register("ann")).asks("POST", "/conversations", {"type": "group", "participants": []})
        return str(made["_id"])

    async def sends(self, talk: str, content: str = "hello", **more: Any) -> int:
        ann = await self.register("ann")
        path, body = f"/conversations/{talk}/messages", {"content": content, **more}
        return (await self.rest.ask("POST", path, body, token=ann.token))[0]

    @asynccontextmanager
    async def raw(self, data: bytes = b"") -> AsyncIterator[Raw]:
        async with await Raw.connect(self.address) as connection:
            await connection.send(data)
            yield connection

    @asynccontextmanager
    async def socket(self, *, token: bool = True) -> AsyncIterator[Raw]:
        shown = (await self.register("ann")).token if token else ""
        async with await Raw.open(self.address, shown) as connection:
            yield connection
