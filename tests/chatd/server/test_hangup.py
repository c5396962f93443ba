"""SIGHUP stops a server on a terminal; without a terminal the server reads its configuration again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
READY, REREAD = b"listening on", b"configuration read again"


class Serving:
    """A server in a process of its own, and the lines that it writes."""

    def __init__(self, process: subprocess.Popen[bytes], lines: int) -> None:
        self.process = process
        self.lines = lines

    def wait_for(self, words: bytes) -> None:
        """Read until a line has the words. The end of the output fails; the suite's own limit bounds the wait."""
        seen = b""
        while words not in seen:
            try:
                piece = os.read(self.lines, 4096)
            except OSError:  # a terminal whose other end is gone
                piece = b""
            assert piece, seen.decode()
            seen += piece


@contextmanager
def serving(folder: Path, *, terminal: bool, nohup: bool = False) -> Iterator[Serving]:
    """`chatd serve`, on a terminal of its own or on none, started with SIGHUP ignored as nohup does or not."""
    ours, theirs = os.openpty() if terminal else os.pipe()
    command = [sys.executable, "-m", "chatd", "serve", "--port", "0", "--data", str(folder / "data")]
    if nohup:
        command = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=theirs if terminal else subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield Serving(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_on_a_terminal_it_stops(tmp_path: Path) -> None:
    with serving(tmp_path, terminal=True) as server:
        server.wait_for(READY)
        server.process.send_signal(signal.SIGHUP)
        assert server.process.wait(20) == 0


@pytest.mark.parametrize(("terminal", "nohup"), [(False, False), (False, True), (True, True)])
def test_otherwise_the_configuration_is_read_again(tmp_path: Path, terminal: bool, nohup: bool) -> None:
    with serving(tmp_path, terminal=terminal, nohup=nohup) as server:
        server.wait_for(READY)
        for _ in range(2):
            server.process.send_signal(signal.SIGHUP)
            server.wait_for(REREAD)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
