"""Waiting for a callback, in virtual time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
import trio.testing

from chatd.store.sqlite.callback import wait_for_callback


async def test_the_argument_of_the_callback_is_returned(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:

        async def later(callback: Callable[[int], None]) -> None:
            await trio.sleep(5)
            callback(7)

        def start(callback: Callable[[int], None]) -> None:
            nursery.start_soon(later, callback)

        assert await wait_for_callback(start) == 7


async def test_the_callback_may_be_called_at_once() -> None:
    def start(callback: Callable[[int], None]) -> None:
        callback(8)

    assert await wait_for_callback(start) == 8


async def test_an_exception_of_start_is_raised() -> None:
    def start(callback: Callable[[int], None]) -> None:
        raise ValueError("start failed")

    with pytest.raises(ValueError, match="start failed"):
        await wait_for_callback(start)


async def test_a_callback_after_the_cancellation_does_no_harm(autojump_clock: trio.testing.MockClock) -> None:
    callbacks: list[Callable[[int], None]] = []
    with trio.move_on_after(1) as scope:
        await wait_for_callback(callbacks.append)
    assert scope.cancelled_caught
    callbacks[0](1)
