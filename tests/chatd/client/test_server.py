"""chatd.client against the real server, through a relay that cuts, and across kills of the server's process."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio

from chatd.client import Chat, Gap, Refused, SignedOut, connect
from tests.relay import Relay, relay
from tests.scenes.stage import Person, Rest, Stage, stage

COLON = ("--dialect", "/chat=colon")
SENDS = 30


@asynccontextmanager
async def two_in_a_room(folder: Path) -> AsyncIterator[tuple[Stage, Relay, Person, Person, dict[str, Any]]]:
    """A server, a relay to it, two people, and their conversation."""
    async with stage(folder) as on:
        romeo, juliet = await on.person("romeo"), await on.person("juliet")
        talk = await romeo.asks("POST", "/conversations", {"type": "private", "participants": [juliet.id]}, status=201)
        async with relay(int(on.address.rpartition(":")[2])) as between:
            yield on, between, romeo, juliet, {"conversationId": talk["_id"]}


def reach(between: Relay, who: Person, **manner: Any) -> Any:
    return connect(f"http://127.0.0.1:{between.port}", who.token, random=lambda: 0.02, **manner)


async def test_calls_refusals_and_events(tmp_path: Path) -> None:
    async with (
        two_in_a_room(tmp_path) as (_, between, romeo, juliet, where),
        reach(between, romeo) as r,
        reach(between, juliet) as j,
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
    async with stage(tmp_path) as on:
        with pytest.raises(SignedOut):
            async with connect(f"http://{on.address}", "nonsense"):
                pass


async def test_a_place_that_is_no_chatd() -> None:
    async def hang_up(stream: trio.SocketStream) -> None:
        await stream.receive_some()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, hang_up, 0)
        port = listeners[0].socket.getsockname()[1]
        with pytest.raises(Exception, match="no WebSocket"):
            async with connect(f"http://127.0.0.1:{port}", "t", patience=0.2):
                pass
        nursery.cancel_scope.cancel()


async def listen(chat: Chat, who: Person, where: dict[str, Any], heard: list[str], until: int) -> None:
    """Keep a view of a conversation: what one is told, and what one loads when something is missing."""
    path = f"/conversations/{where['conversationId']}/messages?limit=200"
    async for event in chat.events():
        if isinstance(event, Gap):
            heard[:] = [message["content"] for message in await who.asks("GET", path)]
        elif event.name == "message:created" and event.data["content"] not in heard:
            heard.append(event.data["content"])
        if len(heard) >= until:
            return


async def test_a_network_that_fails_all_the_time(tmp_path: Path) -> None:
    async with two_in_a_room(tmp_path) as (_, between, romeo, juliet, where):
        heard: list[str] = []
        said = [f"{number}" for number in range(SENDS)]
        async with reach(between, romeo) as r, reach(between, juliet) as j:
            await j.call("conversation:join", where)
            with trio.fail_after(60):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(between.cut_at_random, Random(5), 0.05, 0.2)
                    nursery.start_soon(say_all, r, where, said)
                    await listen(j, juliet, where, heard, SENDS)
                    nursery.cancel_scope.cancel()
        assert heard == said
        assert between.cuts > 3


async def say_all(chat: Chat, where: dict[str, Any], contents: list[str]) -> None:
    """Slowly enough for something to happen meanwhile."""
    for content in contents:
        await chat.send("message:send", {**where, "content": content})
        await trio.sleep(0.03)


class Process:
    """A server in a process of its own, that can be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    async def start(self) -> int:
        """Its port, once it listens."""
        command = [sys.executable, "-m", "chatd", "serve", "--port", "0", "--data", str(self._folder), *COLON]
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
            Person(rest, (await rest.ask("POST", "/auth/register", {"username": name, "password": "correct horse"}))[1])
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


async def send_many(between: Relay, who: Person, where: dict[str, Any]) -> None:
    with trio.fail_after(60):
        async with reach(between, who) as chat:
            await say_all(chat, where, [str(number) for number in range(SENDS)])
