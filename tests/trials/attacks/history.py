"""The content of the store before an attack: made by the API, then multiplied in the database of a stopped server.

Rows of the server are copied with all their columns, so that this works with any version of the tables.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.outside.raw import upgrade
from tests.outside.server import token
from tests.trials.attacks.assaults import ATTACKER, MEMBERS
from tests.trials.attacks.crowd import new_group
from tests.trials.attacks.target import Target

LARGEST = "\N{GRINNING FACE}" * 10_000  # 40 KB in a message, so 8 MB in a page
Facts = dict[str, str]


async def nothing(target: Target) -> Facts:
    """For most attacks: nothing."""
    return {}


async def group(target: Target) -> Facts:
    """A group of the attacker's, and a message."""
    return await _group(target, ATTACKER, [], "x" * 1_000)


async def heavy_group(target: Target) -> Facts:
    """The same, with the largest message."""
    return await _group(target, ATTACKER, [], LARGEST)


async def large_group(target: Target) -> Facts:
    """A group of a hundred, and a message."""
    return await _group(target, MEMBERS[0], list(MEMBERS[1:]), "hello")


async def _group(target: Target, owner: int, others: list[int], content: str) -> Facts:
    for user in [owner, *others]:
        async with await target.websocket(token=token(user), source=10 + user % 3):
            pass
    room = await new_group(target, owner, others)
    async with await target.connect() as raw:
        status, _ = await raw.asks(upgrade(token=token(owner)))
        assert status == 101, status
        ready = (await raw.message())["params"]
        said = {"id": 1, "method": "message:send", "params": {"conversationId": room, "content": content}}
        await raw.say(json.dumps(said, ensure_ascii=False))
        answer = await raw.reply()
        message = answer["result"]["data"]["_id"]
        return {"room": room, "epoch": str(ready["epoch"]), "pos": str(ready["pos"] + 1), "message": message}


def multiply(data: Path, message: str, copies: int) -> None:
    """Copy the message and its event so many times. No server may run on the data."""
    original = int(message[8:], 16)
    with closing(sqlite3.connect(data / "chatd.db")) as link, link:
        _copy(link, "messages", "id", f"id = {original}", copies, "client_id", "NULL")
        newest = link.execute("SELECT max(id) FROM messages").fetchone()[0] - copies
        where = f"kind = 'message' AND about = {original}"
        _copy(link, "events", "position", where, copies, "about", f"{newest} + numbers.number")


def _copy(link: sqlite3.Connection, table: str, key: str, where: str, copies: int, other: str, value: str) -> None:
    """Copy a row under new numbers, with another value in one more column."""
    columns = [row[1] for row in link.execute(f"PRAGMA table_info({table})")]
    changed = {key: f"(SELECT max({key}) FROM {table}) + numbers.number", other: value}
    values = ", ".join(changed.get(name, f'"{name}"') for name in columns)
    link.execute("DROP TABLE IF EXISTS temp.numbers")
    link.execute(
        f"CREATE TEMP TABLE numbers AS WITH RECURSIVE n(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n"
        f" LIMIT {copies}) SELECT number FROM n"
    )
    rows = f"SELECT {values} FROM {table}, numbers WHERE {where}"
    link.execute(f"CREATE TEMP TABLE copied AS {rows}")
    link.execute(f"INSERT INTO {table} SELECT * FROM copied")
    link.execute("DROP TABLE copied")
