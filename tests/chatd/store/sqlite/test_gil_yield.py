"""When the loop pauses for a connection's thread, and when not."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from chatd.store.sqlite import gil_yield
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.gil_yield import PATIENCE_SECONDS, PAUSE_SECONDS, GilYield
from tests.chatd.store.notes import SCHEMA, add


class Clock:
    """Time as the loop sees it; sleeping is noted."""

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
    polite = GilYield()
    polite.call_began()
    polite.before_io_wait(0)
    assert clock.slept == []
    clock.now += PATIENCE_SECONDS * 1.5
    polite.before_io_wait(0)
    polite.before_io_wait(0)
    assert clock.slept == [PAUSE_SECONDS]
    clock.now += PATIENCE_SECONDS * 1.5
    polite.before_io_wait(0)
    assert clock.slept == [PAUSE_SECONDS, PAUSE_SECONDS]


def test_a_loop_that_sleeps_anyway_does_not_pause(clock: Clock) -> None:
    polite = GilYield()
    polite.call_began()
    clock.now += 1
    polite.before_io_wait(0.1)
    assert clock.slept == []


def test_nothing_under_way_is_nothing_to_wait_for(clock: Clock) -> None:
    polite = GilYield()
    polite.call_began()
    polite.call_began()
    polite.call_ended()
    clock.now += 1
    polite.call_ended()
    clock.now += 1
    polite.before_io_wait(0)
    assert clock.slept == []


async def test_a_database_asks_while_a_commit_is_under_way(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    under_way: list[int] = []
    monkeypatch.setattr(GilYield, "before_io_wait", lambda self, _timeout: under_way.append(self._calls))
    async with Database.open(path, SCHEMA) as database:
        under_way.clear()
        await database.write(add("a"))
    assert 1 in under_way
    assert under_way[-1] == 0
    told = len(under_way)
    await trio.lowlevel.checkpoint()
    assert len(under_way) == told
