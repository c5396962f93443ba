"""The specifications' own examples, run in Node with the stock client against a `chatd serve` of its own.

tests/node/examples/ has them to the letter. The tests replace URLs, tokens and the ids of users only. A prelude defines
what an example calls and does not define, such as the helpers of a page: each prints its name.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.needs import NODE_FOLDER, node
from tests.outside.server import Chatd, token
from tests.scenes.chat_server import TIMEOUT

IO = "import { io } from 'socket.io-client';\n"
HELPERS = (
    "addMessageToUI",
    "displayMessage",
    "alert",
    "showTypingIndicator",
    "hideTypingIndicator",
    "updateUserStatus",
)
PAGE = "".join(f"const {name} = (...args) => console.log('{name}', ...args);\n" for name in HELPERS)
REACT = "export const useRef = () => ({});\nexport const useEffect = (effect) => { effect(); };\n"


class Serving(Chatd):
    """A `chatd serve` with its own flags."""

    def __init__(self, folder: Path, *flags: str) -> None:
        super().__init__(folder)
        self.flags = flags

    def command(self, *words: str) -> list[str]:
        return [*super().command(*words), *(self.flags if words[0] == "serve" else ())]

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def rest(self, method: str, path: str, body: Any = None, *, user: int = 0, shown: str = "", **claims: Any) -> Any:
        """A request as curl makes it: with a foreign issuer's token of that user, the given token, or none."""
        request = Request(self.url + path, None if body is None else json.dumps(body).encode(), method=method)
        if user:
            shown = token(user, **claims)
        if shown:
            request.add_header("Authorization", f"Bearer {shown}")
        with urlopen(request, timeout=TIMEOUT) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    @cached_property
    def metrics_token(self) -> str:
        return self.run("token", "--service", "examples", "--scope", "metrics").stdout.strip()

    def has_received(self, command: str, times: int) -> None:
        """Wait until the server's metrics count so many of a command."""
        row = f'chatd_calls_total{{command="{command}",outcome="ok"}} '
        until = time.monotonic() + TIMEOUT
        while True:
            request = Request(f"{self.url}/metrics")
            request.add_header("Authorization", f"Bearer {self.metrics_token}")
            with urlopen(request, timeout=TIMEOUT) as answer:
                lines = answer.read().decode().splitlines()
            if any(line.startswith(row) and float(line.removeprefix(row)) >= times for line in lines):
                return
            assert time.monotonic() < until, f"{command} never came {times} times: {lines}"


@contextmanager
def serving(folder: Path, *flags: str) -> Iterator[Serving]:
    server = Serving(folder, *flags)
    try:
        server.start()
        yield server
        assert server.faults == []
    except BaseException:
        print(*server.log, sep="\n")  # pytest shows it beside the failure
        raise
    finally:
        server.end()


class Script:
    """A running script in Node. It reports by lines on standard output."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.printed: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))

    def prints(self, text: str) -> str:
        """Wait for a line with that text, and return it. Earlier lines count too."""
        for line in self.printed:
            if text in line:
                return line
        while True:
            try:
                line = self._lines.get(timeout=TIMEOUT)
            except queue.Empty:
                raise AssertionError(f"never printed {text!r}, but {self.printed}") from None
            self.printed.append(line)
            if text in line:
                return line

    def performs(self, act: str, **fields: Any) -> None:
        """Send a line to tests/node/clients.js."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"act": act, **fields}) + "\n")
        self._process.stdin.flush()


@contextmanager
def script(folder: Path, text: str) -> Iterator[Script]:
    """Run a module that can import the stock client, and a small React that can mount a component."""
    modules = folder / "node_modules"
    if not modules.exists():
        (modules / "react").mkdir(parents=True)
        (modules / "react" / "package.json").write_text('{"type": "module", "main": "index.js"}')
        (modules / "react" / "index.js").write_text(REACT)
        (modules / "socket.io-client").symlink_to(NODE_FOLDER / "node_modules" / "socket.io-client")
    (folder / "example.mjs").write_text(text, encoding="utf-8")
    with _run(folder, "example.mjs") as running:
        yield running


@contextmanager
def clients() -> Iterator[Script]:
    """tests/node/clients.js, for the other clients of an example."""
    with _run(NODE_FOLDER, "clients.js") as running:
        yield running


@contextmanager
def _run(folder: Path, name: str) -> Iterator[Script]:
    process = subprocess.Popen(
        [node(), name],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    running = Script(process)
    try:
        yield running
    finally:
        process.kill()
        process.wait()
        running.reader.join(5)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def example(name: str, given: Mapping[str, str], *, before: str = "", after: str = "") -> str:
    """An example with replacements; it must contain each of them."""
    text = (NODE_FOLDER / "examples" / f"{name}.mjs").read_text(encoding="utf-8")
    for old, new in given.items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return before + text + after
