"""JSON-RPC batches: the largest number of calls, before and after authentication, and when the setting changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tests.scenes.chat_server import RpcClient, chat_server

BURST = {"limits__calls_per_connection": "50", "limits__calls_per_connection_burst": "3"}


def batch(size: int) -> str:
    return json.dumps([{"jsonrpc": "2.0", "id": number, "method": "rpc.ping"} for number in range(size)])


async def answer(client: RpcClient) -> Any:
    """The next message that is not an event."""
    while True:
        said: Any = await client._next()
        if isinstance(said, list) or "method" not in said:
            return said


async def test_a_batch_holds_the_call_burst_as_the_setting_is_now(tmp_path: Path) -> None:
    async with chat_server(tmp_path, **BURST) as server:
        client = await server.rpc(await server.register("romeo"))
        await client.sends(batch(3))
        assert [one["result"] for one in await answer(client)] == ["pong"] * 3
        app = server.running.app
        app.adopt(replace(app.config, limits=replace(app.config.limits, calls_per_connection_burst=2)))
        other = await server.rpc(await server.register("juliet"))
        await other.sends(batch(3))
        refused = await answer(other)
        assert (refused["id"], refused["error"]["code"]) == (None, -32600)
        assert refused["error"]["message"] == "A batch must hold at most 2 messages"


async def test_without_a_limit_a_batch_has_none(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        client = await server.rpc(await server.register("romeo"))
        await client.sends(batch(500))
        assert len(await answer(client)) == 500


async def test_a_client_that_is_not_known_sends_short_batches(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        client = RpcClient(await server.socket("/chat"))
        await client.sends(batch(11))
        assert (await answer(client))["error"]["message"] == "A batch must hold at most 10 messages"
        await client.sends(batch(10))
        assert len(await answer(client)) == 10
