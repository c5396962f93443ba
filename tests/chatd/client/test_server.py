"""chatd.client against the real server, through a relay that cuts, and across kills of the server's process."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from chatd.client import Chat, Refused, SignedOut, StreamGap, connect
from chatd.client.problems import ConnectionLost
from chatd.client.wire import Wire, dial
from tests.relay import Relay, relay
from tests.scenes.chat_server import ChatServer, RegisteredUser, Rest, chat_server

COLON = ("--dialect", "/chat=colon")
OPEN = ("--set", "auth.registration=open")
SENDS = 30


@asynccontextmanager
async def two_in_a_room(
    folder: Path,
) -> AsyncIterator[tuple[ChatServer, Relay, RegisteredUser, RegisteredUser, dict[str, Any]]]:
    """A server, a relay to it, two users, and their conversation."""
    async with chat_server(folder) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        talk = await romeo.asks("POST", "/conversations", {"type": "private", "participants": [juliet.id]}, status=201)
        async with relay(int(server.address.rpartition(":")[2])) as between:
            yield server, between, romeo, juliet, {"conversationId": talk["_id"]}


def connect_through(between: Relay, person: RegisteredUser, **options: Any) -> Any:
    return connect(f"http://127.0.0.1:{between.port}", person.token, random=lambda: 0.02, **options)


async def test_calls_refusals_and_events(tmp_path: Path) -> None:
    async with (
        two_in_a_room(tmp_path) as (_, between, romeo, juliet, where),
        connect_through(between, romeo) as r,
        connect_through(between, juliet) as j,
    ):
        assert (r.ready.user, j.ready.user) == (romeo.id, juliet.id)
        assert await r.call("conversation:join", where) == {"ok": True}
        sent = (await r.send("message:send", {**where, "content": "But soft!"}))["data"]
        async for event in r.events():
            if event.name == "message:created":
                assert event.data == sent
                assert event.position > 0
                assert event.room == f"conversation:{where['conversationId']}"
                break
        with pytest.raises(Refused) as refused:
            await j.call("message:edit", {"messageId": sent["_id"], "content": "Mine"})
        assert (refused.value.code, refused.value.again) == ("FORBIDDEN", False)
        with pytest.raises(Refused, match="BAD_REQUEST"):
            await j.call("no:such", {})


async def test_a_token_that_is_not_valid(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        with pytest.raises(SignedOut):
            async with connect(f"http://{server.address}", "nonsense"):
                pass


async def test_a_server_that_is_not_chatd() -> None:
    async def hang_up(stream: trio.SocketStream) -> None:
        await stream.receive_some()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, hang_up, 0)
        port = listeners[0].socket.getsockname()[1]
        with pytest.raises(Exception, match="no WebSocket"):
            async with connect(f"http://127.0.0.1:{port}", "t", patience=0.2):
                pass
        nursery.cancel_scope.cancel()


async def receive_until(chat: Chat, content: str) -> list[str]:
    """Receive messages up to that one, without a gap."""
    received: list[str] = []
    async for event in chat.events():
        assert not isinstance(event, StreamGap), event
        if event.name == "message:created":
            received.append(event.data["content"])
            if received[-1] == content:
                break
    return received


async def test_messages_missed_while_the_network_is_down_arrive(tmp_path: Path) -> None:
    received: list[str] = []
    async with (
        two_in_a_room(tmp_path) as (_, between, romeo, juliet, where),
        connect_through(between, romeo) as r,
        connect_through(between, juliet) as j,
    ):
        await j.call("conversation:join", where)
        with trio.fail_after(60):
            for number in range(SENDS):
                await r.send("message:send", {**where, "content": str(number)})
                if number % 4 == 0:
                    received += await receive_until(j, str(number))
                if number % 3 == 0:
                    between.cut()
            received += await receive_until(j, str(SENDS - 1))
    assert received == [str(number) for number in range(SENDS)]
    assert between.cuts >= SENDS // 3


class ReadyLostWire:
    """A connection that ends before the client receives `ready`, though the server has sent it and all after it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def send(self, text: bytes) -> None:
        await self._wire.send(text)

    async def receive(self) -> str | bytes:
        for _ in range(2):
            await self._wire.receive()
        raise ConnectionLost


async def test_a_ready_that_never_arrives_loses_no_room(tmp_path: Path) -> None:
    dials: list[str] = []

    async def dial_badly(url: str, token: str, use: Callable[[Wire], Awaitable[None]]) -> None:
        dials.append(url)
        loses_ready = len(dials) == 2
        await dial(url, token, lambda wire: use(ReadyLostWire(wire) if loses_ready else wire))

    async with (
        two_in_a_room(tmp_path) as (_, between, romeo, juliet, where),
        connect_through(between, juliet, dial=dial_badly) as j,
        connect_through(between, romeo) as r,
    ):
        await j.call("conversation:join", where)
        between.cut()
        with trio.fail_after(5):
            while len(dials) < 3 or not j.connected:  # noqa: ASYNC110 - no event tells it
                await trio.sleep(0.01)
            await r.send("message:send", {**where, "content": "hi"})
            assert await receive_until(j, "hi") == ["hi"]


async def send_all(chat: Chat, where: dict[str, Any], contents: list[str]) -> None:
    """Send slowly enough for the failures to happen meanwhile."""
    for content in contents:
        await chat.send("message:send", {**where, "content": content})
        await trio.sleep(0.03)


class Process:
    """A server in a process of its own, which the test can kill."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    async def start(self) -> int:
        """Start the server, and return its port once it listens."""
        command = [sys.executable, "-m", "chatd", "serve", "--port", "0", "--data", str(self._folder), *COLON, *OPEN]
        self._process = subprocess.Popen(  # noqa: ASYNC220
            command, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr
        line = await trio.to_thread.run_sync(self._process.stderr.readline)
        found = re.search(r"listening on http://.*:(\d+)", line)
        assert found, line
        return int(found[1])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stderr
            self._process.stderr.close()
            self._process = None


async def test_each_message_is_there_once_though_the_server_is_killed(tmp_path: Path) -> None:
    process = Process(tmp_path / "data")
    try:
        rest = Rest(f"http://127.0.0.1:{await process.start()}")
        people = [
            RegisteredUser(
                rest, (await rest.ask("POST", "/auth/register", {"username": name, "password": "correct horse"}))[1]
            )
            for name in ("romeo", "juliet")
        ]
        talk = await people[0].asks("POST", "/conversations", {"type": "private", "participants": [people[1].id]})
        async with relay(int(rest.base.rpartition(":")[2])) as between, trio.open_nursery() as nursery:
            for person in people:
                nursery.start_soon(send_many, between, person, {"conversationId": talk["_id"]})
            for pause in (0.3, 0.5, 0.7):
                await trio.sleep(pause)
                process.kill()
                between.cut()
                between.point_at(await process.start())
        people[0].rest = Rest(f"http://127.0.0.1:{between.target}")
        found = await people[0].asks("GET", f"/conversations/{talk['_id']}/messages?limit=200")
        for person in people:
            mine = [one["content"] for one in found if one["sender_id"] == person.id]
            assert mine == [str(number) for number in range(SENDS)]
    finally:
        process.kill()


async def send_many(between: Relay, person: RegisteredUser, where: dict[str, Any]) -> None:
    with trio.fail_after(60):
        async with connect_through(between, person) as chat:
            await send_all(chat, where, [str(number) for number in range(SENDS)])
