"""The stock client of Socket.IO, versions 4 and 3, with its defaults and with other options."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import trio

from protocol.errors import SIGNED_OUT
from tests.scenes.stage import TIMEOUT, stage
from tests.scenes.troupe import Troupe, troupe

WAYS: list[Any] = [
    pytest.param({}, id="defaults"),
    pytest.param({"transports": ["websocket"]}, id="websocket"),
    pytest.param({"transports": ["polling"]}, id="polling"),
]


@pytest.mark.parametrize("version", [4, 3])
@pytest.mark.parametrize("options", WAYS)
async def test_romeo_writes_and_juliet_hears_it(tmp_path: Path, version: int, options: dict[str, Any]) -> None:
    async with stage(tmp_path) as on, troupe(on.address) as players:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        r = await players.opens("r", version=version, auth={"token": f"Bearer {romeo.token}"}, **options)
        j = await players.opens(
            "j",
            version=version,
            extraHeaders={"Authorization": f"Bearer {juliet.token}"},
            query={"anything": "else"},
            forceNew=True,
            **options,
        )
        for player in (r, j):
            await player.connects()
            assert await player.hears("unread:count") == {"total": 0, "byConversation": {}}
        if not options:
            await r.upgrades()
            await j.upgrades()
        talk = await romeo.asks("POST", "/conversations", {"type": "private", "participants": [juliet.id]}, status=201)
        for player in (r, j):
            assert await player.hears("conversation:created") == talk
            assert await player.asks("conversation:join", {"conversationId": talk["_id"]}) == {"ok": True}
        for number in range(20):
            sent = await r.asks("message:send", {"conversationId": talk["_id"], "content": f"line {number}"})
            assert sent["ok"] is True
        assert [(await r.hears("message:created"))["content"] for _ in range(20)] == [f"line {n}" for n in range(20)]
        heard: list[str] = []
        while len(heard) < 20:
            line = await j._take("event")
            heard += [line["args"][0]["content"]] if line["event"] == "message:created" else []
        assert heard == [f"line {number}" for number in range(20)]
        await r.leaves()
        assert await r.disconnects() == "io client disconnect"


@pytest.mark.parametrize("version", [4, 3])
async def test_two_namespaces_share_one_connection(tmp_path: Path, version: int) -> None:
    async with stage(tmp_path) as on, troupe(on.address) as players:
        romeo = await on.person("romeo")
        auth = {"token": romeo.token}
        chat = await players.opens("chat", "/chat", version=version, auth=auth)
        notes = await players.opens("notes", "/notifications", version=version, auth=auth)
        await chat.connects()
        await notes.connects()
        assert len(on.server.app.connections) == 1
        await chat.leaves()
        await chat.disconnects()
        assert (await notes.asks("nonsense"))["error"]["code"] == "BAD_REQUEST"


async def refused(players: Troupe, path: str, **options: Any) -> tuple[str, Any]:
    return await (await players.opens(path, path, forceNew=True, **options)).is_refused()


async def test_who_is_not_let_in_is_told_why(tmp_path: Path) -> None:
    async with stage(tmp_path) as on, troupe(on.address) as players:
        romeo = await on.person("romeo")
        message, data = await refused(players, "/chat", auth={"token": "no token"})
        assert message
        assert data == {"code": "AUTH_INVALID", "message": message}
        assert (await refused(players, "/notifications"))[1]["code"] == "AUTH_INVALID"
        assert (await refused(players, "/nowhere", auth={"token": romeo.token}))[1]["code"] == "NOT_FOUND"


async def test_inbox_disconnects_a_rejected_client(tmp_path: Path) -> None:
    async with stage(tmp_path) as on, troupe(on.address) as players:
        player = await players.opens("x", "/", query={"dialect": "inbox", "token": "wrong"})
        await player.connects()
        assert await player.disconnects() == "io server disconnect"
        assert [line for line in player.heard if line["kind"] != "upgrade"] == []


async def test_a_signed_out_client_stays_disconnected(tmp_path: Path) -> None:
    async with stage(tmp_path) as on, troupe(on.address) as players:
        romeo = await on.person("romeo")
        player = await players.opens("r", auth={"token": romeo.token})
        await player.connects()
        on.server.app.close_user(romeo.id, SIGNED_OUT)
        assert await player.disconnects() == "io server disconnect"


async def test_a_client_that_is_cut_off_reconnects(tmp_path: Path) -> None:
    async with stage(tmp_path) as on, troupe(on.address) as players:
        romeo = await on.person("romeo")
        player = await players.opens("r", auth={"token": romeo.token}, reconnectionDelay=10)
        await player.connects()
        await player.is_cut_off()
        assert await player.disconnects() == "forced close"
        await player.connects()


@pytest.mark.parametrize("name", ["socket.io.min.js", "socket.io.esm.min.js"])
async def test_the_stock_client_is_served(tmp_path: Path, name: str) -> None:
    async with stage(tmp_path) as on:

        def get() -> tuple[str, bytes]:
            with urlopen(f"http://{on.address}/socket.io/{name}", timeout=TIMEOUT) as answer:
                return answer.headers["content-type"], answer.read()

        kind, script = await trio.to_thread.run_sync(get)
        assert kind == "text/javascript; charset=utf-8"
        assert b"Socket.IO v4" in script[:200]
