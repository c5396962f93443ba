"""Presence: users who share a conversation receive who is online and who is offline, in `kebab`."""

from __future__ import annotations

from pathlib import Path

from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.clients import Client, Framing, both_framings, open_client
from tests.scenes.test_colon_chat import group


async def device(server: ChatServer, framing: Framing, who: RegisteredUser) -> Client:
    return await open_client(server, framing, "kebab", who)


@both_framings
async def test_peers_are_notified_of_the_first_socket_and_of_the_last(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path, presence__grace="0.3") as server:
        romeo, juliet, tybalt = [await server.register(name) for name in ("romeo", "juliet", "tybalt")]
        await group(romeo, juliet)
        r, t = await device(server, framing, romeo), await device(server, framing, tybalt)
        phone = await device(server, framing, juliet)
        assert await r.receives("user:online") == {"userId": juliet.id}
        assert await phone.receives("user:online") == {"userId": romeo.id}
        laptop = await open_client(server, framing, "colon", juliet, ignoring=("unread:count",))
        again = await device(server, framing, romeo)
        assert await again.receives("user:online") == {"userId": juliet.id}
        await phone.leaves()
        await r.receives_nothing()
        await laptop.leaves()
        for client in (r, again):
            assert await client.receives("user:offline") == {"userId": juliet.id}
        for client in (r, again, t):
            await client.receives_nothing()


@both_framings
async def test_a_reload_does_not_flicker(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path, presence__grace="30") as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        r = await device(server, framing, romeo)
        j = await device(server, framing, juliet)
        assert await r.receives("user:online") == {"userId": juliet.id}
        await j.leaves()
        await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": "Wait"}, status=201)
        j = await device(server, framing, juliet)
        assert await j.receives("user:online") == {"userId": romeo.id}
        await r.receives_nothing()
        assert (await juliet.asks("GET", "/unread"))["total"] == 1


async def test_a_new_peer_receives_the_next_change(tmp_path: Path) -> None:
    async with chat_server(tmp_path, presence__grace="0") as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        r, j = await device(server, "jsonrpc", romeo), await device(server, "jsonrpc", juliet)
        await group(romeo, juliet)
        await r.receives_nothing()
        await j.leaves()
        assert await r.receives("user:offline") == {"userId": juliet.id}


async def test_no_user_is_online_after_a_restart(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        await group(romeo, juliet)
        await device(server, "jsonrpc", romeo)
    async with chat_server(tmp_path) as server:
        j = await device(server, "jsonrpc", juliet)
        await j.receives_nothing()
        await device(server, "jsonrpc", romeo)
        assert await j.receives("user:online") == {"userId": romeo.id}


async def test_typing_ends_with_the_last_socket_and_by_itself(tmp_path: Path) -> None:
    async with chat_server(tmp_path, typing__expire="0.2") as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        where = {"conversationId": await group(romeo, juliet)}
        ignoring = ("unread:count",)
        j, r = (
            await open_client(server, "jsonrpc", "colon", juliet, ignoring=ignoring),
            await open_client(server, "jsonrpc", "colon", romeo, ignoring=ignoring),
        )
        for client in (j, r):
            await client.asks("conversation:join", where)
        await r.notifies("typing", {**where, "isTyping": True})
        typing = {**where, "userId": romeo.id, "isTyping": True}
        assert await j.receives("typing") == typing
        assert await j.receives("typing") == {**typing, "isTyping": False}
