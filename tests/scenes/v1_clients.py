"""Clients of `v1`, over both framings and REST, for its scenes."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias
from urllib.parse import quote, urlencode

import pytest

from protocol.dialects.grammar import CallRow
from protocol.dialects.v1.calls import CALLS
from tests.scenes.chat_server import ChatServer, RegisteredUser
from tests.scenes.clients import Client, Framing, open_client

QUIET_EVENTS = ("unread.changed", "presence.changed", "notification.counted", "notification.created")


class V1:
    """A user of `v1`, with one connection."""

    def __init__(self, user: RegisteredUser, client: Client) -> None:
        self.user = user
        self.client = client
        self.id = user.id

    async def asks(self, call: str, fields: dict[str, Any]) -> Any:
        """Send a call; its ack."""
        return await self.client.asks(call, fields)

    async def does(self, call: str, **fields: Any) -> Any:
        """Send a call that must succeed; its data."""
        answer = await self.asks(call, fields)
        assert answer["ok"] is True, (call, fields, answer)
        return answer["data"]

    async def fails(self, call: str, **fields: Any) -> tuple[str, str | None]:
        """Send a call that must fail; the code and the field of its error."""
        answer = await self.asks(call, fields)
        assert answer["ok"] is False, (call, fields, answer)
        return answer["error"]["code"], answer["error"]["field"]

    async def receives(self, event: str) -> Any:
        return await self.client.receives(event)

    async def receives_nothing(self) -> None:
        await self.client.receives_nothing()

    async def forgets(self) -> None:
        """Drop everything that was received until now."""
        await self.client.settles()
        await self.client.receives_all()

    async def group(self, *others: V1, **fields: Any) -> int:
        """A new group with others; its id. Everybody has received it."""
        made = await self.does("conversation.create", type="group", memberIds=[one.id for one in others], **fields)
        for one in (self, *others):
            assert (await one.receives("conversation.created"))["id"] == made["id"]
        id: int = made["id"]
        return id


class RestV1(V1):
    """A user of `v1` who sends calls over REST, and receives events over a WebSocket."""

    async def asks(self, call: str, fields: dict[str, Any]) -> Any:
        row = ROUTES.get(call)
        if row is None:
            return await super().asks(call, fields)
        path, rest = row.path, dict(fields)
        for name in [name for name in fields if f"{{{name}}}" in path]:
            path = path.replace(f"{{{name}}}", quote(str(rest.pop(name)), safe=""))
        if row.method == "GET" and rest:
            path, rest = f"{path}?{urlencode({name: in_query(value) for name, value in rest.items()})}", {}
        body = None if row.method in ("GET", "DELETE") else rest
        status, said, _ = await self.user.rest.ask(str(row.method), path, body, token=self.user.token)
        await self.client.settles()
        if status < 300:
            assert status == (204 if said is None else row.status), (call, status)
            return {"ok": True, "data": said}
        return {"ok": False, "error": {**said, "field": said.get("field")}}


ROUTES: dict[str, CallRow] = {row.name: row for row in CALLS if row.method is not None}


def in_query(value: Any) -> str:
    """A value as it stands in the query of a URL."""
    if isinstance(value, list):
        return ",".join(str(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


Wire: TypeAlias = Literal["jsonrpc", "socketio", "rest"]
every_wire = pytest.mark.parametrize("framing", ["jsonrpc", "socketio", "rest"])


async def v1(server: ChatServer, framing: Wire, *names: str, ignoring: tuple[str, ...] = QUIET_EVENTS) -> list[V1]:
    """Registered users with a connection each. They have received what a new connection receives."""
    users = [await server.register(name) for name in names]
    found = [await connect(server, framing, user, ignoring=ignoring) for user in users]
    for one in found:
        await one.forgets()
    return found


async def connect(
    server: ChatServer, framing: Wire, user: RegisteredUser, *, ignoring: tuple[str, ...] = QUIET_EVENTS
) -> V1:
    """One more connection of a user."""
    over: Framing = "jsonrpc" if framing == "rest" else framing
    kind = RestV1 if framing == "rest" else V1
    return kind(user, await open_client(server, over, "v1", user, "/v1", ignoring=ignoring))
