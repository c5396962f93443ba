"""The servers: one row for each, and how one is started, pinned and stopped."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE / "build"
PEERS = HERE / "peers"
ROOT = HERE.parent.parent
PATIENCE = 30.0

READY = re.compile(rb"listening on http://127\.0\.0\.1:(\d+)")


class ServerFailed(Exception):
    """It did not start, or ended by itself."""


@dataclass(frozen=True)
class Server:
    name: str
    codec: str  # the syntax that the generator uses
    command: tuple[str, ...]  # {data} is a fresh folder on the disk under test
    chatd: bool = False  # needs users, tokens and conversations first
    environment: Mapping[str, str] = field(default_factory=dict)
    root: Path = ROOT  # the checkout that it runs in


@dataclass(frozen=True)
class Running:
    server: Server
    pid: int
    port: int
    ready_seconds: float


NODE = "node"
PYTHON = str(HERE / ".venv" / "bin" / "python")
SOCKETIO = str(PEERS / "socketio.mjs")
CHATD = (sys.executable, "-m", "chatd", "serve", "--host", "127.0.0.1", "--port", "0", "--data", "{data}")

# All limits that a load generator on one address would reach; 0 lifts a limit.
LIFTED = ("calls_per_connection", "sends_per_user", "typing_per_connection", "rest_per_user",
          "connections_per_address", "anonymous_per_address", "control_frames_per_connection", "groups_per_user",
          "additions_per_user", "registrations_per_address", "renewals_per_address")  # fmt: skip
SETTINGS = (*(f"limits.{name}=0" for name in LIFTED), "limits.members=0", "limits.connections_share=1")
CHATD_LIFTED = CHATD + tuple(word for setting in SETTINGS for word in ("--set", setting))
CHATD_NORMAL = (*CHATD_LIFTED, "--set", "data.synchronous=NORMAL")

SERVERS = {
    server.name: server
    for server in (
        Server("chatd", "jsonrpc", CHATD_LIFTED, chatd=True),
        Server("chatd-socketio", "socketio", CHATD_LIFTED, chatd=True),
        Server("chatd-normal", "jsonrpc", CHATD_NORMAL, chatd=True),
        Server("socket.io", "socketio", (NODE, SOCKETIO, "none", "{data}")),
        Server("socket.io-full", "socketio", (NODE, SOCKETIO, "full", "{data}")),
        Server("socket.io-normal", "socketio", (NODE, SOCKETIO, "normal", "{data}")),
        Server("socket.io-grouped", "socketio", (NODE, SOCKETIO, "grouped", "{data}")),
        Server("ws", "jsonrpc", (NODE, str(PEERS / "ws.mjs"), "none", "{data}")),
        Server("ws-full", "jsonrpc", (NODE, str(PEERS / "ws.mjs"), "full", "{data}")),
        Server("ws-grouped", "jsonrpc", (NODE, str(PEERS / "ws.mjs"), "grouped", "{data}")),
        Server("python-socketio", "socketio", (PYTHON, str(PEERS / "python_socketio.py"))),
        Server("starlette", "jsonrpc", (PYTHON, str(PEERS / "starlette_chat.py"), "{data}")),
        Server("floor-each", "plain", (str(BUILD / "floor"), "each")),
        Server("floor-joined", "plain", (str(BUILD / "floor"), "joined")),
    )
}


def wait_ready(process: subprocess.Popen[bytes], log: Path, begun: float) -> tuple[int, float]:
    while time.perf_counter() - begun < PATIENCE:
        said = log.read_bytes()
        if found := READY.search(said):
            return int(found.group(1)), time.perf_counter() - begun
        if process.poll() is not None:
            break
        time.sleep(0.002)
    last = log.read_text(errors="replace").strip().splitlines()[-1:]
    raise ServerFailed(last[0] if last else "it said nothing")


@contextmanager
def start(server: Server, core: int, data: Path, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start a server on its core, and end it afterwards."""
    log = data / "stderr.log"
    command = [word.replace("{data}", str(data)) for word in server.command]
    with log.open("wb") as errors:
        begun = time.perf_counter()
        try:
            process = subprocess.Popen(
                command,
                cwd=server.root,
                env={**os.environ, **server.environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                preexec_fn=lambda: os.sched_setaffinity(0, {core}),
            )
        except OSError as error:
            raise ServerFailed(str(error)) from error
    try:
        port, seconds = wait_ready(process, log, begun)
        yield Running(server, process.pid, port, seconds)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(12)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
