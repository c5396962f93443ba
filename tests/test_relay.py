"""Tests of the relay: a test that uses it must not pass because the relay does nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from random import Random

import trio

from tests.relay import Relay, relay


async def _echo(stream: trio.SocketStream) -> None:
    async for data in stream:
        await stream.send_all(data)


@asynccontextmanager
async def echo_behind_a_relay() -> AsyncIterator[Relay]:
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, _echo, 0, host="127.0.0.1"))
        async with relay(listeners[0].socket.getsockname()[1]) as between:
            yield between
        nursery.cancel_scope.cancel()


async def through(between: Relay) -> trio.SocketStream:
    return await trio.open_tcp_stream("127.0.0.1", between.port)


async def ask(stream: trio.SocketStream) -> bytes:
    await stream.send_all(b"hello")
    return bytes(await stream.receive_some())


async def ended(stream: trio.SocketStream) -> bool:
    try:
        return not await stream.receive_some()
    except trio.BrokenResourceError:
        return True


async def test_it_carries_both_ways_and_ends_with_either_side() -> None:
    async with echo_behind_a_relay() as between, await through(between) as stream:
        assert await ask(stream) == b"hello"
        await stream.send_eof()
        assert await ended(stream)
        assert between.cuts == 0


async def test_it_cuts_and_refuses() -> None:
    async with echo_behind_a_relay() as between:
        async with await through(between) as stream:
            await ask(stream)
            between.cut()
            assert await ended(stream)
            assert between.cuts == 1
        between.down = True
        async with await through(between) as stream:
            assert await ended(stream)
        between.down = False
        async with await through(between) as stream:
            assert await ask(stream) == b"hello"


async def test_it_stalls_and_goes_on() -> None:
    async with echo_behind_a_relay() as between, await through(between) as stream:
        between.stall = True
        await stream.send_all(b"hello")
        with trio.move_on_after(0.05) as waited:
            await stream.receive_some()
        assert waited.cancelled_caught
        between.stall = False
        assert await stream.receive_some() == b"hello"


async def test_it_cuts_at_random() -> None:
    async with echo_behind_a_relay() as between, trio.open_nursery() as nursery:
        nursery.start_soon(between.cut_at_random, Random(1), 0.0, 0.01)
        while between.cuts < 3:
            async with await through(between) as stream:
                assert await ended(stream)
        nursery.cancel_scope.cancel()
