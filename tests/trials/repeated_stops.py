"""P9: repeated SIGTERM, under clients of every wire that ignore the close and others that send all the time.

Each time the exit code is 0 within ten seconds, and every client that reads receives 1012. Every acked message is
committed, and every committed message is acked.
"""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import trio

from tests.outside.chatting import client, new_group
from tests.outside.raw import HungUp, Raw, request
from tests.outside.server import UNLIMITED, Chatd, token
from tests.trials import silent_readers
from tests.trials.shell import Figures, main, share

SENDERS = range(1, 9)
DEAF = 100
OF_EACH = 4
OUTSTANDING = 8
SECONDS, LONGEST = 10.0, 14.0
RESTARTING = 1012
LOST = (OSError, HungUp, trio.BrokenResourceError, trio.ClosedResourceError)


class Tally:
    """The counts of all stops."""

    def __init__(self) -> None:
        self.acked: set[str] = set()
        self.sent = 0
        self.closes: list[int] = []
        self.exits: list[tuple[int, float]] = []


async def send(address: str, number: int, where: str, tally: Tally) -> None:
    """A client that sends several messages at a time until the server ends."""
    async with await Raw.open(address, token(number)) as raw:

        async def more() -> None:
            tally.sent += 1
            name = f"{number}-{tally.sent}"
            params = {"conversationId": where, "content": name, "clientId": name}
            with suppress(*LOST):
                await raw.say({"id": name, "method": "message:send", "params": params})

        for _ in range(OUTSTANDING):
            await more()
        while not isinstance(received := await raw.next_or_end(), int):
            if "result" in received:
                tally.acked.add(received["id"])
                await more()
        tally.closes.append(received)


async def stop_once(server: Chatd, where: str, kinds: Sequence[silent_readers.Kind], tally: Tally) -> None:
    """Connect, send, and end the server."""
    async with await Raw.connect(server.address) as raw:
        await raw.asks(request("GET", "/events", token=token(DEAF)))  # answered when the REST application has started
    ignoring = [await kind(server.address, DEAF + n) for kind in kinds for n in range(OF_EACH)]
    try:
        async with trio.open_nursery() as nursery:
            for number in SENDERS:
                nursery.start_soon(send, server.address, number, where, tally)
            await trio.sleep(0.4)
            began = trio.current_time()
            try:
                code = await trio.to_thread.run_sync(server.stop, LONGEST)
            except subprocess.TimeoutExpired:
                code = -1
                await trio.to_thread.run_sync(server.kill)
            tally.exits.append((code, trio.current_time() - began))
    finally:
        for raw in ignoring:
            raw.cut()


async def trial(folder: Path, quick: bool) -> Figures:
    """20 stops, every second one under upgraded clients only; 2 when it is quick."""
    patience = {"server.stop_timeout": "1s"} if quick else {}
    server = Chatd(folder, UNLIMITED | patience).start()
    tally = Tally()
    try:
        where = await gather(server.address)
        for number in range(2 if quick else 20):
            if number:
                await trio.to_thread.run_sync(server.start)
            await stop_once(server, where, silent_readers.KINDS if number % 2 else (silent_readers.moved,), tally)
    finally:
        server.end()
    with closing(sqlite3.connect(server.data / "chatd.db")) as database:
        stored = {name for (name,) in database.execute("SELECT client_id FROM messages")}
    hung = [code for code, _ in tally.exits if code == -1]
    failed = [code for code, _ in tally.exits if code > 0]
    late = [seconds for _, seconds in tally.exits if seconds >= SECONDS]
    others = [code for code in tally.closes if code != RESTARTING]
    figures = {
        "stops": len(tally.exits),
        "clients that ignore each": (OF_EACH, len(silent_readers.KINDS) * OF_EACH),
        "exit 0": len(tally.exits) - len(hung) - len(failed),
        "seconds to stop, p50, worst": tuple(share([took for _, took in tally.exits], p) / 1000 for p in (0.5, 1)),
        "messages committed": len(stored),
    }
    faults = {
        "hung": len(hung),
        "exit not 0": len(failed),
        f"{SECONDS:.0f} s or later": len(late),
        "acked and lost": len(tally.acked - stored),
        "committed and not acked": len(stored - tally.acked),
        "received another close code than 1012": len(others),
        "lines in the log that no input may cause": len(server.faults),
    }
    assert not any(faults.values()), ", ".join(f"{name}: {count}" for name, count in faults.items() if count)
    return figures | faults


async def gather(address: str) -> str:
    """Let every sender connect once, and make their group."""
    for number in SENDERS:
        async with await Raw.open(address, token(number)):
            pass
    async with client(address, token(1)) as first:
        return await new_group(first, address, token(1), list(SENDERS[1:]))


if __name__ == "__main__":
    main(__doc__ or "", trial)
