"""The timer wheel beside a list of moments."""

from __future__ import annotations

import gc
import weakref

import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from chatd.net.timer_wheel import NO_SLOT, TimerWheel

SLOT, LONGEST = 0.5, 15.0


class Item:
    def __init__(self) -> None:
        self.slot = NO_SLOT


def test_an_item_is_due_when_its_slot_has_come() -> None:
    wheel: TimerWheel[Item] = TimerWheel(SLOT, LONGEST)
    item = Item()
    wheel.set(item, 100.2, 99.0)
    assert not list(wheel.due(100.2))
    assert list(wheel.due(100.5)) == [item]


def test_no_moment_is_further_than_the_longest() -> None:
    wheel: TimerWheel[Item] = TimerWheel(SLOT, LONGEST)
    item = Item()
    wheel.set(item, float("inf"), 100.0)
    assert list(wheel.due(100.0 + LONGEST)) == [item]


def test_an_item_that_a_handler_removes_is_not_due_any_more() -> None:
    wheel: TimerWheel[Item] = TimerWheel(SLOT, LONGEST)
    first, second = Item(), Item()
    for item in (first, second):
        wheel.set(item, 1.0, 0.0)
    for item in wheel.due(2.0):
        wheel.remove(second if item is first else first)
        wheel.set(item, 10.0, 2.0)
    assert len(wheel) == 1


def test_a_removed_item_is_freed_at_once() -> None:
    wheel: TimerWheel[Item] = TimerWheel(SLOT, LONGEST)
    item = Item()
    wheel.set(item, 1.0, 0.0)
    gone = weakref.ref(item)
    wheel.remove(item)
    gc.disable()
    try:
        del item
        assert gone() is None
    finally:
        gc.enable()


Steps = st.lists(st.tuples(st.sampled_from("srd"), st.integers(0, 4), st.floats(0, 40)), max_size=60)


@given(Steps)
def test_beside_a_table_of_moments(steps: list[tuple[str, int, float]]) -> None:
    wheel: TimerWheel[Item] = TimerWheel(SLOT, LONGEST)
    items, moments, now = [Item() for _ in range(5)], dict[Item, float](), 0.0
    for what, which, seconds in steps:
        item = items[which]
        if what == "s":
            wheel.set(item, now + seconds, now)
            moments[item] = now + min(seconds, LONGEST)
        elif what == "r":
            wheel.remove(item)
            moments.pop(item, None)
        else:
            now += seconds
            for due in wheel.due(now):
                assert moments.pop(due) <= now
                wheel.remove(due)
            assert all(moment > now - SLOT for moment in moments.values())
        assert len(wheel) == len(moments)
        assert set(wheel) == set(moments)


async def test_a_wait_ends_with_the_first_moment_also_of_a_later_item(autojump_clock: MockClock) -> None:
    wheel: TimerWheel[Item] = TimerWheel(SLOT, LONGEST)
    woken: list[float] = []

    async def wait() -> None:
        for _ in range(2):
            await wheel.wait()
            woken.append(trio.current_time())
            for item in wheel.due(trio.current_time()):
                wheel.remove(item)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.sleep(5)
        wheel.set(Item(), 15.0, 5.0)
        wheel.set(Item(), 7.2, 5.0)
    assert woken == [7.5, 15.0]


async def test_an_item_that_stays_overdue_is_looked_at_once_a_slot(autojump_clock: MockClock) -> None:
    wheel: TimerWheel[Item] = TimerWheel(SLOT, LONGEST)
    looks: list[float] = []
    wheel.set(Item(), 1.0, 0.0)
    with trio.move_on_after(6.2):
        while True:
            await wheel.wait()
            for item in wheel.due(trio.current_time()):
                looks.append(trio.current_time())
                wheel.set(item, 1.0, trio.current_time())
    assert looks == [1.0 + SLOT * count for count in range(11)]


async def test_a_wait_can_be_ended(autojump_clock: MockClock) -> None:
    wheel: TimerWheel[Item] = TimerWheel(SLOT, LONGEST)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wheel.wait)
        await trio.sleep(1)
        wheel.end_wait()
    assert trio.current_time() == 1
