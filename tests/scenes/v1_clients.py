"""Clients of `v1`, over both framings, for its scenes."""

from __future__ import annotations

from typing import Any

from tests.scenes.chat_server import ChatServer, RegisteredUser
from tests.scenes.clients import Client, Framing, open_client

QUIET_EVENTS = ("unread.changed", "presence.changed", "notification.counted", "notification.created")


class V1:
    """A user of `v1`, with one connection."""

    def __init__(self, user: RegisteredUser, client: Client) -> None:
        self.user = user
        self.client = client
        self.id = user.id

    async def does(self, call: str, **fields: Any) -> Any:
        """Send a call that must succeed; its data."""
        answer = await self.client.asks(call, fields)
        assert answer["ok"] is True, (call, fields, answer)
        return answer["data"]

    async def fails(self, call: str, **fields: Any) -> tuple[str, str | None]:
        """Send a call that must fail; the code and the field of its error."""
        answer = await self.client.asks(call, fields)
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


async def v1(server: ChatServer, framing: Framing, *names: str, ignoring: tuple[str, ...] = QUIET_EVENTS) -> list[V1]:
    """Registered users with a connection each. They have received what a new connection receives."""
    users = [await server.register(name) for name in names]
    found = [V1(user, await open_client(server, framing, "v1", user, "/v1", ignoring=ignoring)) for user in users]
    for one in found:
        await one.forgets()
    return found
