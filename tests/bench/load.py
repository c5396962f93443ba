"""Drive the generator: start it on its core, send it orders, read its counts."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .servers import BUILD
from .workloads import Kind, Workload


class LoadFailed(Exception):
    """The generator failed; its last line says why."""


@dataclass(frozen=True)
class Crowd:
    """The clients of servers that need tokens and real conversations, as chatd does."""

    tokens: Path | None = None
    conversations: Path | None = None
    first_conversation: str = "1"


def arguments(workload: Workload, codec: str, port: int, crowd: Crowd) -> list[str]:
    words = [str(BUILD / "load"), "--target", f"127.0.0.1:{port}", "--members", str(workload.members)]
    words += ["--rooms", str(workload.rooms)]
    if crowd.tokens:
        words += ["--tokens", str(crowd.tokens)]
    if workload.kind is Kind.REST:
        words += ["--method", workload.method]
        words += ["--path", workload.path.replace("{conversation}", crowd.first_conversation)]
        return words + (["--body", workload.body] if workload.body else [])
    senders = 0 if workload.kind is Kind.IDLE else workload.senders
    words += ["--speech", codec, "--senders", str(senders), "--window", str(workload.window)]
    if crowd.conversations:
        words += ["--conversations", str(crowd.conversations)]
    if workload.rate:
        words += ["--rate", str(workload.rate)]
    if workload.release_on_ack:
        words.append("--release-on-ack")
    if workload.kind is Kind.IDLE:
        words.append("--idle")
    return words


class Generator:
    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self._process = process
        self._errors = errors
        self.pid = process.pid
        self.up = self._read()

    def _read(self) -> dict[str, Any]:
        line = self._pipe(self._process.stdout).readline()
        if not line:
            words = " ".join(self._errors.read_text(errors="replace").split())
            raise LoadFailed(words or "the generator ended")
        return dict(json.loads(line))

    def go(self, seconds: float) -> dict[str, Any]:
        self._pipe(self._process.stdin).write(f"go {seconds}\n")
        self._pipe(self._process.stdin).flush()
        return self._read()

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


@contextmanager
def generator(words: Sequence[str], core: int, data: Path) -> Iterator[Generator]:
    errors = data / "load.log"
    with errors.open("wb") as log:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
    try:
        yield Generator(process, errors)
    finally:
        process.kill()
        process.communicate()
