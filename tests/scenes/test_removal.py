"""P5: a removed member receives nothing that is committed after the removal, in any order of sends and removals."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import trio

from tests.scenes.stage import Person, RpcPlayer, stage
from tests.scenes.test_colon_chat import group

ROUNDS = 500


async def fire(player: RpcPlayer, calls: list[tuple[str, dict[str, Any]]]) -> None:
    """Send calls without waiting; then wait for all answers."""
    for method, params in calls:
        await player.tells(method, params)
    await player.asks("rpc.ping")
    player._heard.clear()


async def pushes(player: RpcPlayer) -> list[dict[str, Any]]:
    """All events that were received until now."""
    await player.asks("rpc.ping")
    heard, player._heard = player._heard, []
    return heard


async def test_nothing_committed_after_a_removal_arrives(tmp_path: Path) -> None:
    dice = random.Random(6)
    async with stage(tmp_path) as on:
        romeo, tybalt, juliet = [await on.person(name) for name in ("romeo", "tybalt", "juliet")]
        verona = await group(romeo, tybalt, juliet)
        here = {"conversationId": verona}
        whom = {**here, "userId": juliet.id}
        players = [await on.rpc(romeo), await on.rpc(tybalt), await on.rpc(romeo)]
        j = await on.rpc(juliet, "/chat?rooms=1")
        away = await on.rpc(juliet, "/chat?rooms=1")
        before_all, after_all = 0, 0
        for number in range(ROUNDS):
            for player in (j, away) if number % 10 == 0 else (j,):
                await player.asks("conversation:join", here)
            await pushes(j)
            if number % 10 == 0:
                await away.is_cut_off()
            start = on.server.app.broker.position
            sends: list[tuple[str, dict[str, Any]]] = [
                ("message:send", {**here, "content": f"{number}"})
            ] * dice.randint(1, 4)
            first = [*sends, ("members:remove", whom), *sends]
            dice.shuffle(first)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fire, players[0], first)
                nursery.start_soon(fire, players[1], sends)
                nursery.start_soon(fire, players[2], sends)
            await on.server.app.dispatch.settled()
            heard = [push for push in await pushes(j) if push.get("room", "").endswith(verona)]
            assert heard[-1]["method"] == "members:removed"
            removal = heard[-1]["pos"]
            assert all(push["pos"] < removal for push in heard[:-1])
            before_all += len(heard) - 1
            after_all += on.server.app.broker.position > removal
            await replays_nothing(juliet, on.server.app.database.epoch, start, verona)
            if number % 10 == 0:
                away = await comes_back(on, juliet, away, verona)
            await romeo.asks("POST", f"/conversations/{verona}/members", {"userId": juliet.id}, status=204)
            assert (await j.comes_to_hear("conversation:created"))["_id"] == verona
        assert before_all > ROUNDS
        assert after_all > ROUNDS / 2


async def replays_nothing(juliet: Person, epoch: str, start: int, verona: str) -> None:
    """Check that the list of GET /events is empty."""
    said = await juliet.asks("GET", f"/events?epoch={epoch}&pos={start}")
    assert [one["method"] for one in said["events"] if one.get("room", "").endswith(verona)] == ["members:removed"]


async def comes_back(on: Any, juliet: Person, away: RpcPlayer, verona: str) -> RpcPlayer:
    """A device that was in the room, and disconnected during the removal."""
    where = f"rooms=1&epoch={away.ready['epoch']}&pos={away.position}&connection={away.ready['connection']}"
    again: RpcPlayer = await on.rpc(juliet, f"/chat?{where}")
    assert again.ready["recovered"] is True
    heard = [push["method"] for push in await pushes(again) if push.get("room", "").endswith(verona)]
    assert heard[-1] == "members:removed"
    assert "message:created" not in heard
    return again
