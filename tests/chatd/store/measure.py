"""CPU per durable unit and per query: `python -m tests.chatd.store.measure [FOLDER]`. FOLDER chooses the disk."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio
from outcome import Outcome
from sqlalchemy import bindparam, select

from chatd.store.compiler import prepare
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import ReadTransaction
from tests.chatd.store.notes import SCHEMA, add, notes

GET = prepare(select(notes).where(notes.c.id == bindparam("id")))


def get_note(tx: ReadTransaction) -> Any:
    return tx.one(GET, id=7)


async def measure(name: str, submit: Callable[[Any, Any], None], unit: Any, waiting: int, total: int) -> None:
    """Keep `waiting` units outstanding until `total` are done."""
    sent = done_so_far = 0
    finished = trio.Event()

    def send() -> None:
        nonlocal sent
        if sent < total:
            sent += 1
            submit(unit, done)

    def done(result: Outcome[Any]) -> None:
        nonlocal done_so_far
        result.unwrap()
        done_so_far += 1
        if done_so_far == total:
            finished.set()
        send()

    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(waiting):
        send()
    await finished.wait()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{name} {waiting:4} waiting: {cpu / total * 1e6:6.1f} µs CPU, {total / wall:8.0f} a second")


async def main(folder: str | None) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        async with Database.open(Path(scratch) / "chatd.db", SCHEMA) as database:
            await measure("warm up", database.submit, add("hello there"), 50, 1_000)
            for waiting, total in ((1, 2_000), (50, 20_000), (500, 60_000)):
                await measure("write", database.submit, add("hello there"), waiting, total)
            for waiting, total in ((1, 3_000), (2, 3_000), (50, 20_000)):
                await measure("query", database.query, get_note, waiting, total)


if __name__ == "__main__":
    trio.run(main, sys.argv[1] if len(sys.argv) > 1 else None)
