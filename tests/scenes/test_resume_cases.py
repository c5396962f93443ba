"""Resuming in difficult cases: a lost `ready`, a trimmed log, a restored backup, a long connection, a long absence."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import trio

from chatd.connections import join
from chatd.connections.resume import SESSION_KEPT_MILLISECONDS, catch_up
from chatd.server import retention
from chatd.store.queries import event_log
from chatd.store.sqlite.schema import renew_epoch
from tests.outside.raw import Raw, upgrade
from tests.scenes.chat_server import ChatServer, RegisteredUser, RpcClient, chat_server
from tests.scenes.test_colon_chat import group
from tests.scenes.test_events import Stream
from tests.scenes.test_resume import back

DAY = retention.DAY_MILLISECONDS


async def in_a_room(server: ChatServer) -> tuple[RegisteredUser, RegisteredUser, RpcClient, str]:
    """Romeo, Juliet, her client in their conversation, and the conversation."""
    romeo, juliet = await server.register("romeo"), await server.register("juliet")
    verona = await group(romeo, juliet)
    j = await server.rpc(juliet)
    await j.asks("conversation:join", {"conversationId": verona})
    return romeo, juliet, j, verona


async def say(who: RegisteredUser, where: str, *contents: str) -> None:
    for content in contents:
        await who.asks("POST", f"/conversations/{where}/messages", {"content": content}, status=201)


async def contents(client: RpcClient) -> list[str]:
    return [params["content"] for name, params in await client.receives_all() if name == "message:created"]


async def test_a_ready_that_never_arrived_loses_no_rooms(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, j, verona = await in_a_room(server)
        await j.is_cut_off()
        where = f"epoch={j.ready['epoch']}&pos={j.position}&connection={j.ready['connection']}"
        for _ in range(3):
            async with await Raw.connect(server.address) as raw:  # it reconnects, and does not receive the answer
                await raw.send(upgrade(f"/chat?{where}", token=juliet.token))
                await until_entered(server)
        await say(romeo, verona, "missed")
        again = await back(server, juliet, j)
        assert again.ready["recovered"] is True
        assert await contents(again) == ["missed"]
        await say(romeo, verona, "live")
        assert await contents(again) == ["live"]


async def until_entered(server: ChatServer) -> None:
    with trio.fail_after(5):
        while not any(getattr(one, "channels", None) for one in server.running.app.connections):  # noqa: ASYNC110
            await trio.sleep(0.005)


async def test_cut_off_while_it_is_told_it_goes_on_under_the_new_ready(tmp_path: Path) -> None:
    async with chat_server(tmp_path, limits__outbox_bytes="64KiB") as server:
        romeo, juliet, j, verona = await in_a_room(server)
        await j.is_cut_off()
        await say(romeo, verona, *(f"{number} {'x' * 9_000}" for number in range(300)))
        again = await back(server, juliet, j)
        first = await again.skips_to("message:created")
        assert first["content"].startswith("0 ")
        await again.is_cut_off()
        third = await back(server, juliet, again)
        assert third.ready["recovered"] is True
        received = [first["content"], *await contents(third)]
        assert [one.split()[0] for one in received] == [f"{number}" for number in range(300)]


async def test_what_is_trimmed_while_it_is_told_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, j, verona = await in_a_room(server)
        await j.is_cut_off()
        await say(romeo, verona, "1", "2", "3")
        database = server.running.app.database

        async def trimmed_first(*args: Any) -> int:
            position = server.running.app.broker.position
            await database.write(lambda tx: event_log.trim(tx, before=0, position=position - 1, limit=100))
            return await catch_up(*args)

        monkeypatch.setattr(join, "catch_up", trimmed_first)
        again = await back(server, juliet, j)
        assert again.ready["recovered"] is True
        assert await again.is_closed_by_server() == 4008
        assert [message["method"] for message in again._received] == []
        third = await back(server, juliet, again)
        assert (third.ready["recovered"], third.ready["reason"]) == (False, "trimmed")


async def test_a_restored_database_has_another_epoch(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        _, juliet, j, _ = await in_a_room(server)
        await j.is_cut_off()
        epoch, position = j.ready["epoch"], j.position
    file = sqlite3.connect(tmp_path / "data" / "chatd.db")
    renewed = renew_epoch(file)
    file.commit()
    file.close()
    async with chat_server(tmp_path) as server:
        again = await back(server, juliet, j)
        assert (again.ready["recovered"], again.ready["reason"], again.ready["epoch"]) == (False, "epoch", renewed)
        said = await server.rest.ask("GET", f"/events?epoch={epoch}&pos={position}", token=juliet.token)
        assert (said[1]["recovered"], said[1]["reason"], said[1]["epoch"]) == (False, "epoch", renewed)
        stream = await Stream.of(server, juliet, last=f"{epoch}-{position}")
        id, name, ready = await stream.receives()
        assert (name, ready["recovered"], ready["reason"]) == ("ready", False, "epoch")
        assert id == f"{renewed}-{ready['pos']}"
        await stream.leaves()


async def test_a_stream_that_received_nothing_goes_on_too(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, _, verona = await in_a_room(server)
        stream = await Stream.of(server, juliet)
        last, name, _ = await stream.receives()
        assert name == "ready"
        await stream.leaves()
        await say(romeo, verona, "missed")
        again = await Stream.of(server, juliet, last=last)
        assert (await again.receives())[2]["recovered"] is True
        assert (await again.skips_to("message:created"))[1]["content"] == "missed"
        await again.leaves()


async def test_a_connection_that_lives_long_is_not_forgotten(tmp_path: Path) -> None:
    async with chat_server(tmp_path, events__keep_days="1") as server:
        romeo, juliet, j, verona = await in_a_room(server)
        app, now = server.running.app, [server.running.app.database.clock()]
        app.database.clock = lambda: now[0]
        for _ in range(3):
            now[0] += DAY // 2 + 1
            await retention.keep_sessions(app)
            await retention.clean(app)
        await say(romeo, verona, "received")
        assert await contents(j) == ["received"]
        await j.is_cut_off()
        await say(romeo, verona, "missed")
        again = await back(server, juliet, j)
        assert again.ready["recovered"] is True
        assert await contents(again) == ["missed"]


async def test_a_session_that_may_be_forgotten_is_a_gap(tmp_path: Path) -> None:
    """The last event is kept, however old it is. Its position is valid, but the rooms are forgotten."""
    async with chat_server(tmp_path, events__keep_days="1") as server:
        _, juliet, j, _ = await in_a_room(server)
        app = server.running.app
        later = app.database.clock() + DAY + SESSION_KEPT_MILLISECONDS
        await j.is_cut_off()
        app.database.clock = lambda: later
        assert await retention.clean(app) > 0
        again = await back(server, juliet, j)
        assert (again.ready["recovered"], again.ready["reason"]) == (False, "connection")
        nameless = await back(server, juliet, j, connection="")
        assert nameless.ready["recovered"] is True


async def test_the_log_is_trimmed_by_time_and_count_in_small_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP_ROWS", 4)
    async with chat_server(tmp_path, events__keep_days="2", events__keep_count="15") as server:
        app, database = server.running.app, server.running.app.database
        start = database.clock()
        database.clock = lambda: start
        romeo, _, _, verona = await in_a_room(server)
        for day in range(3):
            database.clock = lambda day=day: start + day * DAY  # type: ignore[misc]
            await say(romeo, verona, *(f"{day}.{number}" for number in range(9)))
        steps: list[int] = []
        write = database.write

        async def counted(unit: Any) -> Any:
            steps.append(await write(unit))
            return steps[-1]

        monkeypatch.setattr(database, "write", counted)
        position = app.broker.position
        assert await retention.clean(app) == position - 15  # by count
        assert max(steps) <= 4
        assert len(steps) > 3
        assert await database.read(event_log.first) == position - 14
        later = start + 3 * DAY + 1
        database.clock = lambda: later
        assert await retention.clean(app) == 6 + 1  # what is left of day 1, and the session
        later += 30 * DAY
        await retention.clean(app)
        assert await database.read(event_log.first) == position  # the last one is kept
