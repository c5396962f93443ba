"""P1 and P2: `kill -9` at random moments under twenty senders.

A sender records what was acked. It sends the rest again with the same clientId to the restarted server. A listener
records what it received at which position. In the end:

- the database has every acked message once, with the id of its ack, and no message twice;
- each sender's messages are in the order in which they were sent;
- every received event has the position at which it was received;
- the database passes its integrity check.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import trio

from tests.outside.chatting import client, new_group
from tests.outside.raw import Raw
from tests.outside.server import UNLIMITED, Chatd, token
from tests.trials.senders import LOST, SentMessages, send_until_acked
from tests.trials.shell import Figures, main

SENDERS = 20
LISTENER = SENDERS + 1
SHORTEST_LIFE, LONGEST_LIFE = 0.05, 0.8


class Ledger(SentMessages):
    """What the clients know: the acked messages, and the received ones by their positions."""

    def __init__(self) -> None:
        super().__init__()
        self.received: dict[int, str] = {}


async def listen(server: Chatd, where: str, ledger: Ledger) -> None:
    """Receive events, over as many connections as it takes."""
    while not ledger.over:
        try:
            async with await Raw.open(server.address, token(LISTENER)) as raw:
                await raw.call("conversation:join", {"conversationId": where})
                while not ledger.over:
                    message = await raw.message()
                    if message["method"] == "message:created":
                        known = ledger.received.setdefault(message["pos"], message["params"]["_id"])
                        assert known == message["params"]["_id"], f"position {message['pos']} was given twice"
        except LOST:
            await trio.sleep(0.02)


async def trial(folder: Path, quick: bool, *, kills: int = 0, seed: int | None = None) -> Figures:
    """The trial; 3 kills when it is quick, else 20."""
    kills = kills or (3 if quick else 20)
    dice = random.Random(seed)
    server = Chatd(folder, UNLIMITED).start()
    ledger = Ledger()
    slowest = 0.0
    try:
        where = await gather(server)
        async with trio.open_nursery() as nursery:
            for number in range(1, SENDERS + 1):
                nursery.start_soon(send_until_acked, server, number, where, ledger)
            nursery.start_soon(listen, server, where, ledger)
            for _ in range(kills):
                await trio.sleep(dice.uniform(SHORTEST_LIFE, LONGEST_LIFE / 2 if quick else LONGEST_LIFE))
                server.kill()
                began = trio.current_time()
                await trio.to_thread.run_sync(server.start)
                slowest = max(slowest, trio.current_time() - began)
            await trio.sleep(0.5)
            ledger.over = True
            await trio.sleep(0.2)
            nursery.cancel_scope.cancel()
        assert server.stop() == 0
        assert server.faults == [], server.faults[:3]
    finally:
        server.end()
    stored = judge(server.data / "chatd.db", ledger)
    return {
        "kills": kills,
        "acked": len(ledger.acked),
        "retried after a kill": ledger.retried,
        "stored": stored,
        "received": len(ledger.received),
        "acked and lost": 0,
        "stored twice": 0,
        "slowest restart, s": round(slowest, 2),
    }


async def gather(server: Chatd) -> str:
    """Let every user connect once, and make their group."""
    for number in range(2, LISTENER + 1):
        async with await Raw.open(server.address, token(number)):
            pass
    async with client(server.address, token(1)) as first:
        return await new_group(first, server.address, token(1), list(range(2, LISTENER + 1)))


def judge(path: Path, ledger: Ledger) -> int:
    """Compare what the clients know with the database; the number of messages."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = database.execute("SELECT client_id, id FROM messages ORDER BY id").fetchall()
        positions = database.execute("SELECT position, about FROM events WHERE kind = 'message' ORDER BY position")
        told = positions.fetchall()
    database.close()
    stored = dict(rows)
    twice = [name for name, times in Counter(name for name, _ in rows).items() if times > 1]
    assert twice == [], f"stored twice: {twice[:5]}"
    lost = [name for name, id in ledger.acked.items() if stored.get(name) != int(id[8:], 16)]
    assert lost == [], f"acked, and lost or under another id: {lost[:5]}"
    for number in range(1, SENDERS + 1):
        mine = [int(name.split("-")[1]) for name, _ in rows if name.startswith(f"{number}-")]
        assert mine == sorted(mine), f"sender {number}: out of order"
    assert [about for _, about in told] == [number for _, number in rows], "positions and ids disagree"
    at = dict(told)
    wrong = [place for place, id in ledger.received.items() if at.get(place) != int(id[8:], 16)]
    assert wrong == [], f"received, and not there: {wrong[:5]}"
    return len(rows)


if __name__ == "__main__":
    main(__doc__ or "", trial)
