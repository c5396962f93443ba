"""The command line: which workloads, which servers, how long; prints the tables, writes the JSON."""

import argparse
import resource
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from . import build, machine, report
from .curves import CURVES, Curve, picture
from .measure import Measure, Pace, measure
from .servers import BUILD, SERVERS
from .workloads import WORKLOADS, Workload

FULL = Pace(warm=1.0, measured=3.0, rounds=3)
QUICK = Pace(warm=0.4, measured=1.0, rounds=1)
QUICK_LEFT_OUT = ("chatd-socketio", "chatd-normal", "python-socketio", "socket.io-normal")
BASE = "chatd-base"  # the other checkout of --base
QUICK_ONLY = ("idle-2000",)  # stands in for the larger two


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of the most telling workloads")
    parser.add_argument("--only", metavar="WORKLOAD", nargs="+", default=[], help="these workloads")
    parser.add_argument("--servers", metavar="SERVER", nargs="+", default=[], help="these servers")
    parser.add_argument(
        "--base", type=Path, metavar="CHECKOUT",
        help="compare chatd with another checkout of it, run by the same Python, taking turns",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, help="default 3")
    parser.add_argument("--seconds", type=float, help="measured in each round; default 3")
    parser.add_argument(
        "--curve", choices=[curve.name for curve in CURVES], nargs="+", default=[],
        help="instead: how the cost grows with the work, one round, with a picture",
    )  # fmt: skip
    parser.add_argument("--pictures", type=Path, default=BUILD, help="where curves are drawn; default %(default)s")
    parser.add_argument("--json", type=Path, default=BUILD / "results.json", help="default %(default)s")
    parser.add_argument("--list", action="store_true", help="name all workloads and servers")
    return parser.parse_args(words)


def rows_of(options: argparse.Namespace) -> list[Workload]:
    if options.curve:
        rows = [point.workload for curve in chosen_curves(options) for point in curve.points]
        return [row for row in rows if not options.only or row.name in options.only]
    if options.only:
        return [row for row in WORKLOADS if row.name in options.only]
    if options.quick:
        return [row for row in WORKLOADS if row.quick]
    return [row for row in WORKLOADS if row.name not in QUICK_ONLY]


def chosen_curves(options: argparse.Namespace) -> list[Curve]:
    return [curve for curve in CURVES if curve.name in options.curve]


def names_of(row: Workload, options: argparse.Namespace) -> list[str]:
    if options.base:
        return ["chatd", BASE] if "chatd" in row.servers else []
    if options.servers:
        return [name for name in row.servers if name in options.servers]
    return [name for name in row.servers if not (options.quick and name in QUICK_LEFT_OUT)]


def pace_of(options: argparse.Namespace) -> Pace:
    pace = QUICK if options.quick else FULL
    return Pace(pace.warm, options.seconds or pace.measured, options.rounds or (1 if options.curve else pace.rounds))


def lift_descriptors() -> None:
    """5,000 idle connections need as many descriptors here and in the server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run(workload: Workload, names: Sequence[str], pace: Pace) -> list[Measure]:
    """Run the servers in turn, round after round, so that a disturbance of the machine affects all of them."""
    cores = machine.choose_cores()
    measures = []
    for turn in range(1, pace.rounds + 1):
        for name in names if turn % 2 else names[::-1]:
            found = measure(workload, SERVERS[name], pace, cores, turn)
            measures.append(found)
            told = found.failure or f"{found.cpu_us:.2f} µs, {found.operations} operations"
            print(f"  {workload.name} round {turn} {name}: {told}", file=sys.stderr, flush=True)
    return measures


def main(words: Sequence[str] | None = None) -> int:
    options = parse(words)
    if options.list:
        for row in WORKLOADS:
            print(f"{row.name:16}{row.title}\n{'':16}  {' '.join(row.servers)}")
        return 0
    if options.base:
        SERVERS[BASE] = replace(SERVERS["chatd"], name=BASE, root=options.base.resolve())
        build.compile_c()  # the other servers are not needed
    else:
        build.build_all()
    lift_descriptors()
    about = machine.describe()
    about["fdatasync of 4 KiB, median"] = f"{machine.sync_microseconds(BUILD):.0f} µs"
    print("\n".join(f"- {name}: {value}" for name, value in about.items()), "\n")
    results = []
    for workload in rows_of(options):
        if options.base:
            workload = replace(workload, baseline=BASE)
        found = report.collect(workload, run(workload, names_of(workload, options), pace_of(options)))
        results += found
        print(report.table(workload, found), flush=True)
        report.write_json(options.json, about, results)
    print(f"Written: {options.json}")
    for curve in chosen_curves(options):
        options.pictures.mkdir(parents=True, exist_ok=True)
        path = options.pictures / f"curve-{curve.name}.svg"
        path.write_text(picture(curve, results))
        print(f"Written: {path}")
    return 0 if all(result.exact and not result.failure for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
