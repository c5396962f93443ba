"""Descriptors and memory: limits that are raised, and memory that is given back when many have left."""

from __future__ import annotations

import resource
from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock

from chatd.config.settings import Config
from chatd.net.process import (
    MAX_DESCRIPTORS,
    TRIM_AFTER_CONNECTIONS,
    TRIM_SECONDS,
    Trimmer,
    find_trim,
    max_descriptors,
    raise_descriptors,
)
from chatd.server.limits import front_rules

UNLIMITED = resource.RLIM_INFINITY
Limits = tuple[int, int]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Callable[[Limits], list[Limits]]:
    """Pretend that the process has these limits; what is set."""

    def pretend(given: Limits) -> list[Limits]:
        now = [given]
        monkeypatch.setattr(resource, "getrlimit", lambda kind: now[-1])
        monkeypatch.setattr(resource, "setrlimit", lambda kind, wanted: now.append(wanted))
        return now

    return pretend


@pytest.mark.parametrize(
    ("given", "soft"),
    [
        ((1_024, 4_096), 4_096),
        ((1_024, 1 << 30), MAX_DESCRIPTORS),
        ((1_024, UNLIMITED), MAX_DESCRIPTORS),
        ((4_096, 4_096), 4_096),
        ((1 << 22, 1 << 30), 1 << 22),
        ((UNLIMITED, UNLIMITED), UNLIMITED),
    ],
)
def test_the_soft_limit_is_raised_to_the_hard_one(
    limits: Callable[[Limits], list[Limits]], given: Limits, soft: int
) -> None:
    now = limits(given)
    raise_descriptors()
    assert now[-1] == (soft, given[1])


def test_unlimited_descriptors_are_many_connections(limits: Callable[[Limits], list[Limits]]) -> None:
    limits((UNLIMITED, UNLIMITED))
    assert max_descriptors() == MAX_DESCRIPTORS
    assert front_rules(Config()).connections == int(MAX_DESCRIPTORS * 0.9)


def test_a_system_that_refuses_keeps_its_limit(
    limits: Callable[[Limits], list[Limits]], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits((1_024, 4_096))

    def refuse(kind: int, wanted: Limits) -> None:
        raise ValueError

    monkeypatch.setattr(resource, "setrlimit", refuse)
    raise_descriptors()
    assert max_descriptors() == 1_024


async def test_memory_is_given_back_once_many_have_left(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    times = list[float]()

    def trim(pad: int) -> int:
        times.append(pad)
        return 1

    trimmer = Trimmer(trim)
    nursery.start_soon(trimmer.run)
    for _ in range(TRIM_AFTER_CONNECTIONS - 1):
        trimmer.connection_ended()
    await trio.sleep(10 * TRIM_SECONDS)
    assert times == []
    for _ in range(10 * TRIM_AFTER_CONNECTIONS):
        trimmer.connection_ended()
    while not times:  # noqa: ASYNC110 - a thread is at work, beside the virtual clock
        await trio.sleep(TRIM_SECONDS)
    await trio.sleep(10 * TRIM_SECONDS)
    assert times == [0]
    nursery.cancel_scope.cancel()


async def test_without_glibc_nothing_is_done() -> None:
    await Trimmer(None).run()


def test_the_c_library_here_has_it_or_not() -> None:
    trim = find_trim()
    assert trim is None or trim(0) in (0, 1)
