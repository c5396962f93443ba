"""300,000 unread messages for a hundred members: read one by one, counted for all who connect at once, and deleted.

The trial writes the members and the messages straight into the database. Two clients chat. For each phase the trial
prints the waits of their acks, beside the waits before.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import trio

from protocol.ids import OBJECT_ID, Ref
from tests.outside.raw import Raw
from tests.outside.server import UNLIMITED, Chatd, token
from tests.scenes.chat_server import Rest
from tests.trials.shell import Figures, main, share

MEMBERS = 100
PAUSE_SECONDS = 0.01
LARGE, SMALL = 1, 2
USER = "INSERT INTO users (id, name, admin, disabled, valid_from, local, created) VALUES (?, ?, 0, 0, 0, 0, ?)"
CONVERSATION = "INSERT INTO conversations (id, kind, creator, created) VALUES (?, 'group', 1, ?)"
MEMBER = "INSERT INTO members (conversation, user, role, joined, cursor) VALUES (?, ?, ?, ?, 0)"
MESSAGE = """INSERT INTO messages (id, conversation, sender, type, content, attached, created)
    VALUES (?, ?, 1, 'text', ?, 0, ?)"""
LEFT = "SELECT (SELECT count(*) FROM removals) + (SELECT count(*) FROM messages WHERE conversation = ?)"


def populate(data: Path, messages: int) -> int:
    """Make the users and messages; the second of their creation, which is part of the ids."""
    now = time.time_ns() // 1_000_000
    with closing(sqlite3.connect(data / "chatd.db")) as database, database:
        users = range(1, MEMBERS + 1)
        database.executemany(USER, ((user, f"u{user}", now) for user in users))
        for place in (LARGE, SMALL):
            database.execute(CONVERSATION, (place, now))
            database.executemany(MEMBER, ((place, user, "owner" if user == 1 else "member", now) for user in users))
        database.executemany(MESSAGE, ((number, LARGE, "hello " * 10, now) for number in range(1, messages + 1)))
    return now // 1000


def left(data: Path) -> int:
    """The rows of the deleted conversation that still exist."""
    with closing(sqlite3.connect(f"file:{data / 'chatd.db'}?mode=ro", uri=True)) as database:
        return int(database.execute(LEFT, (LARGE,)).fetchone()[0])


async def trial(folder: Path, quick: bool) -> Figures:
    """The trial; 20,000 messages when it is quick."""
    server = Chatd(folder, UNLIMITED).start()
    await trio.to_thread.run_sync(server.stop)
    born = populate(server.data, 20_000 if quick else 300_000)
    server.start()
    figures: Figures = {}
    waits: list[float] = []

    def note(phase: str) -> None:
        """The waits since the last call."""
        figures[f"{phase}: p50 of an ack, ms"] = share(waits, 0.5)
        figures[f"{phase}: worst, ms"] = share(waits, 1.0)
        waits.clear()

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(chat, server, born, waits)
            await trio.sleep(0.5 if quick else 2)
            note("quiet")
            await read_one_by_one(server, born, 20 if quick else 200)
            note("read one by one")
            await connect_all(server)
            note("all connect")
            began = trio.current_time()
            figures["deletion acked after, ms"] = round(await delete(server, born) * 1000, 1)
            figures["its content gone after, s"] = round(trio.current_time() - began, 1)
            note("deleted")
            nursery.cancel_scope.cancel()
        assert server.stop() == 0
        assert server.faults == [], server.faults
    finally:
        server.end()
    return figures


async def chat(server: Chatd, born: int, waits: list[float]) -> None:
    said = {"conversationId": OBJECT_ID.write(Ref(SMALL, born)), "content": "hello"}
    async with await Raw.open(server.address, token(2)) as raw:
        while True:
            began = trio.current_time()
            answer = await raw.call("message:send", said)
            assert "result" in answer, answer
            waits.append(trio.current_time() - began)
            await trio.sleep(PAUSE_SECONDS)


async def read_one_by_one(server: Chatd, born: int, count: int) -> None:
    async with await Raw.open(server.address, token(3)) as raw:
        for number in range(1, count + 1):
            answer = await raw.call("message:read", {"messageId": OBJECT_ID.write(Ref(number, born))})
            assert "result" in answer, answer


async def connect_all(server: Chatd) -> None:
    async def connect(user: int) -> None:
        async with await Raw.open(server.address, token(user)) as raw:
            await raw.receives("unread:count")

    async with trio.open_nursery() as nursery:
        for user in range(4, MEMBERS + 1):
            nursery.start_soon(connect, user)


async def delete(server: Chatd, born: int) -> float:
    """Delete the large conversation, and wait until its content is gone; the time until the answer."""
    rest, began = Rest(f"http://{server.address}"), trio.current_time()
    path = f"/conversations/{OBJECT_ID.write(Ref(LARGE, born))}"
    status, said, _ = await rest.ask("DELETE", path, token=token(1))
    assert status == 204, said
    acked = trio.current_time() - began
    with trio.fail_after(300):
        while left(server.data):  # noqa: ASYNC110
            await trio.sleep(0.1)
    return acked


if __name__ == "__main__":
    main(__doc__ or "", trial)
