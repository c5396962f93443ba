"""The rooms of a connection: calls take effect in order, and a resume joins exactly those rooms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chatd.connections.channel import Channel
from protocol.events import JOINED
from protocol.ids import OBJECT_ID
from tests.scenes.chat_server import ChatServer, RegisteredUser, RpcClient, chat_server
from tests.scenes.test_colon_chat import group
from tests.scenes.test_resume import back
from tests.scenes.test_resume_cases import contents, in_a_room, say


def rooms_of(server: ChatServer, who: RegisteredUser) -> dict[str, set[int]]:
    """The conversations whose rooms the user's channels are in, by namespace."""
    channels: list[Channel] = [
        channel for one in server.running.app.connections for channel in getattr(one, "channels", {}).values()
    ]
    return {
        channel.encoder.namespace: {number for kind, number in channel.groups if kind == JOINED}
        for channel in channels
        if channel.user == who.id
    }


async def reconnected(server: ChatServer, who: RegisteredUser, client: RpcClient) -> RpcClient:
    """Reconnect the same client, and wait until it is subscribed."""
    again = await back(server, who, client)
    assert again.ready["recovered"] is True
    await again.receives_all()
    return again


async def sends(client: RpcClient, *calls: tuple[str, str]) -> list[tuple[int, bool]]:
    """Send calls about rooms without waiting: the ids in the order of the answers, and each success."""
    for number, (name, where) in enumerate(calls, 1):
        await client.sends(json.dumps({"id": 1_000 + number, "method": name, "params": {"conversationId": where}}))
    answers: list[tuple[int, bool]] = []
    while len(answers) < len(calls):
        message: dict[str, Any] = json.loads(await client.socket.get_message())
        if "id" in message:
            answers.append((message["id"] - 1_000, "result" in message))
    return answers


async def test_a_leave_behind_a_join_takes_effect_behind_it(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        j = await server.rpc(juliet)
        join, leave = ("conversation:join", verona), ("conversation:leave", verona)
        assert await sends(j, join, leave) == [(1, True), (2, True)]
        assert rooms_of(server, juliet) == {"/chat": set()}
        assert not server.running.app.viewers.viewing_since(OBJECT_ID.read(verona).number, juliet.id)
        await j.is_cut_off()
        j = await reconnected(server, juliet, j)
        assert rooms_of(server, juliet) == {"/chat": set()}
        assert [one for one, _ in await sends(j, join, leave, join)] == [1, 2, 3]
        assert rooms_of(server, juliet) == {"/chat": {OBJECT_ID.read(verona).number}}
        await j.is_cut_off()
        j = await reconnected(server, juliet, j)
        assert rooms_of(server, juliet) == {"/chat": {OBJECT_ID.read(verona).number}}
        assert [one for one, _ in await sends(j, leave, join, leave)] == [1, 2, 3]
        assert rooms_of(server, juliet) == {"/chat": set()}


async def test_a_join_above_the_limit_is_not_remembered(tmp_path: Path) -> None:
    async with chat_server(tmp_path, limits__rooms_per_socket="2") as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        one, two, three = [await group(romeo, juliet) for _ in range(3)]
        j = await server.rpc(juliet)
        join, leave = "conversation:join", "conversation:leave"
        answers = await sends(j, (join, one), (join, two), (join, three), (join, two))
        assert sorted(answers) == [(1, True), (2, True), (3, False), (4, True)]
        expected = {OBJECT_ID.read(where).number for where in (one, two)}
        assert rooms_of(server, juliet) == {"/chat": expected}
        await j.is_cut_off()
        j = await reconnected(server, juliet, j)
        assert rooms_of(server, juliet) == {"/chat": expected}
        assert await sends(j, (leave, one), (join, three)) == [(1, True), (2, True)]
        expected = {OBJECT_ID.read(where).number for where in (two, three)}
        assert rooms_of(server, juliet) == {"/chat": expected}


async def test_a_room_joined_in_one_namespace_is_joined_again_in_that_one(tmp_path: Path) -> None:
    async with chat_server(tmp_path, **{"dialects./more": "colon"}) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona, number = await group(romeo, juliet), 0
        number = OBJECT_ID.read(verona).number
        j = await server.rpc(juliet, "/ws")
        assert "result" in await j.calls("conversation:join", {"conversationId": verona}, ns="/more")
        where = f"epoch={j.ready['epoch']}&pos={j.position}&connection={j.ready['connection']}"
        await j.is_cut_off()
        await say(romeo, verona, "missed")
        for _ in range(2):
            again = await server.rpc(juliet, f"/ws?{where}")
            assert again.ready["recovered"] is True
            assert again.ready["connection"] == j.ready["connection"]
            await again.calls("rpc.ping")
            rooms = rooms_of(server, juliet)
            assert rooms.pop("/more") == {number}
            assert set().union(*rooms.values()) == set()
            told = [one for one in again._received if one["method"] == "message:created"]
            assert [one["ns"] for one in told] == ["/more"]
            await again.is_cut_off()


@pytest.mark.parametrize("live", [False, True], ids=["while it was away", "while it was there"])
async def test_removed_and_added_again_is_not_in_the_room(tmp_path: Path, live: bool) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, j, verona = await in_a_room(server)
        if not live:
            await j.is_cut_off()
        await say(romeo, verona, "before")
        await romeo.asks("DELETE", f"/conversations/{verona}/members?userId={juliet.id}")
        await romeo.asks("POST", f"/conversations/{verona}/members", {"userId": juliet.id})
        await say(romeo, verona, "after")
        if live:
            assert await contents(j) == ["before"]
            await j.is_cut_off()
        again = await back(server, juliet, j)
        assert again.ready["recovered"] is True
        assert await contents(again) == ([] if live else ["before"])
        assert rooms_of(server, juliet) == {"/chat": set()}
        await say(romeo, verona, "live")
        assert await contents(again) == []
        await again.asks("conversation:join", {"conversationId": verona})
        await say(romeo, verona, "joined")
        assert await contents(again) == ["joined"]
        await again.is_cut_off()
        await say(romeo, verona, "in the room again")
        third = await back(server, juliet, again)
        assert await contents(third) == ["in the room again"]
