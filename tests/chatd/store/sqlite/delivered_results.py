"""Shared by the tests of the database: the results in the order of their delivery, and a unit that waits."""

from __future__ import annotations

import threading
from typing import Any

import trio

from chatd.store.sqlite.transaction import ReadTransaction
from tests.chatd.store.notes import COUNT


def count(tx: ReadTransaction) -> int:
    row = tx.one(COUNT)
    assert row is not None
    return int(row[0])


class Results:
    """The results that were delivered, in order; `wait` waits for a number of them."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self._wanted = 0
        self._event = trio.Event()

    def add(self, result: Any) -> None:
        self.received.append(result)
        if len(self.received) >= self._wanted:
            self._event.set()

    def done(self, name: str) -> Any:
        return lambda result: self.add((name, type(result).__name__))

    async def wait(self, number: int) -> list[Any]:
        self._wanted, self._event = number, trio.Event()
        if len(self.received) < number:
            await self._event.wait()
        return self.received


class Gate:
    """A unit that blocks the connection's thread until `open` is called."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self._go = threading.Event()

    def __call__(self, _tx: ReadTransaction) -> str:
        self.began.set()
        self._go.wait(10)
        return "through"

    async def entered(self) -> None:
        await trio.to_thread.run_sync(self.began.wait)

    def open(self) -> None:
        self._go.set()
