"""Resuming: no event missed, none twice, in order; or the server says that it cannot resume."""

from __future__ import annotations

from pathlib import Path

import trio

from tests.scenes.stage import Person, RpcPlayer, Stage, stage
from tests.scenes.test_colon_chat import group


async def back(on: Stage, who: Person, player: RpcPlayer, **changes: str) -> RpcPlayer:
    """Reconnect the same client from its position."""
    where = {"epoch": player.ready["epoch"], "pos": str(player.position), "connection": player.ready["connection"]}
    where |= changes
    return await on.rpc(who, "/chat?" + "&".join(f"{key}={value}" for key, value in where.items() if value))


async def test_what_was_missed_comes_in_order_before_what_happens(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        verona, mantua = await group(romeo, juliet), await group(romeo, juliet)
        r, j = await on.rpc(romeo), await on.rpc(juliet)
        await j.hears("unread:count")
        await j.asks("conversation:join", {"conversationId": verona})
        first = (await r.asks("message:send", {"conversationId": verona, "content": "1"}))["data"]
        assert await j.hears("message:created") == first
        await j.is_cut_off()

        sent = [
            (await r.asks("message:send", {"conversationId": verona, "content": str(n)}))["data"] for n in range(2, 6)
        ]
        await r.asks("message:send", {"conversationId": mantua, "content": "not joined"})
        edited = (await r.asks("message:edit", {"messageId": sent[0]["_id"], "content": "two"}))["data"]
        await r.asks("message:delete", {"messageId": sent[1]["_id"]})

        again = await back(on, juliet, j)
        assert again.ready["recovered"] is True
        assert again.ready["pos"] == j.position
        assert await again.hears("message:created") == edited
        assert await again.hears("message:created") == sent[2]
        assert await again.hears("message:created") == sent[3]
        assert await again.hears("message:updated") == edited
        assert await again.hears("message:deleted") == {"messageId": sent[1]["_id"]}
        assert (await again.hears("unread:count"))["total"] == 5
        live = (await r.asks("message:send", {"conversationId": verona, "content": "live"}))["data"]
        assert await again.comes_to_hear("message:created") == live

        third = await back(on, juliet, again)
        assert third.ready["recovered"] is True
        assert [name for name, _ in await third.hears_all()] == ["unread:count"]
        await r.asks("message:send", {"conversationId": verona, "content": "still joined"})
        assert (await third.comes_to_hear("message:created"))["content"] == "still joined"


async def test_a_removed_member_receives_nothing_that_happened_later(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        verona = await group(romeo, juliet)
        r, j = await on.rpc(romeo), await on.rpc(juliet)
        await j.asks("conversation:join", {"conversationId": verona})
        await j.is_cut_off()
        await r.asks("message:send", {"conversationId": verona, "content": "a secret"})
        await r.asks("members:remove", {"conversationId": verona, "userId": juliet.id})
        await r.asks("message:send", {"conversationId": verona, "content": "another"})
        again = await back(on, juliet, j)
        assert again.ready["recovered"] is True
        assert await again.hears_all() == [
            ("members:removed", {"userId": juliet.id}),
            ("unread:count", {"total": 0, "byConversation": {}}),
        ]
        await r.asks("message:send", {"conversationId": verona, "content": "a third"})
        await again.hears_nothing()


async def test_a_wrong_place_is_told_plainly(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        verona = await group(romeo, juliet)
        r, j = await on.rpc(romeo), await on.rpc(juliet)
        await j.asks("conversation:join", {"conversationId": verona})
        for changes, reason in (
            ({"epoch": "00000000-0000-0000-0000-000000000000"}, "epoch"),
            ({"pos": "99999"}, "too_far"),
            ({"pos": "-1"}, "too_far"),
            ({"pos": "x"}, "too_far"),
        ):
            again = await back(on, juliet, j, **changes)
            assert (again.ready["recovered"], again.ready["reason"]) == (False, reason)
            await again.hears("unread:count")
        thief = await back(on, romeo, j)
        assert (thief.ready["recovered"], thief.ready["reason"]) == (False, "connection")
        await r.asks("message:send", {"conversationId": verona, "content": "!"})
        assert [name for name, _ in await thief.hears_all() if name == "message:created"] == []


async def test_coming_back_over_a_restart_while_others_send(tmp_path: Path) -> None:
    content = [str(number) for number in range(300)]
    async with stage(tmp_path) as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        verona = await group(romeo, juliet)
        j = await on.rpc(juliet)
        await j.asks("conversation:join", {"conversationId": verona})
        r = await on.rpc(romeo)
        for number in content[:100]:
            await r.tells("message:send", {"conversationId": verona, "content": number})
        heard = [(await j.comes_to_hear("message:created"))["content"] for _ in range(40)]
        j_position = 0
        await r.asks("rpc.ping")
        await j.is_cut_off()
        j_position = j.position
        for number in content[100:200]:
            await r.asks("message:send", {"conversationId": verona, "content": number})
    heard += [message["params"]["content"] for message in j._heard if message["method"] == "message:created"]
    async with stage(tmp_path) as on:
        r = await on.rpc(romeo)

        async def send_on() -> None:
            for number in content[200:]:
                await r.asks("message:send", {"conversationId": verona, "content": number})

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_on)
            again = await back(on, juliet, j, pos=str(j_position))
            assert again.ready["recovered"] is True
            while len(heard) < len(content):
                heard.append((await again.comes_to_hear("message:created"))["content"])
    assert heard == content
