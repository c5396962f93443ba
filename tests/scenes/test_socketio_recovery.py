"""Connection state recovery by the stock client: over a network that breaks, and after long absences."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import trio

from chatd.server.retention import clean
from chatd.store.queries import sessions
from tests.relay import Relay, relay
from tests.scenes.chat_server import ChatServer, RegisteredUser, RpcClient, chat_server
from tests.scenes.node_clients import NodeClient, NodeProcess, node_clients
from tests.scenes.test_colon_chat import group
from tests.scenes.test_socketio_client import WAYS

OFFSET = re.compile(r"[0-9a-f-]{36}-\d+\.message:created")
SOON = {"reconnectionDelay": 10, "reconnectionDelayMax": 50, "timeout": 2_000}


class Scene(NamedTuple):
    """Romeo sends over JSON-RPC. Juliet receives over Socket.IO, on a connection that the test can cut."""

    server: ChatServer
    line: Relay
    clients: NodeProcess
    romeo: RegisteredUser
    juliet: RegisteredUser
    r: RpcClient
    verona: str

    async def opens(self, name: str, path: str = "/chat", **options: Any) -> NodeClient:
        auth = {"token": self.juliet.token, "recovery": True} | options.pop("auth", {})
        return await self.clients.opens(name, path, **SOON, auth=auth, **options)

    async def sends(self, *contents: str, where: str = "") -> None:
        for content in contents:
            await self.r.asks("message:send", {"conversationId": where or self.verona, "content": content})

    async def loses(self, *clients: NodeClient) -> None:
        """Cut the connection, until both sides have noticed."""
        self.line.down = True
        self.line.cut()
        for client in clients:
            await client.disconnects()

    async def is_alone(self) -> None:
        """Wait until Romeo is the only user who is online."""
        with trio.fail_after(5):
            while len(self.server.running.app.connections) > 1:  # noqa: ASYNC110
                await trio.sleep(0.01)


@asynccontextmanager
async def scene(tmp_path: Path, **settings: str) -> AsyncIterator[Scene]:
    async with (
        chat_server(tmp_path, **settings) as server,
        relay(int(server.address.rpartition(":")[2])) as line,
        node_clients(f"127.0.0.1:{line.port}") as clients,
    ):
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        yield Scene(server, line, clients, romeo, juliet, await server.rpc(romeo), verona)


async def joins(client: NodeClient, where: str) -> None:
    assert (await client.asks("conversation:join", {"conversationId": where}))["ok"] is True


async def receives_contents(client: NodeClient, count: int) -> list[str]:
    """The contents of the next messages. Each comes with its offset."""
    received = await client.receives_named("message:created", count)
    assert all(OFFSET.fullmatch(offset) for _, offset in received), received
    return [message["content"] for message, _ in received]


async def test_no_client_gets_an_argument_or_a_pid_unasked(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        client = await here.opens("j", auth={"recovery": False})
        first = await client.connects()
        await client.receives("unread:count")
        await joins(client, here.verona)
        await here.sends("one argument")
        assert [len(args) for args in await client.receives_named("message:created", 1)] == [1]
        await here.loses(client)
        here.line.down = False
        again = await client.connects()
        assert again["recovered"] is False
        assert again["id"] != first["id"]


@pytest.mark.parametrize("options", WAYS)
async def test_the_network_breaks_and_nothing_is_missed(tmp_path: Path, options: dict[str, Any]) -> None:
    async with scene(tmp_path) as here:
        client = await here.opens("j", **options)
        first = await client.connects()
        assert first["recovered"] is False
        mantua = await group(here.romeo, here.juliet)
        await joins(client, here.verona)
        await here.sends("1", "2")
        received = await receives_contents(client, 2)
        for missed in (["3", "4"], ["6", "7"], []):
            await here.loses(client)
            await here.sends(*missed)
            await here.sends("in a room that she is not in", where=mantua)
            here.line.down = False
            again = await client.connects()
            assert again["recovered"] is True
            assert again["id"] == first["id"]
            await here.sends("live")
            received += await receives_contents(client, len(missed) + 1)
        assert received == ["1", "2", "3", "4", "live", "6", "7", "live", "live"]


@pytest.mark.parametrize("options", WAYS)
async def test_more_than_the_outbox_holds_is_recovered_in_pieces(tmp_path: Path, options: dict[str, Any]) -> None:
    lifted = {"limits__sends_per_user": "0", "limits__calls_per_connection": "0"}
    async with scene(tmp_path, limits__outbox_bytes="64KiB", **lifted) as here:
        client = await here.opens("j", **options)
        await client.connects()
        await joins(client, here.verona)
        await here.sends("before")
        await receives_contents(client, 1)
        await here.loses(client)
        missed = [f"{number} {'x' * 4_000}" for number in range(40)]
        await here.sends(*missed)
        here.line.down = False
        assert (await client.connects())["recovered"] is True
        assert await receives_contents(client, len(missed)) == missed


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        pytest.param({}, {"auth": {"recovery": False}, "query": {"recovery": "1"}}, id="query"),
        pytest.param({"socketio__recovery": "always"}, {"auth": {"recovery": False}}, id="always"),
    ],
)
async def test_recovery_is_asked_for_elsewhere_too(
    tmp_path: Path, settings: dict[str, str], options: dict[str, Any]
) -> None:
    async with scene(tmp_path, **settings) as here:
        client = await here.opens("j", **options)
        first = await client.connects()
        await here.loses(client)
        here.line.down = False
        again = await client.connects()
        assert (again["recovered"], again["id"]) == (True, first["id"])


async def test_where_recovery_is_never_given_asking_is_no_use(tmp_path: Path) -> None:
    async with scene(tmp_path, socketio__recovery="never") as here:
        client = await here.opens("j")
        await client.connects()
        assert [len(args) for args in await client.receives_named("unread:count", 1)] == [1]
        await here.loses(client)
        here.line.down = False
        assert (await client.connects())["recovered"] is False


async def test_each_namespace_recovers_on_its_own(tmp_path: Path) -> None:
    async with scene(tmp_path, **{"dialects__/other": "colon", "dialects__/plain": "colon"}) as here:
        mantua = await group(here.romeo, here.juliet)
        one, other = await here.opens("one"), await here.opens("other", "/other")
        plain = await here.opens("plain", "/plain", auth={"recovery": False})
        before = [(await client.connects())["id"] for client in (one, other)]
        await plain.connects()
        assert len(here.server.running.app.connections) == 2
        await joins(one, here.verona)
        await joins(other, mantua)
        await joins(plain, mantua)
        await here.loses(one, other, plain)
        await here.sends("in Verona")
        await here.sends("in Mantua", where=mantua)
        here.line.down = False
        after = [await client.connects() for client in (one, other)]
        assert [again["recovered"] for again in after] == [True, True]
        assert [again["id"] for again in after] == before
        assert (await plain.connects())["recovered"] is False
        await here.sends("still in Verona")
        await here.sends("still in Mantua", where=mantua)
        assert await receives_contents(one, 2) == ["in Verona", "still in Verona"]
        assert await receives_contents(other, 2) == ["in Mantua", "still in Mantua"]
        assert (await plain.asks("conversation:join", {"conversationId": mantua}))["ok"] is True
        await here.sends("at last", where=mantua)
        assert [args[0]["content"] for args in await plain.receives_named("message:created", 1)] == ["at last"]


async def test_who_was_away_too_long_begins_anew(tmp_path: Path) -> None:
    async with scene(tmp_path, events__keep_count="2") as here:
        client = await here.opens("j")
        first = await client.connects()
        await joins(client, here.verona)
        await here.loses(client)
        await here.sends("1", "2", "3", "4", "5")
        assert await clean(here.server.running.app) > 0
        here.line.down = False
        again = await client.connects()
        assert again["recovered"] is False
        assert again["id"] != first["id"]
        await here.sends("in a room that she is not in any more")
        await joins(client, here.verona)
        await here.sends("6")
        assert await receives_contents(client, 1) == ["6"]


async def test_a_session_that_is_forgotten_begins_anew(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        client = await here.opens("j")
        first = await client.connects()
        app = here.server.running.app
        assert await app.database.write(lambda tx: sessions.delete_unused(tx, tx.now + 1, 500)) == 1
        await here.loses(client)
        here.line.down = False
        again = await client.connects()
        assert again["recovered"] is False
        assert again["id"] != first["id"]


async def test_who_left_on_purpose_begins_anew(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        client = await here.opens("j")
        await client.connects()
        await client.leaves()
        assert await client.disconnects() == "io client disconnect"
        await here.is_alone()
        await client.reconnects()
        assert (await client.connects())["recovered"] is False


@pytest.mark.parametrize("options", WAYS)
async def test_more_is_missed_than_may_wait_for_one_client(tmp_path: Path, options: dict[str, Any]) -> None:
    contents = [f"{number} {'x' * 9_000}" for number in range(60)]
    async with scene(tmp_path, limits__outbox_bytes="128KiB") as here:
        client = await here.opens("j", **options)
        await client.connects()
        await joins(client, here.verona)
        await here.loses(client)
        await here.sends(*contents)
        here.line.down = False
        assert (await client.connects())["recovered"] is True
        assert await receives_contents(client, len(contents)) == contents
        assert [line["kind"] for line in client.received if line["kind"] == "disconnect"] == []


async def test_a_removed_member_receives_nothing_that_happened_later(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        client = await here.opens("j")
        await client.connects()
        await joins(client, here.verona)
        await here.loses(client)
        await here.sends("a secret")
        await here.r.asks("members:remove", {"conversationId": here.verona, "userId": here.juliet.id})
        here.line.down = False
        assert (await client.connects())["recovered"] is True
        await here.sends("another")
        await client.receives_named("members:removed", 1)
        assert (await client.asks("conversation:join", {"conversationId": here.verona}))["ok"] is False
        received = [line["event"] for line in client.received if line["kind"] == "event"]
        assert "message:created" not in received


@pytest.mark.parametrize("options", WAYS)
async def test_a_line_that_breaks_all_the_time(tmp_path: Path, options: dict[str, Any]) -> None:
    contents = [str(number) for number in range(150)]
    async with scene(tmp_path) as here:
        client = await here.opens("j", **options)
        await client.connects()
        await joins(client, here.verona)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.line.cut_at_random, Random(7), 0.05, 0.25)
            for content in contents:
                await here.sends(content)
                await trio.sleep(0.005)
            nursery.cancel_scope.cancel()
        assert here.line.cuts > 2
        assert await receives_contents(client, len(contents)) == contents
        connections = [line for line in client.received if line["kind"] == "connect"]
        assert connections
        assert all(line["recovered"] for line in connections)
