"""Presence: users who share a conversation receive who is online and who is offline, in `kebab`."""

from __future__ import annotations

from pathlib import Path

from tests.scenes.players import Player, Way, both_ways, play
from tests.scenes.stage import Person, Stage, stage
from tests.scenes.test_colon_chat import group


async def device(on: Stage, way: Way, who: Person) -> Player:
    return await play(on, way, "kebab", who)


@both_ways
async def test_peers_hear_of_the_first_socket_and_of_the_last(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path, presence__grace="0.3") as on:
        romeo, juliet, tybalt = [await on.person(name) for name in ("romeo", "juliet", "tybalt")]
        await group(romeo, juliet)
        r, t = await device(on, way, romeo), await device(on, way, tybalt)
        phone = await device(on, way, juliet)
        assert await r.hears("user:online") == {"userId": juliet.id}
        assert await phone.hears("user:online") == {"userId": romeo.id}
        laptop = await play(on, way, "colon", juliet, ignoring=("unread:count",))
        again = await device(on, way, romeo)
        assert await again.hears("user:online") == {"userId": juliet.id}
        await phone.leaves()
        await r.hears_nothing()
        await laptop.leaves()
        for player in (r, again):
            assert await player.hears("user:offline") == {"userId": juliet.id}
        for player in (r, again, t):
            await player.hears_nothing()


@both_ways
async def test_a_reload_does_not_flicker(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path, presence__grace="30") as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        verona = await group(romeo, juliet)
        r = await device(on, way, romeo)
        j = await device(on, way, juliet)
        assert await r.hears("user:online") == {"userId": juliet.id}
        await j.leaves()
        await romeo.asks("POST", f"/conversations/{verona}/messages", {"content": "Wait"}, status=201)
        j = await device(on, way, juliet)
        assert await j.hears("user:online") == {"userId": romeo.id}
        await r.hears_nothing()
        assert (await juliet.asks("GET", "/unread"))["total"] == 1


async def test_a_new_peer_receives_the_next_change(tmp_path: Path) -> None:
    async with stage(tmp_path, presence__grace="0") as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        r, j = await device(on, "jsonrpc", romeo), await device(on, "jsonrpc", juliet)
        await group(romeo, juliet)
        await r.hears_nothing()
        await j.leaves()
        assert await r.hears("user:offline") == {"userId": juliet.id}


async def test_no_user_is_online_after_a_restart(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        await group(romeo, juliet)
        await device(on, "jsonrpc", romeo)
    async with stage(tmp_path) as on:
        j = await device(on, "jsonrpc", juliet)
        await j.hears_nothing()
        await device(on, "jsonrpc", romeo)
        assert await j.hears("user:online") == {"userId": romeo.id}


async def test_typing_ends_with_the_last_socket_and_by_itself(tmp_path: Path) -> None:
    async with stage(tmp_path, typing__expire="0.2") as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        where = {"conversationId": await group(romeo, juliet)}
        ignoring = ("unread:count",)
        j, r = (
            await play(on, "jsonrpc", "colon", juliet, ignoring=ignoring),
            await play(on, "jsonrpc", "colon", romeo, ignoring=ignoring),
        )
        for player in (j, r):
            await player.asks("conversation:join", where)
        await r.tells("typing", {**where, "isTyping": True})
        typing = {**where, "userId": romeo.id, "isTyping": True}
        assert await j.hears("typing") == typing
        assert await j.hears("typing") == {**typing, "isTyping": False}
