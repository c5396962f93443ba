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
from tests.scenes.stage import Person, RpcPlayer, Stage, stage
from tests.scenes.test_colon_chat import group
from tests.scenes.test_socketio_client import WAYS
from tests.scenes.troupe import IoPlayer, Troupe, troupe

OFFSET = re.compile(r"[0-9a-f-]{36}-\d+\.message:created")
SOON = {"reconnectionDelay": 10, "reconnectionDelayMax": 50, "timeout": 2_000}


class Scene(NamedTuple):
    """Romeo sends over JSON-RPC. Juliet receives over Socket.IO, on a connection that the test can cut."""

    on: Stage
    line: Relay
    players: Troupe
    romeo: Person
    juliet: Person
    r: RpcPlayer
    verona: str

    async def opens(self, name: str, path: str = "/chat", **options: Any) -> IoPlayer:
        auth = {"token": self.juliet.token, "recovery": True} | options.pop("auth", {})
        return await self.players.opens(name, path, **SOON, auth=auth, **options)

    async def says(self, *contents: str, where: str = "") -> None:
        for content in contents:
            await self.r.asks("message:send", {"conversationId": where or self.verona, "content": content})

    async def loses(self, *players: IoPlayer) -> None:
        """Cut the connection, until both sides have noticed."""
        self.line.down = True
        self.line.cut()
        for player in players:
            await player.disconnects()

    async def is_alone(self) -> None:
        """Wait until Romeo is the only user who is online."""
        with trio.fail_after(5):
            while len(self.on.server.app.connections) > 1:  # noqa: ASYNC110
                await trio.sleep(0.01)


@asynccontextmanager
async def scene(tmp_path: Path, **settings: str) -> AsyncIterator[Scene]:
    async with (
        stage(tmp_path, **settings) as on,
        relay(int(on.address.rpartition(":")[2])) as line,
        troupe(f"127.0.0.1:{line.port}") as players,
    ):
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        verona = await group(romeo, juliet)
        yield Scene(on, line, players, romeo, juliet, await on.rpc(romeo), verona)


async def joins(player: IoPlayer, where: str) -> None:
    assert (await player.asks("conversation:join", {"conversationId": where}))["ok"] is True


async def hears_contents(player: IoPlayer, count: int) -> list[str]:
    """The contents of the next messages. Each comes with its offset."""
    heard = await player.hears_of("message:created", count)
    assert all(OFFSET.fullmatch(offset) for _, offset in heard), heard
    return [message["content"] for message, _ in heard]


async def test_no_client_gets_an_argument_or_a_pid_unasked(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        player = await on.opens("j", auth={"recovery": False})
        first = await player.connects()
        await player.hears("unread:count")
        await joins(player, on.verona)
        await on.says("one argument")
        assert [len(args) for args in await player.hears_of("message:created", 1)] == [1]
        await on.loses(player)
        on.line.down = False
        again = await player.connects()
        assert again["recovered"] is False
        assert again["id"] != first["id"]


@pytest.mark.parametrize("options", WAYS)
async def test_the_network_breaks_and_nothing_is_missed(tmp_path: Path, options: dict[str, Any]) -> None:
    async with scene(tmp_path) as on:
        player = await on.opens("j", **options)
        first = await player.connects()
        assert first["recovered"] is False
        mantua = await group(on.romeo, on.juliet)
        await joins(player, on.verona)
        await on.says("1", "2")
        heard = await hears_contents(player, 2)
        for missed in (["3", "4"], ["6", "7"], []):
            await on.loses(player)
            await on.says(*missed)
            await on.says("in a room that she is not in", where=mantua)
            on.line.down = False
            again = await player.connects()
            assert again["recovered"] is True
            assert again["id"] == first["id"]
            await on.says("live")
            heard += await hears_contents(player, len(missed) + 1)
        assert heard == ["1", "2", "3", "4", "live", "6", "7", "live", "live"]


@pytest.mark.parametrize("options", WAYS)
async def test_more_than_the_outbox_holds_is_recovered_in_pieces(tmp_path: Path, options: dict[str, Any]) -> None:
    lifted = {"limits__sends_per_user": "0", "limits__calls_per_connection": "0"}
    async with scene(tmp_path, limits__outbox_bytes="64KiB", **lifted) as on:
        player = await on.opens("j", **options)
        await player.connects()
        await joins(player, on.verona)
        await on.says("before")
        await hears_contents(player, 1)
        await on.loses(player)
        missed = [f"{number} {'x' * 4_000}" for number in range(40)]
        await on.says(*missed)
        on.line.down = False
        assert (await player.connects())["recovered"] is True
        assert await hears_contents(player, len(missed)) == missed


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
    async with scene(tmp_path, **settings) as on:
        player = await on.opens("j", **options)
        first = await player.connects()
        await on.loses(player)
        on.line.down = False
        again = await player.connects()
        assert (again["recovered"], again["id"]) == (True, first["id"])


async def test_where_recovery_is_never_given_asking_is_no_use(tmp_path: Path) -> None:
    async with scene(tmp_path, socketio__recovery="never") as on:
        player = await on.opens("j")
        await player.connects()
        assert [len(args) for args in await player.hears_of("unread:count", 1)] == [1]
        await on.loses(player)
        on.line.down = False
        assert (await player.connects())["recovered"] is False


async def test_each_namespace_recovers_on_its_own(tmp_path: Path) -> None:
    async with scene(tmp_path, **{"dialects__/other": "colon", "dialects__/plain": "colon"}) as on:
        mantua = await group(on.romeo, on.juliet)
        one, other = await on.opens("one"), await on.opens("other", "/other")
        plain = await on.opens("plain", "/plain", auth={"recovery": False})
        before = [(await player.connects())["id"] for player in (one, other)]
        await plain.connects()
        assert len(on.on.server.app.connections) == 2
        await joins(one, on.verona)
        await joins(other, mantua)
        await joins(plain, mantua)
        await on.loses(one, other, plain)
        await on.says("in Verona")
        await on.says("in Mantua", where=mantua)
        on.line.down = False
        after = [await player.connects() for player in (one, other)]
        assert [again["recovered"] for again in after] == [True, True]
        assert [again["id"] for again in after] == before
        assert (await plain.connects())["recovered"] is False
        await on.says("still in Verona")
        await on.says("still in Mantua", where=mantua)
        assert await hears_contents(one, 2) == ["in Verona", "still in Verona"]
        assert await hears_contents(other, 2) == ["in Mantua", "still in Mantua"]
        assert (await plain.asks("conversation:join", {"conversationId": mantua}))["ok"] is True
        await on.says("at last", where=mantua)
        assert [args[0]["content"] for args in await plain.hears_of("message:created", 1)] == ["at last"]


async def test_who_was_away_too_long_begins_anew(tmp_path: Path) -> None:
    async with scene(tmp_path, events__keep_count="2") as on:
        player = await on.opens("j")
        first = await player.connects()
        await joins(player, on.verona)
        await on.loses(player)
        await on.says("1", "2", "3", "4", "5")
        assert await clean(on.on.server.app) > 0
        on.line.down = False
        again = await player.connects()
        assert again["recovered"] is False
        assert again["id"] != first["id"]
        await on.says("in a room that she is not in any more")
        await joins(player, on.verona)
        await on.says("6")
        assert await hears_contents(player, 1) == ["6"]


async def test_a_session_that_is_forgotten_begins_anew(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        player = await on.opens("j")
        first = await player.connects()
        app = on.on.server.app
        assert await app.database.write(lambda tx: sessions.delete_unused(tx, tx.now + 1, 500)) == 1
        await on.loses(player)
        on.line.down = False
        again = await player.connects()
        assert again["recovered"] is False
        assert again["id"] != first["id"]


async def test_who_left_on_purpose_begins_anew(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        player = await on.opens("j")
        await player.connects()
        await player.leaves()
        assert await player.disconnects() == "io client disconnect"
        await on.is_alone()
        await player.comes_again()
        assert (await player.connects())["recovered"] is False


@pytest.mark.parametrize("options", WAYS)
async def test_more_is_missed_than_may_wait_for_one_client(tmp_path: Path, options: dict[str, Any]) -> None:
    contents = [f"{number} {'x' * 9_000}" for number in range(60)]
    async with scene(tmp_path, limits__outbox_bytes="128KiB") as on:
        player = await on.opens("j", **options)
        await player.connects()
        await joins(player, on.verona)
        await on.loses(player)
        await on.says(*contents)
        on.line.down = False
        assert (await player.connects())["recovered"] is True
        assert await hears_contents(player, len(contents)) == contents
        assert [line["kind"] for line in player.heard if line["kind"] == "disconnect"] == []


async def test_a_removed_member_receives_nothing_that_happened_later(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        player = await on.opens("j")
        await player.connects()
        await joins(player, on.verona)
        await on.loses(player)
        await on.says("a secret")
        await on.r.asks("members:remove", {"conversationId": on.verona, "userId": on.juliet.id})
        on.line.down = False
        assert (await player.connects())["recovered"] is True
        await on.says("another")
        await player.hears_of("members:removed", 1)
        assert (await player.asks("conversation:join", {"conversationId": on.verona}))["ok"] is False
        heard = [line["event"] for line in player.heard if line["kind"] == "event"]
        assert "message:created" not in heard


@pytest.mark.parametrize("options", WAYS)
async def test_a_line_that_breaks_all_the_time(tmp_path: Path, options: dict[str, Any]) -> None:
    contents = [str(number) for number in range(150)]
    async with scene(tmp_path) as on:
        player = await on.opens("j", **options)
        await player.connects()
        await joins(player, on.verona)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(on.line.cut_at_random, Random(7), 0.05, 0.25)
            for content in contents:
                await on.says(content)
                await trio.sleep(0.005)
            nursery.cancel_scope.cancel()
        assert on.line.cuts > 2
        assert await hears_contents(player, len(contents)) == contents
        connections = [line for line in player.heard if line["kind"] == "connect"]
        assert connections
        assert all(line["recovered"] for line in connections)
