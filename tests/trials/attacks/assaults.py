"""The attacks. Each runs until it is cancelled."""

from __future__ import annotations

import itertools
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio

from tests.outside.raw import PING, Raw, frame, request, upgrade
from tests.outside.server import token
from tests.trials.attacks import payloads
from tests.trials.attacks.target import LOST, PAUSE, Target

ATTACKER = 900
MEMBERS = range(1_001, 1_101)
SOCKETIO = "/socket.io/?EIO=4&transport=websocket"
LOGIN, REGISTER = "/auth/login", "/auth/register"
PINGS = frame(PING, b"x") * 10_000
HALF = b"x" * 500_000

# Inputs that cost more than their size


async def blanks_in_header(target: Target) -> None:
    await target.repeat_request(request("GET", "/conversations", token=payloads.blanks(15_000)), 2)


async def blanks_in_auth(target: Target) -> None:
    await target.repeat_message(payloads.auth(payloads.blanks(30_000)))


async def longest_blanks_in_auth(target: Target) -> None:
    await target.repeat_message(payloads.auth(payloads.blanks(65_000)))


async def blanks_in_connect(target: Target) -> None:
    await _connect(target, 120_000)


async def longest_blanks_in_connect(target: Target) -> None:
    await _connect(target, 990_000)


async def _connect(target: Target, size: int) -> None:
    """Send Socket.IO's CONNECT again and again."""
    text = f"40/chat,{json.dumps({'token': payloads.blanks(size)})}"
    await target.repeat_message(text, path=SOCKETIO)


async def depth_in_frame(target: Target) -> None:
    await target.repeat_message(payloads.quotes(30_000))


async def depth_in_body(target: Target) -> None:
    await target.repeat_request(request("POST", LOGIN, payloads.quotes(payloads.BODY).encode()))


async def marks_in_login(target: Target) -> None:
    await target.repeat_request(request("POST", LOGIN, payloads.credentials(payloads.marks(120_000))), 2)


async def marks_in_register(target: Target) -> None:
    await target.repeat_request(request("POST", REGISTER, payloads.credentials(payloads.marks(120_000))), 2)


async def unknown_keys(target: Target) -> None:
    await target.repeat_request(request("POST", LOGIN, payloads.unknown_keys(80_000)), 2)


async def lists_as_password(target: Target) -> None:
    await target.repeat_request(request("POST", LOGIN, payloads.lists(330_000)), 2)


async def attachments(target: Target) -> None:
    path = f"/conversations/{target.facts['room']}/messages"
    await target.repeat_request(request("POST", path, payloads.attachments(240_000), token=token(ATTACKER)), 2)


# Floods


async def batches(target: Target) -> None:
    await target.repeat_message(payloads.batch(64_000), 2)


async def batches_of_a_user(target: Target) -> None:
    await target.repeat_message(payloads.batch(64_000), 2, token=token(ATTACKER))


async def pings(target: Target) -> None:
    await _ping(target, 1)


async def pings_of_twenty(target: Target) -> None:
    await _ping(target, 20)


async def _ping(target: Target, connections: int) -> None:
    """Send pings as fast as possible; read and drop the pongs."""

    async def send(raw: Raw) -> None:
        with suppress(*LOST):
            while True:
                await raw.send(PINGS)
                target.answers["pings sent"] += 10_000

    async def run() -> None:
        while True:
            with suppress(*LOST):
                async with await target.websocket() as raw:
                    await _beside(raw, send)
            target.answers["closed"] += 1
            await trio.sleep(PAUSE)

    async with trio.open_nursery() as nursery:
        for _ in range(connections):
            nursery.start_soon(run)


async def _beside(raw: Raw, send: Callable[[Raw], Awaitable[None]]) -> None:
    """Send until the server closes."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send, raw)
        with suppress(*LOST):
            while await raw.stream.receive_some(1 << 20):
                pass
        nursery.cancel_scope.cancel()


async def invalid_tokens(target: Target) -> None:
    await target.flood(request("GET", "/conversations", token="no.token.here"))


async def readiness(target: Target) -> None:
    await target.flood(request("GET", "/readyz"))


async def upgrades(target: Target) -> None:
    await target.flood(upgrade("/nowhere"), together=1)


async def uninvited_sockets(target: Target) -> None:
    await target.flood(upgrade(token="no.token.here"), together=1)


async def smuggling(target: Target) -> None:
    """Content-Length and Transfer-Encoding together: 400, and nothing after it."""
    while True:
        with suppress(*LOST):
            async with await target.connect() as raw:
                first, _ = await raw.asks(payloads.smuggle())
                second, _ = await raw.answer()
                target.answers[f"{first}, then {second}"] += 1
                if (first, second) != (400, 0) and not target.broken:
                    target.broken.append(f"answered {first} and then {second}")
        await trio.sleep(PAUSE)


# What is left open


async def abandoned_replays(target: Target) -> None:
    """Replays by Server-Sent Events, abandoned in the middle."""
    head = request(
        "GET", f"/events?epoch={target.facts['epoch']}&pos=0", token=token(ATTACKER), Accept="text/event-stream"
    )

    async def run() -> None:
        while True:
            with suppress(*LOST):
                async with await target.connect() as raw:
                    await raw.send(head)
                    await raw.stream.receive_some(1_000)
                    target.answers["left"] += 1
            await trio.sleep(PAUSE)

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(run)


async def unread_pages(target: Target) -> None:
    """Forty pages of 8 MB, of which no byte is read."""
    path = f"/conversations/{target.facts['room']}/messages?limit=200"
    async with trio.open_nursery() as nursery:
        for _ in range(40):
            nursery.start_soon(_hold, target, request("GET", path, token=token(ATTACKER)))


async def long_polls(target: Target) -> None:
    """190 long polls of one user."""
    path = f"/events?wait=60&epoch={target.facts['epoch']}&pos={target.facts['pos']}"
    async with trio.open_nursery() as nursery:
        for number in range(190):
            nursery.start_soon(_hold, target, request("GET", path, token=token(ATTACKER)), 9, number / 100)


async def half_bodies(target: Target) -> None:
    """Bodies whose second half never comes, from three addresses."""
    text = request("POST", "/conversations", HALF, token=token(ATTACKER), Content_Length="1000000")
    async with trio.open_nursery() as nursery:
        for number in range(450):
            nursery.start_soon(_hold, target, text, 9 + number % 3, number / 150)


async def slow_heads(target: Target) -> None:
    """Heads that come byte by byte, from three addresses."""

    async def drip(raw: Raw) -> None:
        await raw.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        while True:
            await raw.send(b"x")
            await trio.sleep(0.5)

    async def run(number: int) -> None:
        await trio.sleep(number / 150)
        while True:
            with suppress(*LOST):
                async with await target.connect(9 + number % 3) as raw:
                    target.answers["opened"] += 1
                    await drip(raw)
            target.answers["closed"] += 1
            await trio.sleep(PAUSE)

    async with trio.open_nursery() as nursery:
        for number in range(450):
            nursery.start_soon(run, number)


async def _hold(target: Target, text: bytes, source: int = 9, delay: float = 0.0) -> None:
    """Send the request, and read nothing."""
    await trio.sleep(delay)
    with suppress(*LOST):
        async with await target.connect(source) as raw:
            await raw.send(text)
            target.answers["held"] += 1
            await trio.sleep_forever()
    target.answers["refused"] += 1


# Work that grows with the store


async def read_of_many(target: Target) -> None:
    """message:read among 300,000 unread messages, each time a little further."""
    async with await target.websocket(token=token(MEMBERS[1])) as raw:
        first = int(target.facts["message"], 16)  # its last digits are its number
        for number in itertools.count(first + 10, 10):
            answer = await raw.call("message:read", {"messageId": f"{number:024x}"})
            target.answers["read" if "result" in answer else str(answer["error"]["code"])] += 1
            await trio.sleep(0.05)


async def arrivals_of_many(target: Target) -> None:
    """A hundred members with 300,000 unread messages connect and reconnect."""

    async def run(user: int) -> None:
        while True:
            with suppress(*LOST):
                async with await target.websocket(token=token(user), source=10 + user % 2) as raw:
                    target.answers["arrived"] += 1
                    for _ in range(2):
                        await raw.message()
            await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        for user in MEMBERS:
            nursery.start_soon(run, user)
