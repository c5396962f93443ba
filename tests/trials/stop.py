"""P9: SIGTERM under a thousand clients, while some send and one never reads.

Every committed message is acked, and every acked message is committed. Every client that reads receives 1012. The
server's exit code is 0 within ten seconds.
"""

from __future__ import annotations

import contextlib
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import trio

from tests.outside.chatting import client, new_group
from tests.outside.raw import Raw, upgrade
from tests.outside.server import UNLIMITED, Chatd, token
from tests.trials.shell import Figures, main, share

SENDERS = 20
DEAF = 9_999
RESTARTING = 1012
OUTSTANDING = 8
CONTENT = "x" * 2_000  # enough that bytes wait for the client that never reads


class Tally:
    """The counts of the trial."""

    def __init__(self) -> None:
        self.open = 0
        self.codes: list[int] = []
        self.at: list[float] = []
        self.acked: set[str] = set()
        self.all_open = trio.Event()


async def sit(address: str, number: int, crowd: int, tally: Tally) -> None:
    """A client that only receives."""
    async with await Raw.open(address, token(number)) as raw:
        tally.open += 1
        if tally.open == crowd:
            tally.all_open.set()
        tally.codes.append(await raw.closed())
        tally.at.append(trio.current_time())


async def send(address: str, number: int, where: str, tally: Tally) -> None:
    """A client that sends several messages at a time, without end."""
    async with await Raw.open(address, token(number)) as raw:
        await raw.call("conversation:join", {"conversationId": where})
        count = 0

        async def more() -> None:
            nonlocal count
            count += 1
            name = f"{number}-{count}"
            params = {"conversationId": where, "content": CONTENT, "clientId": name}
            with contextlib.suppress(
                trio.BrokenResourceError
            ):  # the server has closed; its last messages are read below
                await raw.say({"jsonrpc": "2.0", "id": name, "method": "message:send", "params": params})

        for _ in range(OUTSTANDING):
            await more()
        while not isinstance(received := await raw.next_or_end(), int):
            if "result" in received:
                tally.acked.add(received["id"])
                await more()
        tally.codes.append(received)


async def never_read(address: str, where: str) -> socket.socket:
    """A client in the room that never reads."""
    host, _, port = address.rpartition(":")
    unread = trio.socket.socket()
    unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    await unread.connect((host, int(port)))
    raw = Raw(trio.SocketStream(unread))
    await raw.asks(upgrade(token=token(DEAF)))
    await raw.call("conversation:join", {"conversationId": where})
    return unread  # type: ignore[return-value]


async def trial(folder: Path, quick: bool) -> Figures:
    """The trial; 200 clients when it is quick, else 1,000."""
    crowd = 200 if quick else 1_000
    patience = {"server.stop_timeout": "1s"} if quick else {}
    server = Chatd(folder, UNLIMITED | patience).start()
    tally = Tally()
    try:
        where = await gather(server.address)
        unread = await never_read(server.address, where)
        async with trio.open_nursery() as nursery:
            for number in range(crowd):
                nursery.start_soon(sit, server.address, 100 + number, crowd, tally)
            await tally.all_open.wait()
            for number in range(1, SENDERS + 1):
                nursery.start_soon(send, server.address, number, where, tally)
            await trio.sleep(0.5)
            began = trio.current_time()
            code = await trio.to_thread.run_sync(server.stop)
            took = trio.current_time() - began
        unread.close()
    finally:
        server.end()
    with closing(sqlite3.connect(f"file:{server.data / 'chatd.db'}?mode=ro", uri=True)) as database:
        stored = {name for (name,) in database.execute("SELECT client_id FROM messages")}
    database.close()
    assert code == 0, f"exit code {code}"
    assert took < 10, f"{took:.1f} s"
    assert server.faults == [], server.faults[:3]
    assert tally.acked <= stored, f"acked, and not there: {len(tally.acked - stored)}"
    assert stored <= tally.acked, f"committed, and not acked: {len(stored - tally.acked)} of {len(stored)}"
    others = [code for code in tally.codes if code != RESTARTING]
    assert others == [], f"saw something else than 1012: {others[:5]} ({len(others)} of {len(tally.codes)})"
    return {
        "clients": crowd + SENDERS,
        "exit code": code,
        "seconds to stop": round(took, 2),
        "messages acked": len(tally.acked),
        "saw 1012": len(tally.codes),
        "99 % saw it after, ms": share([at - began for at in tally.at], 0.99),
    }


async def gather(address: str) -> str:
    """Let every sender connect once, and make their group."""
    others = [*range(2, SENDERS + 1), DEAF]
    for number in others:
        async with await Raw.open(address, token(number)):
            pass
    async with client(address, token(1)) as first:
        return await new_group(first, address, token(1), others)


if __name__ == "__main__":
    main(__doc__ or "", trial)
