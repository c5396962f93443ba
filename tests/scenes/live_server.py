"""A running server for the probes of live settings, with its clients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from chatd.server.main import RunningServer
from tests.outside.raw import Raw
from tests.scenes.stage import Person, Rest


class On:
    """A running server, with what the probes need."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.address = server.front.addresses[0]
        self.rest = Rest(f"http://{self.address}")
        self.people: dict[str, Person] = {}

    async def person(self, name: str) -> Person:
        if name not in self.people:
            account = {"username": name, "password": "correct horse"}
            status, said, _ = await self.rest.ask("POST", "/auth/register", account)
            assert status == 201, said
            self.people[name] = Person(self.rest, said)
        return self.people[name]

    async def group(self) -> str:
        made = await (await self.person("ann")).asks("POST", "/conversations", {"type": "group", "participants": []})
        return str(made["_id"])

    async def sends(self, talk: str, content: str = "hello", **more: Any) -> int:
        ann = await self.person("ann")
        path, body = f"/conversations/{talk}/messages", {"content": content, **more}
        return (await self.rest.ask("POST", path, body, token=ann.token))[0]

    @asynccontextmanager
    async def raw(self, data: bytes = b"") -> AsyncIterator[Raw]:
        async with await Raw.connect(self.address) as connection:
            await connection.send(data)
            yield connection

    @asynccontextmanager
    async def socket(self, *, token: bool = True) -> AsyncIterator[Raw]:
        shown = (await self.person("ann")).token if token else ""
        async with await Raw.open(self.address, shown) as connection:
            yield connection
