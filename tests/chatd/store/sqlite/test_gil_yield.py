"""When the loop pauses for a connection's thread, and when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from chatd.store.sqlite import gil_yield
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.gil_yield import PATIENCE_SECONDS, PAUSE_SECONDS, GilYield
from tests.chatd.store.notes import SCHEMA, add


class Clock:
    """The loop's clock; it records every sleep."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(gil_yield, "time", clock)
    return clock


def test_a_saturated_loop_pauses_once_per_patience(clock: Clock) -> None:
    gil_yield_instrument = GilYield()
    gil_yield_instrument.call_began()
    gil_yield_instrument.before_io_wait(0)
    assert clock.slept == []
    clock.now += PATIENCE_SECONDS * 1.5
    gil_yield_instrument.before_io_wait(0)
    gil_yield_instrument.before_io_wait(0)
    assert clock.slept == [PAUSE_SECONDS]
    clock.now += PATIENCE_SECONDS * 1.5
    gil_yield_instrument.before_io_wait(0)
    assert clock.slept == [PAUSE_SECONDS, PAUSE_SECONDS]


def test_a_loop_that_sleeps_anyway_does_not_pause(clock: Clock) -> None:
    gil_yield_instrument = GilYield()
    gil_yield_instrument.call_began()
    clock.now += 1
    gil_yield_instrument.before_io_wait(0.1)
    assert clock.slept == []


def test_without_calls_the_loop_does_not_pause(clock: Clock) -> None:
    gil_yield_instrument = GilYield()
    gil_yield_instrument.call_began()
    gil_yield_instrument.call_began()
    gil_yield_instrument.call_ended()
    clock.now += 1
    gil_yield_instrument.call_ended()
    clock.now += 1
    gil_yield_instrument.before_io_wait(0)
    assert clock.slept == []


async def test_a_database_counts_the_call_while_a_commit_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running_calls: list[int] = []
    monkeypatch.setattr(GilYield, "before_io_wait", lambda self, _timeout: running_calls.append(self._calls))
    async with Database.open(path, SCHEMA) as database:
        running_calls.clear()
        await database.write(add("a"))
    assert 1 in running_calls
    assert running_calls[-1] == 0
    calls = len(running_calls)
    await trio.lowlevel.checkpoint()
    assert len(running_calls) == calls
