"""Ten thousand missed events: the time to catch up, and the effect on other clients.

A client was away while 10,000 messages were sent. Clients reconnect one after the other, then ten at once, while two
others chat. The trial also measures the cost of the event log: the CPU of the server's code for each durable send, with
the row of the log and without it, in turns in one process.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from unittest import mock

import trio

from chatd.services import context, messages
from chatd.services.context import Actor, ServiceContext, ServiceRules
from chatd.store.compiled.schema import SCHEMA
from chatd.store.queries import conversations, users
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import Transaction
from protocol import commands as ask
from protocol.ids import Key
from tests.outside.chatting import client, new_group, two_chat
from tests.outside.raw import Raw, upgrade
from tests.outside.server import UNLIMITED, Chatd, token
from tests.trials.shell import Figures, main, share

AWAY, SENDER, CROWD = 2, 1, 10
BOUND_MS = 250.0


async def trial(folder: Path, quick: bool) -> Figures:
    """10,000 events and ten clients that missed them; when it is quick 2,000."""
    count = 2_000 if quick else 10_000
    server = Chatd(folder, UNLIMITED).start()
    try:
        where, place = await leave_a_room(server)
        await pour(server, where, count)
        async with two_chat(server.address, (token(11), token(12))) as chat:
            await trio.sleep(1)
            quiet = list(chat.seconds)
            cpu = server.cpu
            chat.seconds.clear()
            alone = [await catch_up(server, place, where, count) for _ in range(CROWD)]
            cpu = server.cpu - cpu
            beside = list(chat.seconds)
            chat.seconds.clear()
            together: list[float] = []

            async def one() -> None:
                together.append(await catch_up(server, place, where, count))

            async with trio.open_nursery() as nursery:
                for _ in range(CROWD):
                    nursery.start_soon(one)
            loud = list(chat.seconds)
        assert server.stop() == 0
        assert server.faults == [], server.faults[:3]
    finally:
        server.end()
    worst = share(beside, 0.99)
    assert quick or worst < BOUND_MS, f"the others' 99th percentile: {worst} ms"
    kept, bare = await cost_of_the_log(folder, 400 if quick else 3_000)
    return {
        "events missed": count,
        "one catches up, s": round(statistics.median(alone), 2),
        "CPU for that, µs an event": round(cpu / count / CROWD * 1e6, 1),
        f"each of {CROWD} at once, s": round(statistics.median(together), 2),
        "others before, p50 p99 ms": (share(quiet, 0.5), share(quiet, 0.99)),
        "others beside one, p50 p99 ms": (share(beside, 0.5), worst),
        f"others beside {CROWD} at once, ms": (share(loud, 0.5), share(loud, 0.99)),
        "CPU per durable send, µs": round(kept, 1),
        "the same without the log, µs": round(bare, 1),
    }


async def leave_a_room(server: Chatd) -> tuple[str, str]:
    """A member joins a new group and disconnects: the group, and the query that resumes."""
    async with await Raw.open(server.address, token(AWAY)):
        pass
    async with client(server.address, token(SENDER)) as first:
        where = await new_group(first, server.address, token(SENDER), [AWAY])
    async with await Raw.connect(server.address) as raw:
        status, _ = await raw.asks(upgrade("/chat", token=token(AWAY)))
        assert status == 101
        ready = (await raw.message())["params"]
        await raw.call("conversation:join", {"conversationId": where})
    return where, f"epoch={ready['epoch']}&pos={ready['pos']}&connection={ready['connection']}"


async def pour(server: Chatd, where: str, count: int) -> None:
    """Send so many messages, a few dozen at a time."""
    async with await Raw.open(server.address, token(SENDER)) as raw, trio.open_nursery() as nursery:
        room = trio.Semaphore(64)

        async def take_acks() -> None:
            for _ in range(count):
                assert "result" in await raw.reply()
                room.release()

        nursery.start_soon(take_acks)
        for number in range(count):
            await room.acquire()
            params = {"conversationId": where, "content": f"{number}"}
            await raw.say({"id": number, "method": "message:send", "params": params})


async def catch_up(server: Chatd, place: str, where: str, count: int) -> float:
    """Reconnect, and receive all events in order; the seconds that it took."""
    began = trio.current_time()
    async with await Raw.connect(server.address) as raw:
        status, _ = await raw.asks(upgrade(f"/chat?{place}", token=token(AWAY)))
        assert status == 101
        ready = (await raw.message())["params"]
        assert ready["recovered"] is True, ready
        expected = 0
        while expected < count:
            frame = await raw.frame()
            assert frame is not None, f"shown out after {expected}"
            if b'"message:created"' in frame[1]:
                assert json.loads(frame[1])["params"]["content"] == f"{expected}"
                expected += 1
    return trio.current_time() - began


async def cost_of_the_log(folder: Path, sends: int) -> tuple[float, float]:
    """CPU of a send in the writer's thread and at the disk, in µs: with the log and without it, in turns."""
    async with Database.open(folder / "cost.db", SCHEMA) as database:

        def prepare(tx: Transaction) -> tuple[Actor, int]:
            user = users.add(tx, name="romeo")
            number = conversations.add(tx, "group", None, user.ref.number, None)
            conversations.add_member(tx, number, user.ref.number, "owner", 0)
            return Actor(user.ref, user.name), number

        actor, where = await database.write(prepare)
        command = ask.SendMessage(conversation=Key(where), content="But soft, what light through yonder window breaks?")

        def send(tx: Transaction) -> None:
            messages.send(ServiceContext(tx, actor, ServiceRules()), command)

        async def measure(batch: int) -> float:
            began = time.process_time()
            async with trio.open_nursery() as nursery:
                for _ in range(batch):
                    nursery.start_soon(database.write, send)
            return (time.process_time() - began) / batch * 1e6

        def nowhere(tx: Transaction, event: object) -> int:
            return tx.next_position()

        kept, bare = [], []
        await measure(200)
        for _ in range(max(3, sends // 200)):
            kept.append(await measure(200))
            with mock.patch.object(context, "record", nowhere):
                bare.append(await measure(200))
    return statistics.median(kept), statistics.median(bare)


if __name__ == "__main__":
    main(__doc__ or "", trial)
