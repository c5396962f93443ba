"""The machine: its cores, its disk, what a process on it costs."""

import os
import platform
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ATTACH_SECONDS = 0.2  # until perf counts


@dataclass(frozen=True)
class Cores:
    server: int
    load: int


def choose_cores() -> Cores:
    cores = sorted(os.sched_getaffinity(0))
    return Cores(cores[0], cores[1] if len(cores) > 1 else cores[0])


def process_tree(pid: int) -> list[int]:
    """`pid` and all its descendants."""
    children: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        children += [int(child) for child in listing.read_text().split()]
    return [pid] + [below for child in children for below in process_tree(child)]


def cpu_seconds(pid: int) -> float:
    """CPU time of the whole tree, all threads, user and system, to the nanosecond.

    A process's CPU clock (clock_getcpuclockid(3)) is its number negated, shifted, with the scheduler's clock
    in the low bits; /proc/PID/stat holds the same time in steps of 10 ms, too coarse for a paced workload.
    """
    return sum(time.clock_gettime((~each << 3) | 2) for each in process_tree(pid))


def kernel_seconds(pid: int) -> float:
    ticks = 0
    for each in process_tree(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def waited_seconds(pid: int) -> float:
    """How long a process's one thread was ready to run while another program had its core."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def wake_ups(pid: int) -> int:
    """How often the threads of the whole tree have slept and were woken."""
    total = 0
    for each in process_tree(pid):
        for status in Path(f"/proc/{each}/task").glob("*/status"):
            found = next(line for line in status.read_text().splitlines() if line.startswith("voluntary_ctxt_switches"))
            total += int(found.split()[1])
    return total


@contextmanager
def counted_system_calls(pid: int) -> Iterator[list[int]]:
    """Count the system calls of the whole tree. The list has the count at the end; without perf it is empty."""
    count: list[int] = []
    if shutil.which("perf") is None:
        yield count
        return
    pids = ",".join(map(str, process_tree(pid)))
    words = ["perf", "stat", "-e", "raw_syscalls:sys_enter", "-x", ",", "-p", pids]
    perf = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(ATTACH_SECONDS)
    try:
        yield count
    finally:
        perf.send_signal(signal.SIGINT)
        printed = perf.communicate()[1]
    found = printed.strip().rpartition("\n")[2].partition(",")[0]
    if found.isdecimal():
        count.append(int(found))


def resident_kib(pid: int) -> int:
    """Proportional set size of the whole tree: resident pages, shared ones divided among their users."""
    total = 0
    for each in process_tree(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def sync_microseconds(folder: Path, times: int = 200) -> float:
    """The median time of a durable append of 4 KiB: the lower limit of a lone durable send."""
    path = folder / "fsync-probe"
    taken: list[float] = []
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            begun = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - begun)
    path.unlink()
    return median(taken) * 1e6


def describe() -> dict[str, str]:
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    try:
        node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        node = "none"
    return {
        "processor": f"{model}, {os.cpu_count()} cores",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "node": node,
        "load average before": f"{os.getloadavg()[0]:.2f}",
    }
