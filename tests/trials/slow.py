"""P4: clients that never read, and a megabyte a second into their room.

Each of them may cost the server a mebibyte at most, and is then closed with 4008. After a while it reads what has
arrived, sees the close, reconnects and does the same again. A client that reads receives every message, 99 % of them
within 250 ms.

The quick trial measures no time. It sends enough messages to overflow every bound. Each is sent when the readers have
received the ones before. Then each client that never reads must find its connection closed.
"""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import trio

from tests.outside.chatting import client, new_group, two_chat
from tests.outside.raw import NO_CLOSE, HungUp, Raw
from tests.outside.server import UNLIMITED, Chatd, token
from tests.trials.shell import Figures, main, share

SLOW = 4008
SENDER, HEALTHY, SILENT = 1, (2, 3, 4), 100
MESSAGE = 8_000
BOUND_MS = 250.0
OVERFLOW = 800  # messages: more than an outbox and the kernel's buffers hold together
REHEARSAL = 2_400  # messages without clients that never read: they fill the database's page caches, 25 MiB
BEHIND = 32  # messages that a reader may be behind when the next is sent: less than an outbox
KERNEL_KIB = 512  # what Python itself needs to hold a mebibyte in pieces, a head


class Tally:
    """The counts of the trial."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.closes: list[int] = []
        self.sent = 0
        self.peak = 0
        self.over = False


@asynccontextmanager
async def joined(address: str, user: int, where: str) -> AsyncIterator[Raw]:
    """A client in the room, with a small receive buffer."""
    host, _, port = address.rpartition(":")
    connected = trio.socket.socket()
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    await connected.connect((host, int(port)))
    async with Raw(trio.SocketStream(connected)) as raw:
        await raw.join(token(user))
        await raw.call("conversation:join", {"conversationId": where})
        yield raw


async def read_nothing(address: str, user: int, where: str, patience: float, tally: Tally) -> None:
    """Join, read nothing for so long, then read how the connection ended; repeat."""
    while not tally.over:
        async with joined(address, user, where) as raw:
            await trio.sleep(patience)
            if not tally.over:
                tally.closes.append(await raw.closed())


async def receive(address: str, user: int, where: str, tally: Tally) -> None:
    """Receive every message, and record its time."""
    async with await Raw.open(address, token(user)) as raw:
        await raw.call("conversation:join", {"conversationId": where})
        expected = 0
        while not tally.over:
            try:
                said = json.loads((await raw.receives("message:created"))["content"].rstrip("."))
            except HungUp as end:
                raise AssertionError(f"a client that reads was closed: {end}") from None
            expected = expected or said[0]
            assert said[0] == expected, f"message {expected} was missed"
            expected += 1
            tally.seconds.append(trio.current_time() - said[1])


async def pour(server: Chatd, where: str, seconds: float, rate: float, tally: Tally) -> None:
    """Send so many bytes a second, for so long."""
    async with await Raw.open(server.address, token(SENDER)) as raw, trio.open_nursery() as nursery:

        async def take_acks() -> None:
            while True:
                answer = await raw.reply()
                assert "result" in answer, answer

        nursery.start_soon(take_acks)
        began = trio.current_time()
        while (now := trio.current_time()) < began + seconds:
            text = json.dumps([tally.sent + 1, now]).ljust(MESSAGE, ".")
            params = {"conversationId": where, "content": text}
            await raw.say({"id": tally.sent, "method": "message:send", "params": params})
            tally.sent += 1
            tally.peak = max(tally.peak, server.memory) if tally.sent % 20 == 0 else tally.peak
            await trio.sleep_until(began + tally.sent * MESSAGE / rate)
        await trio.sleep(0.5)
        tally.over = True
        nursery.cancel_scope.cancel()


async def trial(folder: Path, quick: bool) -> Figures:
    """Quick: in step, with 10 clients that never read. Else by the clock, with 50: 30 s, and a minute to recover."""
    return await (in_step(folder, 10) if quick else by_the_clock(folder, 50))


async def in_step(folder: Path, silent: int) -> Figures:
    """Send so many messages that every client that never reads is too slow, and no reader can be."""
    server = Chatd(folder, UNLIMITED).start()
    tally = Tally()
    try:
        where = await gather(server.address, silent)
        async with two_chat(server.address, (token(11), token(12))) as chat, AsyncExitStack() as stack:
            readers = [await Raw.open(server.address, token(user)) for user in HEALTHY]
            for raw in readers:
                stack.push_async_callback(raw.stream.aclose)
                await raw.call("conversation:join", {"conversationId": where})
            sender = await Raw.open(server.address, token(SENDER))
            stack.push_async_callback(sender.stream.aclose)
            for first in range(0, REHEARSAL, BEHIND):
                await send_in_step(sender, readers, where, range(first, first + BEHIND))
            before = server.memory
            idle = [
                await stack.enter_async_context(joined(server.address, SILENT + number, where))
                for number in range(silent)
            ]
            for first in range(REHEARSAL, REHEARSAL + OVERFLOW, BEHIND):
                await send_in_step(sender, readers, where, range(first, first + BEHIND))
                tally.peak = max(tally.peak, server.memory)
            tally.closes = [await raw.closed() for raw in idle]
        assert server.stop() == 0
        assert server.faults == [], server.faults[:3]
    finally:
        server.end()
    others = [code for code in tally.closes if code not in (SLOW, NO_CLOSE)]
    assert others == [], f"closed with something else than 4008: {others}"
    assert chat.seconds, "the two others did not chat"
    check_peak(tally.peak - before, silent)
    return {
        "clients that never read": silent,
        "megabytes into their room": round(OVERFLOW * MESSAGE / 1e6),
        "closed with 4008": tally.closes.count(SLOW),
        "cut off, last words unread": tally.closes.count(NO_CLOSE),
        "memory before, peak, KiB": (before, tally.peak),
    }


async def send_in_step(sender: Raw, readers: Sequence[Raw], where: str, numbers: range) -> None:
    """Send those messages, wait for their acks, and check that every reader receives them in order."""
    for number in numbers:
        params = {"conversationId": where, "content": f"{number} ".ljust(MESSAGE, ".")}
        await sender.say({"id": number, "method": "message:send", "params": params})
    for number in numbers:
        answer = await sender.reply()
        assert answer["id"] == number, answer
        assert "result" in answer, answer
    for raw in readers:
        for number in numbers:
            received = (await raw.receives("message:created"))["content"]
            assert received.startswith(f"{number} "), f"message {number} was missed"


def check_peak(kib: int, silent: int) -> None:
    """Check the memory that so many clients may cost."""
    assert kib < silent * (1_024 + KERNEL_KIB) + 8_192, f"{kib} KiB for {silent}"


async def by_the_clock(folder: Path, silent: int) -> Figures:
    """Send a megabyte a second, and measure the times."""
    seconds, patience, rate = 30.0, 5.0, 1e6
    server = Chatd(folder, UNLIMITED).start()
    tally = Tally()
    try:
        where = await gather(server.address, silent)
        await pour(server, where, 20.0, rate, Tally())  # so that the database's caches are full
        before = server.memory
        cpu = server.cpu
        async with two_chat(server.address, (token(11), token(12))) as chat, trio.open_nursery() as nursery:
            for number in range(silent):
                nursery.start_soon(read_nothing, server.address, SILENT + number, where, patience, tally)
            for user in HEALTHY:
                nursery.start_soon(receive, server.address, user, where, tally)
            await trio.sleep(0.3)
            await pour(server, where, seconds, rate, tally)
            nursery.cancel_scope.cancel()
        cpu = server.cpu - cpu
        await trio.sleep(60)
        after = server.memory
        assert server.stop() == 0
        assert server.faults == [], server.faults[:3]
    finally:
        server.end()
    assert tally.closes, "no client was too slow"
    others = [code for code in tally.closes if code != SLOW]
    worst = share(tally.seconds, 0.99), share(chat.seconds, 0.99)
    assert max(worst) < BOUND_MS, f"the 99th percentile of those who read: {worst} ms"
    assert after <= before * 1.1, f"memory before {before} KiB, a minute after {after} KiB"
    check_peak(tally.peak - before, silent)
    return {
        "clients that never read": silent,
        "megabytes into their room": round(tally.sent * MESSAGE / 1e6),
        "closed with 4008": len(tally.closes) - len(others),
        "cut off, last words unread": len(others),
        "same room, p50 p99 ms": (share(tally.seconds, 0.5), worst[0]),
        "another room, p50 p99 ms": (share(chat.seconds, 0.5), worst[1]),
        "memory before, peak, after, KiB": (before, tally.peak, after),
        "CPU of the server, s": round(cpu, 1),
    }


async def gather(address: str, silent: int) -> str:
    """Let every user connect once, and make the group."""
    others = [*HEALTHY, *range(SILENT, SILENT + silent)]
    for number in others:
        async with await Raw.open(address, token(number)):
            pass
    async with client(address, token(SENDER)) as first:
        return await new_group(first, address, token(SENDER), others)


if __name__ == "__main__":
    main(__doc__ or "", trial)
