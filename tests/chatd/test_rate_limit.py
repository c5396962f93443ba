"""Buckets against a plain model of what a bucket is, in virtual time."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.rate_limit import Bucket, Buckets, Rate

START = 1_000_000.0
MILLISECOND = 0.001


class Water:
    """What a token bucket is by its definition: a level that rises with time and falls with each call."""

    def __init__(self, rate: int, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self.level = Fraction(burst)
        self.then = 0

    def rise(self, milliseconds: int) -> None:
        self.level = min(Fraction(self.burst), self.level + Fraction(milliseconds - self.then, 1000) * self.rate)
        self.then = milliseconds

    def take(self, milliseconds: int) -> bool:
        self.rise(milliseconds)
        if self.level < 1:
            return False
        self.level -= 1
        return True


STEPS = st.lists(st.integers(min_value=0, max_value=3000), max_size=200)


@settings(deadline=None)
@given(st.integers(1, 50), st.integers(1, 20), STEPS)
def test_a_bucket_is_a_bucket(rate: int, burst: int, steps: list[int]) -> None:
    """Allowed exactly when the model allows, but for the last nanoseconds of a token's arrival."""
    bucket, buckets, model = Bucket(Rate(rate, burst)), Buckets[str](Rate(rate, burst)), Water(rate, burst)
    time = 0
    for step in steps:
        time += step
        now = START + time * MILLISECOND
        model.rise(time)
        wait = max(Fraction(0), (1 - model.level) / rate)
        assert bucket.retry_after(now) == pytest.approx(float(wait), abs=1e-5)
        assert buckets.retry_after("a", now) == pytest.approx(float(wait), abs=1e-5)
        allowed = model.take(time)
        assert bucket.take(now) == buckets.take("a", now) == allowed


def test_retry_after_is_when_it_works_again() -> None:
    bucket = Bucket(Rate(20, 60))
    assert all(bucket.take(START) for _ in range(60))
    assert not bucket.take(START)
    wait = bucket.retry_after(START)
    assert not bucket.take(START + wait - 0.001)
    assert bucket.take(START + wait)
    assert bucket.retry_after(START + 1000) == 0


@pytest.mark.parametrize("rate", [Rate(0), Rate(0, 100), Rate(0, 0)])
def test_a_rate_of_nothing_is_no_limit(rate: Rate) -> None:
    bucket, buckets = Bucket(rate), Buckets[str](rate)
    assert all(bucket.take(START) and buckets.take("a", START) for _ in range(1000))
    assert bucket.retry_after(START) == buckets.retry_after("a", START) == 0
    assert len(buckets) == 0


def test_a_burst_of_nothing_still_lets_one_through() -> None:
    bucket = Bucket(Rate(1, 0))
    assert bucket.take(START)
    assert not bucket.take(START)


def test_a_clock_that_starts_at_nothing() -> None:
    bucket = Bucket(Rate(1, 2))
    assert [bucket.take(0.0) for _ in range(3)] == [True, True, False]


def test_keys_do_not_share() -> None:
    buckets = Buckets[tuple[int, str]](Rate(1, 1))
    assert buckets.take((7, "::1"), START)
    assert buckets.take((8, "::1"), START)
    assert not buckets.take((7, "::1"), START)
    buckets.give_back((7, "::1"))
    assert buckets.take((7, "::1"), START)
    buckets.clear((7, "::1"))
    assert buckets.take((7, "::1"), START)
    buckets.give_back((9, "::1"))
    assert len(buckets) == 2


def test_full_buckets_are_forgotten() -> None:
    buckets = Buckets[int](Rate(1, 1))
    for key in range(100_000):
        assert buckets.take(key, START + key * MILLISECOND)
    assert len(buckets) <= 4096, "about a thousand are in use at any time"


def test_memory_has_a_bound_and_the_busiest_are_kept() -> None:
    buckets = Buckets[int](Rate(0.001, 2), max_keys=1000)
    assert all(buckets.take(-1, START) for _ in range(2))
    for key in range(100_000):
        assert buckets.take(key, START)
        assert len(buckets) <= 1000
    assert not buckets.take(-1, START), "an attacker with many addresses does not free the one that is empty"
