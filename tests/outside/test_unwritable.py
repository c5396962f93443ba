"""The database cannot be written to, or a part of the server fails: what clients and supervisors see."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.outside.raw import Raw, request
from tests.outside.server import Chatd, token
from tests.scenes.chat_server import Rest

UNAVAILABLE = -32050
BACK_SECONDS = 20.0


@contextmanager
def full(server: Chatd) -> Iterator[None]:
    """Let no file grow."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1, -1))
    yield
    if server.alive:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (-1, -1))


@contextmanager
def locked(server: Chatd) -> Iterator[None]:
    """Another program holds a write transaction."""
    other = sqlite3.connect(server.data / "chatd.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


async def new_group(server: Chatd) -> str:
    rest = Rest(f"http://{server.address}")
    status, made, _ = await rest.ask("POST", "/conversations", {"type": "group", "participants": []}, token=token(1))
    assert status == 201, made
    found: str = made["_id"]
    return found


async def readiness(server: Chatd) -> tuple[int, bytes]:
    async with await Raw.connect(server.address) as raw:
        return await raw.asks(request("GET", "/readyz"))


async def test_readiness_follows_whether_writes_succeed_and_comes_back_by_itself(tmp_path: Path) -> None:
    server = Chatd(tmp_path).start()
    try:
        where = await new_group(server)
        assert (await readiness(server))[0] == 200
        async with await Raw.open(server.address, token(1)) as raw:
            with full(server):
                said = {"conversationId": where, "content": "x" * 10_000}
                while "error" not in (answer := await raw.call("message:send", said)):
                    pass
                assert answer["error"]["code"] == UNAVAILABLE
                status, body = await readiness(server)
                assert status == 503
                assert "database can't be written to" in body.decode()
            with trio.fail_after(BACK_SECONDS):
                while (await readiness(server))[0] != 200:  # noqa: ASYNC110
                    await trio.sleep(0.1)
            assert "result" in await raw.call("message:send", said)
        assert server.stop() == 0
    finally:
        server.end()


@pytest.mark.parametrize("cause", [full, locked])
async def test_it_stops_in_good_order_while_nothing_can_be_written(
    tmp_path: Path, cause: Callable[[Chatd], Any]
) -> None:
    server, codes = Chatd(tmp_path).start(), list[int]()
    try:
        where = await new_group(server)
        async with await Raw.open(server.address, token(1)) as raw, await Raw.open(server.address, token(2)) as other:
            with cause(server):
                said = {"conversationId": where, "content": "x" * 10_000}
                for number in range(30):
                    await raw.say({"id": number, "method": "message:send", "params": {**said}})
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(stop, server, codes)
                    answers = [answer async for answer in until_closed(raw)]
                    assert answers[-1] == 1012
                    assert {a["error"]["code"] for a in answers[:-1] if "error" in a} == {UNAVAILABLE}
                    assert await other.closed() == 1012
        assert codes == [0]
        assert [line for line in server.log if "Traceback" in line or "problem=" in line] == []
    finally:
        server.end()


async def stop(server: Chatd, codes: list[int]) -> None:
    codes.append(await trio.to_thread.run_sync(server.stop))


async def until_closed(raw: Raw) -> Any:
    while True:
        said = await raw.next_or_end()
        yield said
        if isinstance(said, int):
            return


async def test_a_data_folder_that_is_renamed_ends_nothing(tmp_path: Path) -> None:
    server = Chatd(tmp_path).start()
    try:
        where = await new_group(server)
        async with await Raw.open(server.address, token(1)) as raw:
            server.data.rename(tmp_path / "elsewhere")
            for number in range(50):
                said = {"conversationId": where, "content": "hello", "clientId": str(number)}
                assert "result" in await raw.call("message:send", said)
        assert server.stop() == 0
    finally:
        server.end()


def test_a_part_that_cannot_go_on_ends_the_process_with_a_line_and_a_code(tmp_path: Path) -> None:
    broken = (
        "import sys, chatd.realtime.flusher\n"
        "async def run(self): raise ValueError('no room')\n"
        "chatd.realtime.flusher.Flusher.run = run\n"
        "sys.argv[0] = 'chatd'\n"
        "from chatd.cli import main\n"
        "sys.exit(main())\n"
    )
    words = ["serve", "--port", "0", "--data", str(tmp_path / "data")]
    ran = subprocess.run(
        [sys.executable, "-c", broken, *words], capture_output=True, text=True, timeout=30, check=False
    )
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    [line] = [line for line in ran.stderr.splitlines() if "can't go on" in line]
    assert "part=broker" in line
    assert "ValueError: no room" in line
