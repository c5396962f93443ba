"""The tables contain the figures, and failures are rows too."""

from xml.etree import ElementTree

from .curves import CURVES, picture
from .measure import Measure
from .report import collect, ratio, table
from .servers import SERVERS
from .workloads import WORKLOADS, Kind, Unit, Workload

FANOUT = Workload("fan", "fan-out", Kind.CROWD, Unit.DELIVERY, ("ours", "theirs"), "theirs", members=10)


def one(server: str, turn: int, cpu_us: float, failure: str = "", exact: bool = True) -> Measure:
    return Measure("fan", server, turn, 100, 1.0, cpu_us, exact=exact, failure=failure)


def test_the_median_round_is_compared_with_the_baseline_of_the_same_run() -> None:
    measures = [one("ours", 1, 1.0), one("theirs", 1, 8.0), one("ours", 2, 2.0), one("theirs", 2, 8.0)]
    ours, theirs = collect(FANOUT, [*measures, one("ours", 3, 40.0)])
    assert ours.cost == 2.0
    assert ratio(ours, [ours, theirs]) == 0.25


def test_one_inexact_round_is_told() -> None:
    (ours,) = collect(FANOUT, [one("ours", 1, 1.0), one("ours", 2, 1.0, exact=False)])
    assert table(FANOUT, [ours]).splitlines()[-1].endswith("NO |")


def test_a_failed_server_is_named_with_its_reason_and_has_no_figures() -> None:
    found = collect(FANOUT, [one("ours", 1, 0, failure="it fell over"), one("theirs", 1, 8.0)])
    told = table(FANOUT, found)
    assert "- failed: ours: it fell over" in told
    assert told.count("| ours") == 0


def test_every_workload_names_servers_that_exist() -> None:
    for workload in (*WORKLOADS, *(point.workload for curve in CURVES for point in curve.points)):
        assert set(workload.servers) <= set(SERVERS)
        assert workload.baseline in ("", *workload.servers)


def test_a_picture_has_a_line_for_each_server_and_leaves_failures_out() -> None:
    small, large = CURVES[0].points[0].workload, CURVES[0].points[-1].workload
    found = [
        *collect(small, [Measure(small.name, "chatd", 1, 10, 1.0, 0.5), Measure(small.name, "ws", 1, 10, 1.0, 7.0)]),
        *collect(large, [Measure(large.name, "chatd", 1, 10, 1.0, 0.6), Measure(large.name, "ws", 1, failure="no")]),
    ]
    drawn = picture(CURVES[0], found)
    ElementTree.fromstring(drawn)
    assert drawn.count("<polyline") == 2
    assert drawn.count("<circle") == 3


def test_a_paced_row_says_what_a_message_costs() -> None:
    paced = Workload("fan", "paced", Kind.CROWD, Unit.DELIVERY, ("ours",), "", members=10, rate=50)
    measures = [Measure("fan", "ours", 1, 100, 1.0, 7.0, wake_ups=6.2, system_calls=41.0)]
    heading, _, row = table(paced, collect(paced, measures)).splitlines()[2:5]
    figures = dict(zip(heading.split("|"), row.split("|"), strict=True))
    found = {name.strip(): figure.strip() for name, figure in figures.items()}
    assert (found["message µs"], found["wake-ups"], found["system calls"]) == ("70", "6.2", "41.0")
