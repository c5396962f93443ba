"""A broadcast to 100,000 users while fifty of them chat: the chat's p99 before and during it, and when it arrives.

The trial writes the users straight into the database. A thousand of them are connected to /notifications. The broadcast
is acked when it is recorded. Every listener receives it and its count within ten seconds.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import trio

from tests.outside.chatting import client, new_group
from tests.outside.raw import Raw
from tests.outside.server import UNLIMITED, Chatd, token
from tests.scenes.chat_server import Rest
from tests.trials.shell import Figures, main, share

SENDERS = 50
PAUSE = 0.2  # 250 messages a second, to fifty members each: 12,500 deliveries
MEASURED = 6.0
USER = """INSERT INTO users (id, name, admin, disabled, valid_from, created, local) VALUES (?, ?, 0, 0, 0, ?, 1)"""


class Chat:
    """The times of the acks."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def talk(self, raw: Raw, where: str, number: int) -> None:
        await trio.sleep(PAUSE * number / SENDERS)
        while True:
            began = trio.current_time()
            await raw.call("message:send", {"conversationId": where, "content": "x"})
            self.seconds.append(trio.current_time() - began)
            await trio.sleep(PAUSE)


async def listen(address: str, number: int, received: dict[int, float], ready: trio.Semaphore) -> None:
    async with await Raw.open(address, token(number), "/notifications") as raw:
        ready.release()
        while True:
            said = await raw.next_or_end()
            if isinstance(said, int):
                return
            if said.get("method") == "notification:count" and said["params"]["count"] > 0:
                received[number] = trio.current_time()


def populate(data: Path, users: int) -> None:
    now = time.time_ns() // 1_000_000
    with sqlite3.connect(data / "chatd.db") as database:
        known = {number for (number,) in database.execute("SELECT id FROM users")}
        rows = ((n, f"u{n}", now) for n in range(1, users + 1) if n not in known)
        database.executemany(USER, rows)
    database.close()


async def trial(folder: Path, quick: bool) -> Figures:
    """The trial; 10,000 users and 100 listeners when it is quick."""
    users, listeners = (10_000, 100) if quick else (100_000, 1_000)
    measured = MEASURED / 3 if quick else MEASURED
    server = Chatd(folder, UNLIMITED).start()
    await trio.to_thread.run_sync(server.stop)
    populate(server.data, users)
    server.start()
    try:
        return await broadcast(server, users, listeners, measured)
    finally:
        server.end()


async def broadcast(server: Chatd, users: int, listeners: int, measured: float) -> Figures:
    address, received, ready, chat = server.address, dict[int, float](), trio.Semaphore(0), Chat()
    async with client(address, token(1)) as first:
        where = await new_group(first, address, token(1), list(range(2, SENDERS + 1)))
    async with trio.open_nursery() as nursery:
        for number in range(listeners):
            nursery.start_soon(listen, address, 1_000 + number, received, ready)
        for _ in range(listeners):
            await ready.acquire()
        raws = [await Raw.open(address, token(number)) for number in range(1, SENDERS + 1)]
        for number, raw in enumerate(raws):
            await raw.call("conversation:join", {"conversationId": where})
            nursery.start_soon(chat.talk, raw, where, number)
        await trio.sleep(1)
        chat.seconds.clear()
        await trio.sleep(measured)
        before, chat.seconds = chat.seconds, []
        began = trio.current_time()
        body = {"title": "Maintenance", "content": "At noon"}
        admin = token(1, role="admin")
        status, said, _ = await Rest(f"http://{address}").ask("POST", "/notifications/broadcast", body, token=admin)
        assert status == 202, said
        acked = trio.current_time() - began
        with trio.move_on_after(10):
            while len(received) < listeners:  # noqa: ASYNC110
                await trio.sleep(0.01)
        while trio.current_time() < began + measured:  # noqa: ASYNC110
            await trio.sleep(0.01)
        during = chat.seconds
        nursery.cancel_scope.cancel()
    assert len(received) == listeners, f"{len(received)} of {listeners} received"
    assert server.faults == [], server.faults[:3]
    took = [at - began for at in received.values()]
    return {
        "users": users,
        "listeners": listeners,
        "chat before: p50, p99 ms": (share(before, 0.5), share(before, 0.99)),
        "chat during: p50, p99 ms": (share(during, 0.5), share(during, 0.99)),
        "sends before, during": (len(before), len(during)),
        "broadcast acked after, ms": round(acked * 1000, 1),
        "received after, first, p50, last ms": (share(took, 0), share(took, 0.5), share(took, 1)),
    }


if __name__ == "__main__":
    main(__doc__ or "", trial)
