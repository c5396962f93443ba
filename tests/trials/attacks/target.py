"""The attacked server, and how an attacker connects to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import trio

from tests.outside.raw import HungUp, Raw

LOST = (OSError, HungUp, trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError)
PAUSE = 0.02  # before a client that was refused connects again


class Target:
    """One server. `facts` come from the preparation; `broken` lists what the server did against its promises."""

    def __init__(self, address: str, facts: Mapping[str, str] | None = None) -> None:
        self.address = address
        self.facts = dict(facts or {})
        self.answers: Counter[str] = Counter()
        self.broken: list[str] = []

    async def connect(self, source: int = 9) -> Raw:
        """A connection from 127.0.0.<source>."""
        host, _, port = self.address.rpartition(":")
        return Raw(await trio.open_tcp_stream(host, int(port), local_address=f"127.0.0.{source}"))

    async def websocket(self, path: str = "/chat", token: str = "", source: int = 9) -> Raw:
        """An open WebSocket; with a token, one that has received `ready`."""
        raw = await self.connect(source)
        try:
            return await raw.join(token, path)
        except BaseException:
            await trio.aclose_forcefully(raw.stream)
            raise

    async def repeat_request(self, request: bytes, connections: int = 1) -> None:
        """Send the request repeatedly, one at a time on each of so many connections."""

        async def run() -> None:
            while True:
                with suppress(*LOST):
                    async with await self.connect() as raw:
                        while (answer := await raw.asks(request))[0]:
                            self.answers[str(answer[0])] += 1
                self.answers["closed"] += 1
                await trio.sleep(PAUSE)

        async with trio.open_nursery() as nursery:
            for _ in range(connections):
                nursery.start_soon(run)

    async def flood(self, request: bytes, connections: int = 16, together: int = 10) -> None:
        """Send the request as fast as possible on many connections. Answers are counted by their status line."""

        async def run() -> None:
            while True:
                with suppress(*LOST):
                    async with await self.connect() as raw:
                        await self._pour(raw, request * together, together)
                self.answers["closed"] += 1
                await trio.sleep(PAUSE)

        async with trio.open_nursery() as nursery:
            for _ in range(connections):
                nursery.start_soon(run)

    async def _pour(self, raw: Raw, requests: bytes, count: int) -> None:
        while True:
            await raw.send(requests)
            answered = 0
            while answered < count:
                data = await raw.stream.receive_some(1 << 20)
                if not data:
                    return
                for piece in data.split(b"HTTP/1.1 ")[1:]:
                    self.answers[piece[:3].decode("latin-1")] += 1
                    answered += 1

    async def repeat_message(self, text: str, connections: int = 1, *, path: str = "/chat", token: str = "") -> None:
        """Send the text again and again on so many WebSockets, awaiting something after each."""

        async def run() -> None:
            while True:
                with suppress(*LOST):
                    async with await self.websocket(path, token) as raw:
                        await self._repeat(raw, text)
                self.answers["closed"] += 1
                await trio.sleep(PAUSE)

        async with trio.open_nursery() as nursery:
            for _ in range(connections):
                nursery.start_soon(run)

    async def _repeat(self, raw: Raw, text: str) -> None:
        while True:
            await raw.say(text)
            received: Any = await raw.frame()
            if received is None:
                return
            self.answers[f"frame {received[0]}"] += 1
