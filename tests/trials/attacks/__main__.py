"""The command line of the attacks."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import trio

import tests.trials.attacks as package
from tests.outside.server import Chatd
from tests.trials.attacks.history import Facts, multiply
from tests.trials.attacks.table import ATTACKS, Attack
from tests.trials.attacks.target import Target

BOUND_MS = 250.0
CALM_SECONDS = 3.0  # before the attack
ALIVE_SECONDS = 2.0  # after it, until the clients have received something
REST_SECONDS = 6.0  # after its time, until an attacker is ended
STOP_SECONDS = 15.0
HEAD = ("attack", "row", "p50 before", "p99", "worst", "p50 during", "p99", "worst", "CPU", "MB", "peak", "after")
LINE = "{:17}{:>4}{:>11}{:>7}{:>8}{:>12}{:>9}{:>9}{:>6}{:>6}{:>6}{:>6}  {}"


class Outcome(NamedTuple):
    """The result of an attack: waits in milliseconds, memory in MB, CPU as a share of one core."""

    before: dict[str, float]
    during: dict[str, float]
    cpu: float
    memory: tuple[int, int, int]
    answers: dict[str, int]
    broken: list[str]


class Companion:
    """A process beside the server that answers a line with a line."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def figures(self) -> dict[str, float]:
        self.write("")
        found: dict[str, float] = json.loads(self.read())
        return found

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


@contextmanager
def companion(*words: str) -> Iterator[Companion]:
    beside = Companion(*words)
    try:
        yield beside
    finally:
        beside.end()


def prepare(server: Chatd, attack: Attack) -> Facts:
    """Make what the attack needs."""

    async def make() -> Facts:
        return await attack.prepare(Target(server.address))

    facts = trio.run(make)
    if attack.copies:
        server.stop()
        multiply(server.data, facts["message"], attack.copies)
        server.start()
    return facts


def attack_once(name: str, folder: Path, options: argparse.Namespace) -> Outcome:
    """One attack on a fresh server."""
    server = Chatd(folder, {"log.level": "warning"} if options.quiet else None, root=options.server_root).start()
    try:
        facts = prepare(server, ATTACKS[name])
        with companion("tests.trials.attacks.crowd", server.address) as crowd:
            assert crowd.read() == "ready\n", "the clients could not begin"
            time.sleep(1)
            crowd.figures()
            time.sleep(CALM_SECONDS)
            before = crowd.figures()
            outcome = measure(server, crowd, name, facts, options, before)
        stop(server, outcome.broken)
        return outcome
    finally:
        server.end()


def measure(
    server: Chatd, crowd: Companion, name: str, facts: Facts, options: argparse.Namespace, before: dict[str, float]
) -> Outcome:
    peak = memory = server.memory
    with companion("tests.trials.attacks.assault", name, server.address, str(options.seconds)) as attacker:
        attacker.write(json.dumps(facts))
        assert attacker.process.stdin is not None
        attacker.process.stdin.close()
        assert attacker.read() == "ready\n", "the attacker could not begin"
        crowd.figures()
        cpu, began = server.cpu, time.monotonic()
        deadline = began + options.seconds + REST_SECONDS
        while attacker.process.poll() is None and time.monotonic() < deadline and server.alive:
            peak = max(peak, server.memory)
            time.sleep(0.1)
        share = (server.cpu - cpu) / (time.monotonic() - began) if server.alive else 0.0
        said: dict[str, Any] = json.loads((attacker.process.poll() is not None and attacker.read()) or "{}")
    during = crowd.figures()
    broken: list[str] = said.get("broken", [])
    if during["p99"] > BOUND_MS:
        broken.append(f"others' p99 over {BOUND_MS:.0f} ms")
    if during["lost"]:
        broken.append(f"{during['lost']:.0f} of the others lost their connection")
    time.sleep(ALIVE_SECONDS)
    after = 0
    if not server.alive:
        broken.append("the server ended")
    elif not crowd.figures()["received"]:
        broken.append("the server answers nothing")
    else:
        time.sleep(max(0.0, options.settle - ALIVE_SECONDS))
        after = server.memory
    return Outcome(before, during, share, (memory, peak, after), said.get("answers", {}), broken)


def stop(server: Chatd, broken: list[str]) -> None:
    """Stop the server: its exit code must be 0, and its log clean."""
    if not server.alive:
        return
    try:
        code = server.stop(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        broken.append("SIGTERM ignored")
        return
    if code:
        broken.append(f"exit {code}")
    if server.faults:
        broken.append(server.faults[0][:100])


def show(name: str, outcome: Outcome) -> None:
    waits = [outcome.before[part] for part in ("p50", "p99", "worst")]
    waits += [outcome.during[part] for part in ("p50", "p99", "worst")]
    memory = [round(kib / 1024) for kib in outcome.memory]
    verdict = "; ".join(outcome.broken) or "held"
    answers = ", ".join(f"{count} {answer}" for answer, count in outcome.answers.items())
    words = [name, ATTACKS[name].row, *waits, f"{outcome.cpu:.2f}", *memory, f"{verdict} ({answers})"]
    print(LINE.format(*words), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.trials.attacks",
        description=package.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="ATTACK", help="those to run; all when there is none")
    parser.add_argument("--list", action="store_true", help="name the attacks")
    parser.add_argument("--server-root", type=Path, metavar="DIR", help="the checkout whose server is attacked")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each attack lasts (4; at most 8)")
    parser.add_argument("--settle", type=float, default=10.0, help="seconds until memory is read again (10)")
    parser.add_argument("--quiet", action="store_true", help="start the server with log.level = warning")
    options = parser.parse_args()
    options.seconds = min(options.seconds, 8.0)
    if unknown := [name for name in options.names if name not in ATTACKS]:
        parser.error(f"no such attack: {', '.join(unknown)}; --list names them")
    if options.list:
        print("\n".join(f"{attack.row:3} {name}" for name, attack in ATTACKS.items()))
        return 0
    broken = 0
    print(LINE.format(*HEAD, ""), flush=True)
    for name in options.names or ATTACKS:
        with tempfile.TemporaryDirectory(prefix="chatd-attack-") as folder:
            outcome = attack_once(name, Path(folder), options)
        show(name, outcome)
        broken += bool(outcome.broken)
    print(f"{broken} broken" if broken else "all held")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
