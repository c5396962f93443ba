"""The disk is full, and has room again.

Writes are refused with UNAVAILABLE, and reads go on. Writes succeed again without a restart. No acked message is
missing afterwards. The limit is the size of a file (RLIMIT_FSIZE, set from outside and removed again). Where the trial
may mount one, it is also a small tmpfs that is filled and emptied.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import trio

from tests.outside.chatting import client, new_group
from tests.outside.raw import Raw, request
from tests.outside.server import UNLIMITED, Chatd, token
from tests.trials.shell import Figures, main

UNAVAILABLE = -32050
DISK = 12 * 1024 * 1024


class FileSize:
    """Let no file grow beyond the current size of the log."""

    name = "file size"

    def __init__(self, server: Chatd) -> None:
        self.server = server

    def fill(self) -> None:
        log = self.server.data / "chatd.db-wal"
        resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 20_000, -1))

    def empty(self) -> None:
        resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE, (-1, -1))


class SmallDisk:
    """Another file fills the disk."""

    name = "tmpfs"

    def __init__(self, server: Chatd) -> None:
        self.filler = server.data.parent / "filler"

    def fill(self) -> None:
        with self.filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4_096)

    def empty(self) -> None:
        self.filler.unlink()


async def trial(folder: Path, quick: bool) -> Figures:
    """By file size; also on a small disk, if the trial is long and runs as root."""
    figures = await run(folder / "size", FileSize)
    disk = folder / "disk"
    disk.mkdir()
    if not quick and os.geteuid() == 0:
        await trio.run_process(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)])
        try:
            figures |= await run(disk, SmallDisk)
        finally:
            await trio.run_process(["umount", str(disk)])
    return figures


async def run(folder: Path, make: Callable[[Chatd], FileSize | SmallDisk]) -> Figures:
    """One kind of full disk."""
    server = Chatd(folder, UNLIMITED).start()
    wall = make(server)
    acked: list[str] = []
    try:
        async with client(server.address, token(2)), client(server.address, token(1)) as one:
            where = await new_group(one, server.address, token(1), [2])
        async with await Raw.open(server.address, token(1)) as raw:
            await send(raw, where, acked, most=50)
            wall.fill()
            answer = await send(raw, where, acked, most=5_000)
            assert answer["error"]["code"] == UNAVAILABLE, answer
            assert answer["error"]["data"]["error"]["code"] == "UNAVAILABLE", answer
            at_wall = len(acked)
            page = await read(server.address, where)
            assert page, "nothing can be read"
            wall.empty()
            began = trio.current_time()
            while (await send(raw, where, acked, most=1)).get("error"):
                assert trio.current_time() - began < 5, "writes do not return"
                await trio.sleep(0.05)
            back = trio.current_time() - began
            await send(raw, where, acked, most=50)
        assert server.stop() == 0
        assert [line for line in server.faults if "Traceback" in line] == []
        lines = len(server.faults)
    finally:
        server.end()
    with closing(sqlite3.connect(f"file:{server.data / 'chatd.db'}?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        stored = [name for (name,) in database.execute("SELECT client_id FROM messages ORDER BY id")]
    database.close()
    assert stored == acked, f"{len(acked)} acked, {len(stored)} stored"
    return {
        f"{wall.name}: acked before it was full": at_wall,
        f"{wall.name}: writes are back after, s": round(back, 2),
        f"{wall.name}: acked and stored": len(stored),
        f"{wall.name}: lines in the log": lines,
    }


async def send(raw: Raw, where: str, acked: list[str], *, most: int) -> Any:
    """Send until a send is refused, at most so many; the last answer."""
    answer: Any = {}
    for _ in range(most):
        name = f"{len(acked)}"
        params = {"conversationId": where, "content": "x" * 2_000, "clientId": name}
        answer = await raw.call("message:send", params)
        if "error" in answer:
            return answer
        acked.append(name)
    return answer


async def read(address: str, where: str) -> list[object]:
    async with await Raw.connect(address) as raw:
        status, body = await raw.asks(request("GET", f"/conversations/{where}/messages", token=token(1)))
        assert status == 200, body
        found: list[object] = json.loads(body)
        return found


if __name__ == "__main__":
    main(__doc__ or "", trial)
