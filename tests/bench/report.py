"""Report the results: one table for each workload, and one JSON file for programs."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from .measure import Measure
from .workloads import Kind, Unit, Workload

BUSY = 0.9  # a busier generator may be the limit


@dataclass(frozen=True)
class Result:
    """The median of all rounds of one server at one workload."""

    workload: Workload
    server: str
    rounds: tuple[Measure, ...]

    def middle(self, read: Callable[[Measure], float]) -> float:
        return median(read(each) for each in self.rounds if not each.failure)

    @property
    def failure(self) -> str:
        return next((each.failure for each in self.rounds if each.failure), "")

    @property
    def exact(self) -> bool:
        return all(each.exact for each in self.rounds)

    @property
    def cost(self) -> float:
        """The figure of the workload: KiB a connection, ms to the ready line, or CPU µs an operation."""
        if self.workload.kind is Kind.IDLE:
            return self.middle(lambda each: each.connection_kib if self.workload.members else each.pss_kib)
        if self.workload.kind is Kind.START:
            return self.middle(lambda each: each.ready_ms)
        return self.middle(lambda each: each.cpu_us)

    @property
    def spread(self) -> float:
        """The range of the rounds' CPU, as a share of the median."""
        costs = [each.cpu_us for each in self.rounds if not each.failure]
        return (max(costs) - min(costs)) / median(costs) if len(costs) > 1 and median(costs) else 0


def collect(workload: Workload, measures: Sequence[Measure]) -> list[Result]:
    own = [each for each in measures if each.workload == workload.name]
    names = dict.fromkeys(each.server for each in own)
    return [Result(workload, name, tuple(each for each in own if each.server == name)) for name in names]


def ratio(result: Result, results: Sequence[Result]) -> float | None:
    """The cost as a share of the baseline's in the same run."""
    for other in results:
        if other.server == result.workload.baseline and not other.failure and other.cost:
            return result.cost / other.cost
    return None


def milliseconds(microseconds: float) -> str:
    return f"{microseconds / 1e3:.2f}" if microseconds else "-"


Row = list[str]

WORK = [
    "server",
    "CPU µs",
    "ratio",
    "per second",
    "p50 ms",
    "p99 ms",
    "MiB",
    "kernel",
    "load",
    "others",
    "spread",
    "exact",
]
PACED = [*WORK, "message µs", "wake-ups", "system calls"]
HOLD = ["server", "KiB each", "ratio", "MiB", "CPU µs/s each"]
START = ["server", "ready ms", "ratio", "CPU ms", "MiB"]


def work_row(result: Result, share: str) -> Row:
    busy = result.middle(lambda each: each.load_share)
    cost = result.cost
    return [
        result.server,
        f"{cost:.3f}" if cost < 1 else f"{cost:.2f}",
        share,
        f"{result.middle(lambda each: each.operations / each.seconds):,.0f}",
        milliseconds(result.middle(lambda each: each.p50_us)),
        milliseconds(result.middle(lambda each: each.p99_us)),
        f"{result.middle(lambda each: each.pss_kib) / 1024:.1f}",
        f"{result.middle(lambda each: each.kernel_share):.0%}",
        f"{busy:.0%}" + ("*" if busy > BUSY else ""),
        f"{result.middle(lambda each: each.others_share):.0%}",
        f"{result.spread:.0%}",
        "yes" if result.exact else "NO",
    ]


def paced_row(result: Result, share: str) -> Row:
    """A row of a paced workload, with what one message costs."""
    calls = result.middle(lambda each: each.system_calls)
    return [
        *work_row(result, share),
        f"{result.cost * result.workload.members:.0f}",
        f"{result.middle(lambda each: each.wake_ups):.1f}",
        f"{calls:.1f}" if calls else "-",
    ]


def hold_row(result: Result, share: str) -> Row:
    mib = result.middle(lambda each: each.pss_kib) / 1024
    cpu = result.middle(lambda each: each.cpu_us)
    return [result.server, f"{result.cost:.2f}", share, f"{mib:.1f}", f"{cpu:.2f}"]


def start_row(result: Result, share: str) -> Row:
    mib = result.middle(lambda each: each.pss_kib) / 1024
    return [result.server, f"{result.cost:.0f}", share, f"{result.middle(lambda e: e.cpu_us) / 1e3:.0f}", f"{mib:.1f}"]


SHAPES: dict[Kind, tuple[Row, Callable[[Result, str], Row]]] = {
    Kind.CROWD: (WORK, work_row),
    Kind.REST: (WORK, work_row),
    Kind.IDLE: (HOLD, hold_row),
    Kind.START: (START, start_row),
}


def lay_out(rows: Sequence[Row]) -> list[str]:
    """A Markdown table that is also readable as plain text."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("| " + " | ".join(cells) + " |")
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return [lines[0], "| " + " | ".join(rule) + " |", *lines[1:]]


def table(workload: Workload, results: Sequence[Result]) -> str:
    heading, make_row = (PACED, paced_row) if workload.rate else SHAPES[workload.kind]
    rows, failures = [heading], []
    for result in results:
        if result.failure:
            failures.append(f"{result.server}: {result.failure}")
        if any(not each.failure for each in result.rounds):
            share = ratio(result, results)
            rows.append(make_row(result, f"{share:.2f}" if share is not None else "-"))
    unit = "" if workload.unit is Unit.START else f", per {workload.unit}"
    lines = [f"### {workload.name}: {workload.title}{unit}", ""]
    lines += lay_out(rows) if len(rows) > 1 else []
    lines += [f"- failed: {failure}" for failure in failures]
    return "\n".join([*lines, ""])


def as_json(machine: dict[str, str], results: Sequence[Result]) -> dict[str, Any]:
    by_workload: dict[str, list[Result]] = {}
    for result in results:
        by_workload.setdefault(result.workload.name, []).append(result)
    return {
        "machine": machine,
        "results": [
            {
                "workload": result.workload.name,
                "unit": result.workload.unit,
                "server": result.server,
                "baseline": result.workload.baseline,
                "cost": None if result.failure else result.cost,
                "ratio": None if result.failure else ratio(result, by_workload[result.workload.name]),
                "exact": result.exact,
                "rounds": [each.as_dict() for each in result.rounds],
            }
            for result in results
        ],
    }


def write_json(path: Path, machine: dict[str, str], results: Sequence[Result]) -> None:
    path.write_text(json.dumps(as_json(machine, results), indent=1) + "\n")
