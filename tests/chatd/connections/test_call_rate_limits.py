"""The rate limits of one connection, in virtual time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing

from chatd.connections.call_rate_limits import REFUSALS_SECONDS, CallRateLimits
from chatd.rate_limit import Rate
from protocol.errors import RATE_LIMITED, Refusal


def limits(refusals: int = 3) -> CallRateLimits:
    config = SimpleNamespace(limits=SimpleNamespace(refusals=refusals))
    app: Any = SimpleNamespace(call_rate=Rate(1, 2), typing_rate=Rate(1, 1), config=config)
    return CallRateLimits(app)


async def test_a_call_above_the_limit_is_refused_with_a_time(autojump_clock: trio.testing.MockClock) -> None:
    calls = limits()
    assert calls.count_call() is None
    assert calls.count_call() is None
    refusal = calls.count_call()
    assert refusal is not None
    assert refusal.code is RATE_LIMITED
    assert refusal.retry_after == 1.0
    await trio.sleep(1)
    assert calls.count_call() is None


async def test_the_third_refusal_in_a_short_time_ends_the_connection(autojump_clock: trio.testing.MockClock) -> None:
    calls = limits()
    assert [calls.count_refusal() for _ in range(3)] == [False, False, True]
    await trio.sleep(REFUSALS_SECONDS)
    assert [calls.count_refusal() for _ in range(3)] == [False, False, True]


async def test_no_number_of_refusals_ends_a_connection_without_that_limit(
    autojump_clock: trio.testing.MockClock,
) -> None:
    calls = limits(refusals=0)
    assert not any(calls.count_refusal() for _ in range(20))


async def test_typing_has_a_limit_of_its_own(autojump_clock: trio.testing.MockClock) -> None:
    calls = limits()
    calls.check_typing()
    with pytest.raises(Refusal) as found:
        calls.check_typing()
    assert found.value.code is RATE_LIMITED
    assert calls.count_call() is None
