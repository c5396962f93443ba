"""The stock client of Socket.IO, versions 4 and 3, with its defaults and with other options."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import trio

from protocol.errors import SIGNED_OUT
from tests.scenes.chat_server import TIMEOUT, chat_server
from tests.scenes.node_clients import NodeProcess, node_clients

WAYS: list[Any] = [
    pytest.param({}, id="defaults"),
    pytest.param({"transports": ["websocket"]}, id="websocket"),
    pytest.param({"transports": ["polling"]}, id="polling"),
]


@pytest.mark.parametrize("version", [4, 3])
@pytest.mark.parametrize("options", WAYS)
async def test_romeo_writes_and_juliet_receives_it(tmp_path: Path, version: int, options: dict[str, Any]) -> None:
    async with chat_server(tmp_path) as server, node_clients(server.address) as clients:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        r = await clients.opens("r", version=version, auth={"token": f"Bearer {romeo.token}"}, **options)
        j = await clients.opens(
            "j",
            version=version,
            extraHeaders={"Authorization": f"Bearer {juliet.token}"},
            query={"anything": "else"},
            forceNew=True,
            **options,
        )
        for client in (r, j):
            await client.connects()
            assert await client.receives("unread:count") == {"total": 0, "byConversation": {}}
        if not options:
            await r.upgrades()
            await j.upgrades()
        talk = await romeo.asks("POST", "/conversations", {"type": "private", "participants": [juliet.id]}, status=201)
        for client in (r, j):
            assert await client.receives("conversation:created") == talk
            assert await client.asks("conversation:join", {"conversationId": talk["_id"]}) == {"ok": True}
        for number in range(20):
            sent = await r.asks("message:send", {"conversationId": talk["_id"], "content": f"line {number}"})
            assert sent["ok"] is True
        assert [(await r.receives("message:created"))["content"] for _ in range(20)] == [f"line {n}" for n in range(20)]
        received: list[str] = []
        while len(received) < 20:
            line = await j._take("event")
            received += [line["args"][0]["content"]] if line["event"] == "message:created" else []
        assert received == [f"line {number}" for number in range(20)]
        await r.leaves()
        assert await r.disconnects() == "io client disconnect"


@pytest.mark.parametrize("version", [4, 3])
async def test_two_namespaces_share_one_connection(tmp_path: Path, version: int) -> None:
    async with chat_server(tmp_path) as server, node_clients(server.address) as clients:
        romeo = await server.register("romeo")
        auth = {"token": romeo.token}
        chat = await clients.opens("chat", "/chat", version=version, auth=auth)
        notes = await clients.opens("notes", "/notifications", version=version, auth=auth)
        await chat.connects()
        await notes.connects()
        assert len(server.running.app.connections) == 1
        await chat.leaves()
        await chat.disconnects()
        assert (await notes.asks("nonsense"))["error"]["code"] == "BAD_REQUEST"


async def refused(clients: NodeProcess, path: str, **options: Any) -> tuple[str, Any]:
    return await (await clients.opens(path, path, forceNew=True, **options)).is_refused()


async def test_who_is_not_let_in_is_told_why(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server, node_clients(server.address) as clients:
        romeo = await server.register("romeo")
        message, data = await refused(clients, "/chat", auth={"token": "no token"})
        assert message
        assert data == {"code": "AUTH_INVALID", "message": message}
        assert (await refused(clients, "/notifications"))[1]["code"] == "AUTH_INVALID"
        assert (await refused(clients, "/nowhere", auth={"token": romeo.token}))[1]["code"] == "NOT_FOUND"


async def test_inbox_disconnects_a_rejected_client(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server, node_clients(server.address) as clients:
        client = await clients.opens("x", "/", query={"dialect": "inbox", "token": "wrong"})
        await client.connects()
        assert await client.disconnects() == "io server disconnect"
        assert [line for line in client.received if line["kind"] != "upgrade"] == []


async def test_a_signed_out_client_stays_disconnected(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server, node_clients(server.address) as clients:
        romeo = await server.register("romeo")
        client = await clients.opens("r", auth={"token": romeo.token})
        await client.connects()
        server.running.app.close_user(romeo.id, SIGNED_OUT)
        assert await client.disconnects() == "io server disconnect"


async def test_a_client_that_is_cut_off_reconnects(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server, node_clients(server.address) as clients:
        romeo = await server.register("romeo")
        client = await clients.opens("r", auth={"token": romeo.token}, reconnectionDelay=10)
        await client.connects()
        await client.is_cut_off()
        assert await client.disconnects() == "forced close"
        await client.connects()


@pytest.mark.parametrize("name", ["socket.io.min.js", "socket.io.esm.min.js"])
async def test_the_stock_client_is_served(tmp_path: Path, name: str) -> None:
    async with chat_server(tmp_path) as server:

        def get() -> tuple[str, bytes]:
            with urlopen(f"http://{server.address}/socket.io/{name}", timeout=TIMEOUT) as answer:
                return answer.headers["content-type"], answer.read()

        kind, script = await trio.to_thread.run_sync(get)
        assert kind == "text/javascript; charset=utf-8"
        assert b"Socket.IO v4" in script[:200]
