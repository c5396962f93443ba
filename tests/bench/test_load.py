"""Tests of the generator: it counts exactly, notices missing and wrong messages, and rejects other hosts."""

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LOAD = sorted(str(each) for each in (HERE / "load").glob("*.c"))
FLOOR = str(HERE / "peers" / "floor.c")

pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generator, the C server, and a C server that omits one in a hundred sends."""
    folder = tmp_path_factory.mktemp("bench")
    subprocess.run(["cc", "-O1", "-o", str(folder / "load"), *LOAD], check=True)
    subprocess.run(["cc", "-O1", "-o", str(folder / "floor"), FLOOR], check=True)
    text = Path(FLOOR).read_text()
    lossy = text.replace(
        "    ssize_t sent = 0;\n",
        "    ssize_t sent = 0;\n    static int turn;\n    if (++turn % 100 == 99)\n        return;\n",
        1,
    )
    assert lossy != text
    (folder / "lossy.c").write_text(lossy)
    subprocess.run(["cc", "-O1", "-o", str(folder / "lossy"), str(folder / "lossy.c")], check=True)
    return folder


@contextmanager
def served(program: Path, mode: str) -> Iterator[str]:
    with subprocess.Popen([program, mode], stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        found = re.search(r"127\.0\.0\.1:\d+", server.stderr.readline())
        assert found
        try:
            yield found.group()
        finally:
            server.kill()


def load(programs: Path, *words: str, orders: str = "go 0.1\nquit\n") -> subprocess.CompletedProcess[str]:
    command = [str(programs / "load"), *words]
    return subprocess.run(command, input=orders, capture_output=True, text=True, timeout=60, check=False)


def phase(found: subprocess.CompletedProcess[str]) -> dict[str, float]:
    return dict(json.loads(found.stdout.splitlines()[-1]))


@pytest.mark.parametrize("mode", ["each", "joined"])
def test_every_message_reaches_every_member_of_its_room_once(programs: Path, mode: str) -> None:
    crowd = ["--speech", "plain", "--rooms", "3", "--members", "7", "--senders", "2", "--window", "4"]
    with served(programs / "floor", mode) as target:
        counts = phase(load(programs, "--target", target, *crowd))
    assert counts["sent"] > 0
    assert counts["delivered"] == counts["expected"] == 7 * counts["sent"]
    assert counts["inexact"] == counts["refused"] == counts["gone"] == 0


def test_a_paced_sender_keeps_its_pace(programs: Path) -> None:
    with served(programs / "floor", "each") as target:
        counts = phase(load(programs, "--target", target, "--speech", "plain", "--members", "5", "--rate", "100"))
    assert 0 < counts["sent"] <= 11
    assert counts["delivered"] == 5 * counts["sent"]


def test_a_message_departs_when_it_is_due(programs: Path) -> None:
    """The server stalls: what is sent late has waited, so its latency counts the stall."""
    crowd = ["--speech", "plain", "--members", "2", "--rate", "1000"]
    with served(programs / "floor", "each") as target:
        words = [str(programs / "load"), "--target", target, *crowd]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as generator:
            assert generator.stdin is not None
            assert generator.stdout is not None
            generator.stdout.readline()
            generator.stdin.write("go 0.5\n")
            generator.stdin.flush()
            time.sleep(0.1)
            generator.send_signal(signal.SIGSTOP)
            time.sleep(0.2)  # the generator itself stands still: its schedule does not
            generator.send_signal(signal.SIGCONT)
            counts = json.loads(generator.stdout.readline())
            generator.stdin.write("quit\n")
            generator.stdin.flush()
    assert counts["sent"] >= 400
    assert counts["p99_us"] > 100_000


def test_a_lost_delivery_is_noticed(programs: Path) -> None:
    crowd = ["--speech", "plain", "--members", "30", "--window", "4", "--patience", "0.2"]
    with served(programs / "lossy", "each") as target:
        counts = phase(load(programs, "--target", target, *crowd))
    assert counts["delivered"] < counts["expected"]
    assert counts["inexact"] > 0


def test_an_order_that_comes_before_the_crowd_is_up_waits(programs: Path) -> None:
    with served(programs / "floor", "each") as target:
        found = load(programs, "--target", target, "--speech", "plain", "--members", "3", "--idle", orders="quit\n")
    assert json.loads(found.stdout)["connections"] == 3


@pytest.mark.parametrize("target", ["192.0.2.1:80", "10.0.0.1:3000", "0.0.0.0:80", "example.org:80"])
def test_it_loads_loopback_only(programs: Path, target: str) -> None:
    found = load(programs, "--target", target, "--speech", "plain")
    assert found.returncode == 1
    assert found.stdout == ""
