"""Receives from a WebSocket or an Engine.IO session one read at a time, where the server itself only listens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from protocol.frames import Packet


class Source(Protocol):
    async def listen(self, on_packets: Callable[[list[Packet]], bool], /) -> None: ...


async def receive(source: Source) -> list[Packet]:
    """The packets of the next read, at least one."""
    received: list[Packet] = []

    def keep(packets: list[Packet]) -> bool:
        received.extend(packets)
        return False

    while not received:
        await source.listen(keep)
    return received
