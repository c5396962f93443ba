"""Waiting for a callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import trio

T = TypeVar("T")


async def wait_for_callback(start: Callable[[Callable[[T], None]], None]) -> T:
    """Call `start` with a callback, wait until the callback is called, and return its argument.

    A cancelled wait does not stop what `start` began. An exception of `start` is raised at once.
    """
    called = trio.Event()
    arguments: list[T] = []

    def callback(argument: T) -> None:
        arguments.append(argument)
        called.set()

    start(callback)
    await called.wait()
    return arguments[0]
