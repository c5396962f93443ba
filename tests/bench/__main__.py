"""The command line: which workloads, which servers, how long; prints the tables, writes the JSON."""

import argparse
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from . import build, machine, report
from .measure import Measure, Pace, measure
from .servers import BUILD, SERVERS
from .workloads import MEMBER_CURVE, WORKLOADS, Workload

FULL = Pace(warm=1.0, measured=3.0, rounds=3)
QUICK = Pace(warm=0.4, measured=1.0, rounds=1)
QUICK_LEFT_OUT = ("chatd-socketio", "chatd-normal", "python-socketio", "socket.io-normal")


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of the most telling workloads")
    parser.add_argument("--only", metavar="WORKLOAD", nargs="+", default=[], help="these workloads")
    parser.add_argument("--servers", metavar="SERVER", nargs="+", default=[], help="these servers")
    parser.add_argument("--rounds", type=int, help="default 3")
    parser.add_argument("--seconds", type=float, help="measured in each round; default 3")
    parser.add_argument("--curve", action="store_true", help="instead: cost of a delivery by number of members")
    parser.add_argument("--json", type=Path, default=BUILD / "results.json", help="default %(default)s")
    parser.add_argument("--list", action="store_true", help="name all workloads and servers")
    return parser.parse_args(words)


def choose(options: argparse.Namespace) -> list[tuple[Workload, list[str]]]:
    rows = MEMBER_CURVE if options.curve else WORKLOADS
    if options.only:
        rows = tuple(row for row in WORKLOADS + MEMBER_CURVE if row.name in options.only)
    elif options.quick:
        rows = tuple(row for row in rows if row.quick)
    elif not options.curve:
        rows = tuple(row for row in rows if row.name != "idle-2000")  # the quick stand-in for the larger two
    plan = []
    for row in rows:
        names = [name for name in row.servers if not options.servers or name in options.servers]
        if options.quick and not options.servers:
            names = [name for name in names if name not in QUICK_LEFT_OUT]
        if names:
            plan.append((row, names))
    return plan


def pace_of(options: argparse.Namespace) -> Pace:
    pace = QUICK if options.quick else FULL
    return Pace(pace.warm, options.seconds or pace.measured, options.rounds or pace.rounds)


def lift_descriptors() -> None:
    """5,000 idle connections need as many descriptors here and in the server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run(workload: Workload, names: Sequence[str], pace: Pace) -> list[Measure]:
    """In turn, round after round, so that a disturbance of the machine meets everybody."""
    cores = machine.choose_cores()
    measures = []
    for turn in range(1, pace.rounds + 1):
        for name in names:
            found = measure(workload, SERVERS[name], pace, cores, turn)
            measures.append(found)
            told = found.failure or f"{found.cpu_us:.2f} µs, {found.operations} operations"
            print(f"  {workload.name} round {turn} {name}: {told}", file=sys.stderr, flush=True)
    return measures


def main(words: Sequence[str] | None = None) -> int:
    options = parse(words)
    if options.list:
        for row in WORKLOADS + MEMBER_CURVE:
            print(f"{row.name:16}{row.title}\n{'':16}  {' '.join(row.servers)}")
        return 0
    build.build_all()
    lift_descriptors()
    about = machine.describe()
    about["fdatasync of 4 KiB, median"] = f"{machine.sync_microseconds(BUILD):.0f} µs"
    print("\n".join(f"- {name}: {value}" for name, value in about.items()), "\n")
    results = []
    for workload, names in choose(options):
        found = report.collect(workload, run(workload, names, pace_of(options)))
        results += found
        print(report.table(workload, found), flush=True)
        report.write_json(options.json, about, results)
    print(f"Written: {options.json}")
    return 0 if all(result.exact and not result.failure for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
