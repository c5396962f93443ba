"""File descriptors run out, and are free again.

The trial opens connections until the server accepts no more. The database keeps its own descriptors, so connected
clients go on sending and reading. When some clients close, new ones connect within two seconds.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import trio

from tests.outside.chatting import client, new_group, two_chat
from tests.outside.raw import HungUp, Raw
from tests.outside.server import UNLIMITED, Chatd, token
from tests.trials.shell import Figures, main

LEAVING = 10


async def trial(folder: Path, quick: bool, *, share: str = "0") -> Figures:
    """64 descriptors when it is quick, else 512; `share` 0 lets the server use all of them."""
    descriptors = 64 if quick else 512
    program = shutil.which("prlimit")
    assert program, "prlimit is not installed"
    settings = UNLIMITED | {"limits.connections_share": share}
    server = Chatd(folder, settings, before=[program, f"--nofile={descriptors}:{descriptors}"]).start()
    inside: list[Raw] = []
    try:
        async with client(server.address, token(2)), client(server.address, token(1)) as one:
            where = await new_group(one, server.address, token(1), [2])
            async with two_chat(server.address, (token(3), token(4))) as chat:
                while (raw := await enter(server.address)) is not None:
                    inside.append(raw)
                    assert len(inside) < descriptors, "there was room for all"
                most = server.descriptors
                for number in range(50):
                    await one.asks("message:send", {"conversationId": where, "content": f"{number}"})
                for raw in inside[:LEAVING]:
                    await trio.aclose_forcefully(raw.stream)
                began = trio.current_time()
                while (raw := await enter(server.address)) is None:
                    assert trio.current_time() - began < 2, "no client connects after others have closed"
                resumed = trio.current_time() - began
                inside.append(raw)
            for raw in inside:
                await trio.aclose_forcefully(raw.stream)
        assert server.stop() == 0
        assert server.faults == [], server.faults[:3]
        warned = [line for line in server.log if "accept failed" in line]
    finally:
        server.end()
    return {
        "descriptors allowed": descriptors,
        "in use when full": most,
        "connections when full": len(inside) + 3,
        "accepts resumed after, s": round(resumed, 2),
        "lines in the log": len(warned),
        "messages of two who chatted on": len(chat.seconds),
    }


async def enter(address: str) -> Raw | None:
    """A new connection, if the server accepts it soon."""
    raw = None
    with trio.move_on_after(0.4):
        try:
            raw = await Raw.connect(address)
            return await raw.join(token(5))
        except (HungUp, OSError, trio.BrokenResourceError):
            pass
    if raw is not None:
        await trio.aclose_forcefully(raw.stream)
    return None


if __name__ == "__main__":
    main(__doc__ or "", trial)
