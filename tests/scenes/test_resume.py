"""Resuming: no event missed, none twice, in order; or the server says that it cannot resume."""

from __future__ import annotations

from pathlib import Path

import trio

from tests.scenes.chat_server import ChatServer, RegisteredUser, RpcClient, chat_server
from tests.scenes.test_colon_chat import group


async def back(server: ChatServer, who: RegisteredUser, client: RpcClient, **changes: str) -> RpcClient:
    """Reconnect the same client from its position."""
    where = {"epoch": client.ready["epoch"], "pos": str(client.position), "connection": client.ready["connection"]}
    where |= changes
    return await server.rpc(who, "/chat?" + "&".join(f"{key}={value}" for key, value in where.items() if value))


async def test_what_was_missed_comes_in_order_before_what_happens(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona, mantua = await group(romeo, juliet), await group(romeo, juliet)
        r, j = await server.rpc(romeo), await server.rpc(juliet)
        await j.receives("unread:count")
        await j.asks("conversation:join", {"conversationId": verona})
        first = (await r.asks("message:send", {"conversationId": verona, "content": "1"}))["data"]
        assert await j.receives("message:created") == first
        await j.is_cut_off()

        sent = [
            (await r.asks("message:send", {"conversationId": verona, "content": str(n)}))["data"] for n in range(2, 6)
        ]
        await r.asks("message:send", {"conversationId": mantua, "content": "not joined"})
        edited = (await r.asks("message:edit", {"messageId": sent[0]["_id"], "content": "two"}))["data"]
        await r.asks("message:delete", {"messageId": sent[1]["_id"]})

        again = await back(server, juliet, j)
        assert again.ready["recovered"] is True
        assert again.ready["pos"] == j.position
        assert await again.receives("message:created") == edited
        assert await again.receives("message:created") == sent[2]
        assert await again.receives("message:created") == sent[3]
        assert await again.receives("message:updated") == edited
        assert await again.receives("message:deleted") == {"messageId": sent[1]["_id"]}
        assert (await again.receives("unread:count"))["total"] == 5
        live = (await r.asks("message:send", {"conversationId": verona, "content": "live"}))["data"]
        assert await again.skips_to("message:created") == live

        third = await back(server, juliet, again)
        assert third.ready["recovered"] is True
        assert [name for name, _ in await third.receives_all()] == ["unread:count"]
        await r.asks("message:send", {"conversationId": verona, "content": "still joined"})
        assert (await third.skips_to("message:created"))["content"] == "still joined"


async def test_a_removed_member_receives_nothing_that_happened_later(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        r, j = await server.rpc(romeo), await server.rpc(juliet)
        await j.asks("conversation:join", {"conversationId": verona})
        await j.is_cut_off()
        await r.asks("message:send", {"conversationId": verona, "content": "a secret"})
        await r.asks("members:remove", {"conversationId": verona, "userId": juliet.id})
        await r.asks("message:send", {"conversationId": verona, "content": "another"})
        again = await back(server, juliet, j)
        assert again.ready["recovered"] is True
        assert await again.receives_all() == [
            ("members:removed", {"userId": juliet.id}),
            ("unread:count", {"total": 0, "byConversation": {}}),
        ]
        await r.asks("message:send", {"conversationId": verona, "content": "a third"})
        await again.receives_nothing()


async def test_a_wrong_place_is_told_plainly(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        r, j = await server.rpc(romeo), await server.rpc(juliet)
        await j.asks("conversation:join", {"conversationId": verona})
        for changes, reason in (
            ({"epoch": "00000000-0000-0000-0000-000000000000"}, "epoch"),
            ({"pos": "99999"}, "too_far"),
            ({"pos": "-1"}, "too_far"),
            ({"pos": "x"}, "too_far"),
        ):
            again = await back(server, juliet, j, **changes)
            assert (again.ready["recovered"], again.ready["reason"]) == (False, reason)
            await again.receives("unread:count")
        thief = await back(server, romeo, j)
        assert (thief.ready["recovered"], thief.ready["reason"]) == (False, "connection")
        await r.asks("message:send", {"conversationId": verona, "content": "!"})
        assert [name for name, _ in await thief.receives_all() if name == "message:created"] == []


async def test_coming_back_over_a_restart_while_others_send(tmp_path: Path) -> None:
    content = [str(number) for number in range(300)]
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        j = await server.rpc(juliet)
        await j.asks("conversation:join", {"conversationId": verona})
        r = await server.rpc(romeo)
        for number in content[:100]:
            await r.notifies("message:send", {"conversationId": verona, "content": number})
        received = [(await j.skips_to("message:created"))["content"] for _ in range(40)]
        j_position = 0
        await r.asks("rpc.ping")
        await j.is_cut_off()
        j_position = j.position
        for number in content[100:200]:
            await r.asks("message:send", {"conversationId": verona, "content": number})
    received += [message["params"]["content"] for message in j._received if message["method"] == "message:created"]
    async with chat_server(tmp_path) as server:
        r = await server.rpc(romeo)

        async def send_on() -> None:
            for number in content[200:]:
                await r.asks("message:send", {"conversationId": verona, "content": number})

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_on)
            again = await back(server, juliet, j, pos=str(j_position))
            assert again.ready["recovered"] is True
            while len(received) < len(content):
                received.append((await again.skips_to("message:created"))["content"])
    assert received == content
