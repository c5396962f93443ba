"""JSON-RPC batches: the largest number of calls, before and after authentication, and when the setting changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tests.scenes.stage import RpcPlayer, stage

BURST = {"limits__calls_per_connection": "50", "limits__calls_per_connection_burst": "3"}


def batch(size: int) -> str:
    return json.dumps([{"jsonrpc": "2.0", "id": number, "method": "rpc.ping"} for number in range(size)])


async def answer(player: RpcPlayer) -> Any:
    """The next message that is not an event."""
    while True:
        said: Any = await player._next()
        if isinstance(said, list) or "method" not in said:
            return said


async def test_a_batch_holds_the_call_burst_as_the_setting_is_now(tmp_path: Path) -> None:
    async with stage(tmp_path, **BURST) as on:
        player = await on.rpc(await on.person("romeo"))
        await player.sends(batch(3))
        assert [one["result"] for one in await answer(player)] == ["pong"] * 3
        app = on.server.app
        app.adopt(replace(app.config, limits=replace(app.config.limits, calls_per_connection_burst=2)))
        other = await on.rpc(await on.person("juliet"))
        await other.sends(batch(3))
        refused = await answer(other)
        assert (refused["id"], refused["error"]["code"]) == (None, -32600)
        assert refused["error"]["message"] == "A batch must hold at most 2 messages"


async def test_without_a_limit_a_batch_has_none(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        player = await on.rpc(await on.person("romeo"))
        await player.sends(batch(500))
        assert len(await answer(player)) == 500


async def test_a_client_that_is_not_known_sends_short_batches(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        player = RpcPlayer(await on.socket("/chat"))
        await player.sends(batch(11))
        assert (await answer(player))["error"]["message"] == "A batch must hold at most 10 messages"
        await player.sends(batch(10))
        assert len(await answer(player)) == 10
