"""Counting, and the text that Prometheus reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from chatd.telemetry.metrics import REGISTRY, Counter, Gauge, Histogram, render


@pytest.fixture(autouse=True)
def own_registry() -> Iterator[None]:
    """Remove what a test registers."""
    before = dict(REGISTRY)
    REGISTRY.clear()
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


def test_a_counter_without_labels_starts_at_zero() -> None:
    counter = Counter("a_total", "Some things")
    assert render() == "# HELP a_total Some things\n# TYPE a_total counter\na_total 0\n"
    counter.add()
    counter.add(amount=2)
    assert render().endswith("a_total 3\n")
    assert counter.value == 3


def test_labels_make_series_and_are_escaped() -> None:
    counter = Counter("b_total", "B", ("x", "y"))
    counter.add("2", 'q"\\\n')
    counter.child("1", "z").add(5)
    assert render().splitlines()[2:] == ['b_total{x="1",y="z"} 5', 'b_total{x="2",y="q\\"\\\\\\n"} 1']


def test_a_wrong_number_of_labels_is_a_fault() -> None:
    with pytest.raises(TypeError, match="b_total takes 1 labels, not 2"):
        Counter("b_total", "B", ("x",)).add("1", "2")


def test_a_gauge_goes_both_ways_or_follows() -> None:
    gauge = Gauge("g", "G")
    gauge.set(2.5)
    assert render().endswith("g 2.5\n")
    gauge.add(amount=-1.5)
    assert gauge.value == 1
    gauge.follow(lambda: 7)
    assert gauge.value == 7
    assert render().endswith("g 7\n")


def test_a_histogram_counts_everything_below_each_bound() -> None:
    histogram = Histogram("h", "H", buckets=(1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.observe(value)
    assert render().splitlines()[2:] == [
        'h_bucket{le="1"} 2',
        'h_bucket{le="2"} 3',
        'h_bucket{le="+Inf"} 4',
        "h_sum 12",
        "h_count 4",
    ]


def test_the_rows_of_the_server_are_well_named(request: pytest.FixtureRequest) -> None:
    from chatd.telemetry import metrics

    rows = [value for value in vars(metrics).values() if isinstance(value, metrics.Metric)]
    assert len(rows) > 10
    for row in rows:
        assert re.fullmatch(r"chatd_[a-z_]+", row.name)
        assert (row.kind == "counter") == row.name.endswith("_total")
        assert row.help
