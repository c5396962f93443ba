"""P6: connections whose bytes are those of good clients, spoilt at random, while two clients chat undisturbed.

Each connection begins with valid input: requests, upgrades, calls, frames of every kind. The trial changes, removes,
doubles or exchanges some of its bytes. Afterwards the server must run, with a clean log and no descriptor left over. It
must not have answered with a 5xx. The trial prints its seed, which can be given again:
CHATD_SEED=7 python -m tests.trials.mutate
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import trio

from tests.outside.chatting import two_chat
from tests.outside.hostile_calls import HERE, ODD
from tests.outside.hostile_frames import BROKEN, TAKEN
from tests.outside.hostile_http import PASSED_OVER, REFUSED
from tests.outside.raw import BINARY, TEXT, Raw, frame, request, upgrade
from tests.outside.server import UNLIMITED, Chatd, token, until
from tests.trials.shell import Figures, main

AT_ONCE = 40
PATIENCE = 0.15
POLLING = "/socket.io/?EIO=4&transport=polling"
BUSY = 503  # is an answer to overload, not a fault; this trial should not cause it either


def good(dice: random.Random) -> bytes:
    """Valid input, or known bad input of the other trials."""
    shown = token(dice.choice([3, 4, 5]))
    opening = upgrade(dice.choice(["/chat", "/ws", "/", "/socket.io/?EIO=4&transport=websocket"]), token=shown)
    calls = [text.replace(HERE, "0" * 24).encode()[:3_000] for text in dice.sample(list(ODD.values()), 3)]
    talk = b"".join(frame(dice.choice([TEXT, BINARY]), text) for text in (*calls, b"40/chat,{}", b'42["typing",{}]'))
    return dice.choice(
        [
            opening + talk,
            opening + dice.choice(list(BROKEN.values()))[0],
            opening + dice.choice(list(TAKEN.values()))[:2_000],
            dice.choice([*REFUSED.values(), *PASSED_OVER.values()])[0],
            request("GET", "/conversations?limit=2&before=5", token=shown) * 3,
            request("POST", "/conversations", b'{"type":"group","participants":[1]}', token=shown),
            request("GET", POLLING) + request("POST", POLLING + "&sid=AAAAAAAAAAAAAAAAAAAA", b"40"),
        ]
    )


def spoil(data: bytes, dice: random.Random) -> bytes:
    """The input, changed in one to four places."""
    spoilt = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(spoilt) + 1)
        end = min(len(spoilt), at + dice.choice([1, 1, 2, 8, 64]))
        match dice.randrange(5):
            case 0:
                spoilt[at:end] = dice.randbytes(end - at)
            case 1:
                del spoilt[at:end]
            case 2:
                spoilt[at:at] = spoilt[at:end] * dice.choice([1, 2, 50])
            case 3:
                spoilt[at:end] = bytes(byte ^ 1 << dice.randrange(8) for byte in spoilt[at:end])
            case _:
                del spoilt[at:]
    return bytes(spoilt)


async def throw(address: str, data: bytes, statuses: Counter[int]) -> None:
    """One connection: send the bytes, read for a moment, close."""
    async with await Raw.connect(address) as raw:
        with trio.move_on_after(PATIENCE):
            try:
                statuses[(await raw.asks(data))[0]] += 1
            except (ValueError, IndexError):
                statuses[-1] += 1  # not HTTP: frames right behind a 101
        raw.cut()


async def trial(folder: Path, quick: bool) -> Figures:
    """2,000 connections when it is quick, else 100,000."""
    connections = 2_000 if quick else 100_000
    seed = int(os.environ.get("CHATD_SEED", random.randrange(1 << 32)))
    dice = random.Random(seed)
    statuses: Counter[int] = Counter()
    server = Chatd(folder, UNLIMITED | {"limits.auth_timeout": "1s", "limits.head_timeout": "1s"}).start()
    left: Iterator[bytes] = (spoil(good(dice), dice) for _ in range(connections))
    try:
        async with two_chat(server.address, (token(1), token(2))) as chat:
            before = server.descriptors
            memory = server.memory

            async def thrower() -> None:
                for data in left:
                    await throw(server.address, data, statuses)

            async with trio.open_nursery() as nursery:
                for _ in range(AT_ONCE):
                    nursery.start_soon(thrower)
            await until(lambda: server.descriptors <= before, 60)
            grown = server.memory - memory
        assert server.stop() == 0
    finally:
        server.end()
    assert server.faults == [], f"seed {seed}: {server.faults[:3]}"
    worst = {status: times for status, times in statuses.items() if status >= 500 and status not in (BUSY, 501, 505)}
    assert worst == {}, f"seed {seed}: answers {worst}"
    return {
        "seed": seed,
        "connections": connections,
        "answers by status": dict(sorted(statuses.items())),
        "messages of two who chatted on": len(chat.seconds),
        "memory grown, KiB": grown,
    }


if __name__ == "__main__":
    main(__doc__ or "", trial)
