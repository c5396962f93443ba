"""P5: a removed member receives nothing that is committed after the removal, in any order of sends and removals."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import trio

from tests.scenes.chat_server import RegisteredUser, RpcClient, chat_server
from tests.scenes.test_colon_chat import group

ROUNDS = 500


async def fire(client: RpcClient, calls: list[tuple[str, dict[str, Any]]]) -> None:
    """Send calls without waiting; then wait for all answers."""
    for method, params in calls:
        await client.notifies(method, params)
    await client.asks("rpc.ping")
    client._received.clear()


async def pushes(client: RpcClient) -> list[dict[str, Any]]:
    """All events that were received until now."""
    await client.asks("rpc.ping")
    received, client._received = client._received, []
    return received


async def test_nothing_committed_after_a_removal_arrives(tmp_path: Path) -> None:
    dice = random.Random(6)
    async with chat_server(tmp_path) as server:
        romeo, tybalt, juliet = [await server.register(name) for name in ("romeo", "tybalt", "juliet")]
        verona = await group(romeo, tybalt, juliet)
        here = {"conversationId": verona}
        whom = {**here, "userId": juliet.id}
        clients = [await server.rpc(romeo), await server.rpc(tybalt), await server.rpc(romeo)]
        j = await server.rpc(juliet, "/chat?rooms=1")
        away = await server.rpc(juliet, "/chat?rooms=1")
        before_all, after_all = 0, 0
        for number in range(ROUNDS):
            for client in (j, away) if number % 10 == 0 else (j,):
                await client.asks("conversation:join", here)
            await pushes(j)
            if number % 10 == 0:
                await away.is_cut_off()
            start = server.running.app.broker.position
            sends: list[tuple[str, dict[str, Any]]] = [
                ("message:send", {**here, "content": f"{number}"})
            ] * dice.randint(1, 4)
            first = [*sends, ("members:remove", whom), *sends]
            dice.shuffle(first)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fire, clients[0], first)
                nursery.start_soon(fire, clients[1], sends)
                nursery.start_soon(fire, clients[2], sends)
            await server.running.app.dispatch.settled()
            received = [push for push in await pushes(j) if push.get("room", "").endswith(verona)]
            assert received[-1]["method"] == "members:removed"
            removal = received[-1]["pos"]
            assert all(push["pos"] < removal for push in received[:-1])
            before_all += len(received) - 1
            after_all += server.running.app.broker.position > removal
            await replays_nothing(juliet, server.running.app.database.epoch, start, verona)
            if number % 10 == 0:
                away = await comes_back(server, juliet, away, verona)
            await romeo.asks("POST", f"/conversations/{verona}/members", {"userId": juliet.id}, status=204)
            assert (await j.skips_to("conversation:created"))["_id"] == verona
        assert before_all > ROUNDS
        assert after_all > ROUNDS / 2


async def replays_nothing(juliet: RegisteredUser, epoch: str, start: int, verona: str) -> None:
    """Check that the list of GET /events is empty."""
    said = await juliet.asks("GET", f"/events?epoch={epoch}&pos={start}")
    assert [one["method"] for one in said["events"] if one.get("room", "").endswith(verona)] == ["members:removed"]


async def comes_back(server: Any, juliet: RegisteredUser, away: RpcClient, verona: str) -> RpcClient:
    """A device that was in the room, and disconnected during the removal."""
    where = f"rooms=1&epoch={away.ready['epoch']}&pos={away.position}&connection={away.ready['connection']}"
    again: RpcClient = await server.rpc(juliet, f"/chat?{where}")
    assert again.ready["recovered"] is True
    received = [push["method"] for push in await pushes(again) if push.get("room", "").endswith(verona)]
    assert received[-1] == "members:removed"
    assert "message:created" not in received
    return again
