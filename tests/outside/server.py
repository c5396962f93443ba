"""A chatd in a process of its own, started from its shell, and its figures from the operating system."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import jwt
import trio

SECRET = "a secret that only the trials know, and long enough"
READY_SECONDS = 60.0  # on a machine with other work; two when it has none
UNLIMITED = {
    "limits.sends_per_user": "0",
    "limits.calls_per_connection": "0",
    "limits.rest_per_user": "0",
    "limits.connections_per_address": "0",
    "limits.anonymous_per_address": "0",
    "limits.groups_per_user": "0",
    "limits.additions_per_user": "0",
}


def token(user: int, *, seconds: float = 3600, **claims: object) -> str:
    """A token of a foreign issuer for that user: tests sign tokens themselves, so that no user has to register."""
    return jwt.encode({"sub": str(user), "exp": time.time() + seconds, **claims}, SECRET, "HS256")


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Poll until a condition holds. Another process sends no events, so this is the one place that polls."""
    with trio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110
            await trio.sleep(0.02)


class Chatd:
    """One server. Its folder stays when it ends; `start` runs it again on the same port."""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        *,
        before: Sequence[str] = (),
        host: str = "",
        root: Path | None = None,
    ) -> None:
        """`root` is another checkout: its server runs in its own environment."""
        self.data = folder / "data"
        self.settings = {
            "auth.secret": SECRET,
            "auth.registration": "open",
            "limits.registrations_per_address": "0",
            "limits.renewals_per_address": "0",
        } | dict(settings or {})
        self.before = list(before)
        self.host = host
        self.root = root
        self.port = 0
        self.address = ""
        self.log: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "the server was never started"
        return self._process

    def command(self, *words: str) -> list[str]:
        """The command line of a verb on this server's data."""
        options = [f"--set={name}={value}" for name, value in self.settings.items()]
        python = str(self.root / ".venv/bin/python") if self.root else sys.executable
        return [*self.before, python, "-m", "chatd", *words, "--data", str(self.data), *options]

    def start(self) -> Chatd:
        """Start, and wait for the ready line."""
        host = ["--host", self.host] if self.host else []
        self._process = subprocess.Popen(
            self.command("serve", "--port", str(self.port), *host),
            cwd=self.root,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        ready = threading.Event()
        self._reader = threading.Thread(target=self._read, args=[self._process, ready], daemon=True)
        self._reader.start()
        assert ready.wait(READY_SECONDS), f"not ready: {self.log[-5:]}"
        assert self.address, f"it ended: {self.log[-5:]}"
        return self

    def _read(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.log.append(line.rstrip("\n"))
            if " listening on " in line and not ready.is_set():
                self.address = line.split("://", 1)[1].split()[0].rstrip('"}')  # a line of JSON ends so
                self.port = int(self.address.rpartition(":")[2])
                ready.set()
        ready.set()

    def kill(self) -> None:
        """End the server with SIGKILL."""
        self.process.kill()
        self._gone(10)

    def stop(self, seconds: float = 15) -> int:
        """End the server with SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._gone(seconds)

    def _gone(self, seconds: float) -> int:
        code = self.process.wait(seconds)
        if self._reader is not None:
            self._reader.join(5)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return code

    def end(self) -> None:
        """End the server in any state."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A verb of chatd's shell on the same data."""
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=30, check=False)

    # Figures of the operating system

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def faults(self) -> list[str]:
        """The lines of the log that no input may cause."""
        return [line for line in self.log if "Traceback" in line or " error " in line or "Error:" in line]

    @property
    def memory(self) -> int:
        """Resident KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @property
    def cpu(self) -> float:
        """Seconds of CPU used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def faultless_server(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Chatd]:
    """A running server. At the end it must stop with code 0, and no fault may stand in its log."""
    server = Chatd(folder, settings).start()
    try:
        yield server
        assert server.stop() == 0
        assert server.faults == []
    finally:
        server.end()
