"""One server, one workload, one round: start, prepare, warm up, measure, stop."""

import shutil
import tempfile
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from . import chatd_server, machine
from .load import Crowd, Generator, LoadFailed, arguments, generator
from .servers import BUILD, Running, Server, ServerFailed, start
from .workloads import Kind, Unit, Workload

SETTLE = 3.0  # seconds between the last idle connection and the measurement of memory
FEW = 50


@dataclass(frozen=True)
class Pace:
    """How long one round takes."""

    warm: float
    measured: float
    rounds: int


@dataclass(frozen=True)
class Measure:
    workload: str
    server: str
    round: int
    operations: int = 0
    seconds: float = 0
    cpu_us: float = 0  # of the server, per operation
    kernel_share: float = 0  # of that CPU
    server_share: float = 0  # of its core
    load_share: float = 0  # of the generator's core; near 1 the generator is the limit
    others_share: float = 0  # of the generator's core, taken by other programs: the figures are disturbed
    p50_us: float = 0
    p99_us: float = 0
    wake_ups: float = 0  # of the server's threads, per message of a paced workload
    system_calls: float = 0  # of the server, per message of a paced workload; counted in a phase of their own
    pss_kib: int = 0  # the server's, with all connections open
    connection_kib: float = 0
    ready_ms: float = 0
    exact: bool = True
    counts: dict[str, Any] = field(default_factory=dict)
    failure: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure(workload: Workload, server: Server, pace: Pace, cores: machine.Cores, turn: int) -> Measure:
    """Measure. A failure of a server does not raise; it is a row of the table."""
    BUILD.mkdir(exist_ok=True)
    data = Path(tempfile.mkdtemp(prefix="data-", dir=BUILD))  # on the disk, not in a tmpfs: fsync is the point
    try:
        environment = chatd_server.ENVIRONMENT if server.chatd else {}
        crowd = Crowd()
        if workload.seed:
            crowd = chatd_server.prepare_seeded(server, workload.seed, cores.server, data)
        with start(server, cores.server, data, environment) as running:
            if workload.kind is Kind.START:
                return started(workload, running, turn)
            if server.chatd and not workload.seed:
                crowd = chatd_server.prepare(workload, running.port, data)
            if workload.kind is Kind.IDLE:
                return weigh(workload, running, crowd, cores, turn, data)
            return work(workload, running, crowd, pace, cores, turn, data)
    except (ServerFailed, LoadFailed, chatd_server.RequestRefused, OSError) as error:
        return Measure(workload.name, server.name, turn, exact=False, failure=str(error)[:300])
    finally:
        shutil.rmtree(data, ignore_errors=True)


def started(workload: Workload, running: Running, turn: int) -> Measure:
    return Measure(
        workload.name,
        running.server.name,
        turn,
        operations=1,
        cpu_us=machine.cpu_seconds(running.pid) * 1e6,
        ready_ms=running.ready_seconds * 1e3,
        pss_kib=machine.resident_kib(running.pid),
    )


def weigh(workload: Workload, running: Running, crowd: Crowd, cores: machine.Cores, turn: int, data: Path) -> Measure:
    """The resident memory of one connection, after its handshake; or of the server, where there are none."""
    if not workload.members:
        time.sleep(SETTLE)
        resident = machine.resident_kib(running.pid)
        return Measure(workload.name, running.server.name, turn, operations=1, pss_kib=resident)
    few = replace(workload, members=FEW)
    with generator(arguments(few, running.server.codec, running.port, crowd), cores.load, data):
        time.sleep(SETTLE / 2)  # the first connections also pay for what is loaded and grown once
    time.sleep(SETTLE / 2)
    before = machine.resident_kib(running.pid)
    with generator(arguments(workload, running.server.codec, running.port, crowd), cores.load, data) as load:
        time.sleep(SETTLE)
        cpu, begun = machine.cpu_seconds(running.pid), time.perf_counter()
        time.sleep(SETTLE)
        held = time.perf_counter() - begun
        cpu = machine.cpu_seconds(running.pid) - cpu
        after = machine.resident_kib(running.pid)
        counts = load.go(0)
    return Measure(
        workload.name,
        running.server.name,
        turn,
        operations=workload.members,
        seconds=held,
        cpu_us=cpu / held * 1e6 / workload.members,
        server_share=cpu / held,
        pss_kib=after,
        connection_kib=(after - before) / workload.members,
        exact=counts["gone"] == 0,
        counts={**load.up, **counts},
    )


def fill(workload: Workload, running: Running, crowd: Crowd, cores: machine.Cores, data: Path) -> None:
    """Send as many messages as the workload needs in the store, by the server's own REST route."""
    sender = Workload("fill", "", Kind.REST, Unit.REQUEST, (), "", members=4, method="POST",
                      path="/conversations/{conversation}/messages", body='{"content":"%s"}')  # fmt: skip
    done = 0
    with generator(arguments(sender, "", running.port, crowd), cores.load, data) as load:
        while done < workload.prefill:
            done += load.go(0.1)["acked"]


def work(
    workload: Workload,
    running: Running,
    crowd: Crowd,
    pace: Pace,
    cores: machine.Cores,
    turn: int,
    data: Path,
) -> Measure:
    if workload.prefill:
        fill(workload, running, crowd, cores, data)
    with generator(arguments(workload, running.server.codec, running.port, crowd), cores.load, data) as load:
        load.go(pace.warm)
        cpu, kernel = machine.cpu_seconds(running.pid), machine.kernel_seconds(running.pid)
        waited, woken = machine.waited_seconds(load.pid), machine.wake_ups(running.pid)
        counts = load.go(pace.measured)
        counts["wake_ups"] = machine.wake_ups(running.pid) - woken
        counts["waited_seconds"] = machine.waited_seconds(load.pid) - waited
        cpu = machine.cpu_seconds(running.pid) - cpu
        kernel = machine.kernel_seconds(running.pid) - kernel
        resident = machine.resident_kib(running.pid)
        if workload.rate:
            counts["system_calls"] = system_calls(load, running, pace)
    return read_counts(workload, running, turn, counts, cpu, kernel, resident)


def system_calls(load: Generator, running: Running, pace: Pace) -> float:
    """System calls for each message. Counting them costs time, so it is a phase of its own. 0 where perf is missing."""
    with machine.counted_system_calls(running.pid) as count:
        sent = load.go(pace.warm)["sent"]
    return count[0] / max(sent, 1) if count else 0.0


def read_counts(
    workload: Workload,
    running: Running,
    turn: int,
    counts: dict[str, Any],
    cpu: float,
    kernel: float,
    resident: int,
) -> Measure:
    delivery = workload.unit is Unit.DELIVERY
    acked = workload.kind is Kind.REST or (not delivery and running.server.codec != "plain")
    operations = counts["acked"] if acked else counts["delivered"]
    side = "ack_" if acked else ""
    failure = "" if operations else "nothing arrived"
    if counts["refused"] or counts["gone"]:
        failure = f"{counts['refused']} refused, {counts['gone']} connections closed"
    return Measure(
        workload.name,
        running.server.name,
        turn,
        operations=operations,
        seconds=counts["seconds"],
        cpu_us=cpu * 1e6 / max(operations, 1),
        kernel_share=min(kernel / cpu, 1) if cpu else 0,
        server_share=cpu / counts["seconds"],
        load_share=counts["cpu_seconds"] / counts["seconds"],
        others_share=counts["waited_seconds"] / counts["seconds"],
        p50_us=counts[f"{side}p50_us"],
        p99_us=counts[f"{side}p99_us"],
        wake_ups=counts["wake_ups"] / max(counts["sent"], 1) if workload.rate else 0,
        system_calls=counts.get("system_calls", 0),
        pss_kib=resident,
        exact=counts["delivered"] == counts["expected"] and counts["inexact"] == 0,
        counts=counts,
        failure=failure,
    )
