"""Greetings: several events that are sent together on every connection. A client gets all of them, each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trio

from chatd.client import connect
from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.test_colon_chat import group


async def online_users(server: ChatServer, person: RegisteredUser, **options: Any) -> tuple[set[Any], Any]:
    """The users whom the Python client receives as online, and its mark."""
    online: set[Any] = set()
    async with connect(f"http://{server.address}", person.token, dialect="kebab", **options) as chat:
        with trio.fail_after(20):
            async for event in chat.events():
                if event.name == "user:online":
                    assert event.position is None
                    online.add(int(next(iter(event.data.values()))))
                if len(online) == 3:
                    return online, chat.mark
    return online, None


async def test_a_new_client_receives_every_user_who_is_online(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        juliet, *others = [await server.register(name) for name in ("juliet", "romeo", "tybalt", "nurse")]
        await group(juliet, *others)
        for other in others:
            await server.rpc(other)
        online, mark = await online_users(server, juliet)
        assert online == {other.id for other in others}
        assert (await online_users(server, juliet, resume=mark))[0] == online
