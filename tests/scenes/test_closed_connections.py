"""A closed connection is freed at once. It does not wait for the garbage collector, which runs rarely here."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from chatd.connections.connection import Connection
from tests.outside.raw import TEXT, Raw, frame
from tests.scenes.chat_server import TIMEOUT, chat_server


@pytest.fixture(autouse=True)
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def connections() -> int:
    """The connections that exist, also those that nothing uses any more."""
    return sum(isinstance(thing, Connection) for thing in gc.get_objects())


async def test_a_closed_connection_is_freed_without_the_garbage_collector(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        ann = await server.register("ann")
        before = connections()
        for _ in range(3):
            async with await Raw.open(server.address, ann.token) as raw:
                await raw.call("conversation:join", {"conversationId": "65a0b1c2d3e4f5a6b7c8d9e0"})
                await raw.send(frame(TEXT, b"a" * 10_000, final=False))
                raw.cut()
        await ann.asks("POST", "/conversations", {"type": "group", "participants": []})  # queues keep their last batch
        await ann.asks("GET", "/users/me")
        with trio.fail_after(TIMEOUT):
            while server.running.app.connections or connections() > before:  # noqa: ASYNC110 - no event tells
                await trio.sleep(0.01)
