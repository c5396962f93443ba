"""The ticker ticks while there is work, and then waits."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from chatd.core.ticker import TICK_SECONDS, Ticker

LEFT = [True, True, False]


@pytest.fixture
async def ticks(nursery: trio.Nursery) -> tuple[Ticker, list[float]]:
    ticker, seen = Ticker(), list[float]()

    def work(now: float) -> bool:
        seen.append(now)
        return LEFT[len(seen) - 1]

    nursery.start_soon(ticker.run, work)
    return ticker, seen


async def test_nothing_ticks_without_work(ticks: tuple[Ticker, list[float]], autojump_clock: MockClock) -> None:
    await trio.sleep(100)
    assert not ticks[1]


async def test_it_ticks_until_no_work_is_left(ticks: tuple[Ticker, list[float]], autojump_clock: MockClock) -> None:
    ticker, seen = ticks
    await trio.sleep(10)
    for _ in range(5):
        ticker.need()
    await trio.sleep(100)
    assert seen == pytest.approx([10 + TICK_SECONDS, 10 + 2 * TICK_SECONDS, 10 + 3 * TICK_SECONDS])
