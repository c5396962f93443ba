"""The README's commands, pasted unmodified. Each terminal is a shell of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"(?ms)^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"))
SERVE, *PASTED = BLOCKS
PORT = "3000"
SECONDS = 120
COMMAND = "#!{python}\nimport sys\nsys.path.insert(0, {folder!r})\nfrom chatd.cli import main\nsys.exit(main())\n"


def free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


class Checkout:
    """A copy of the checkout. Its server has its own port, because another one may run on the README's port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "CHATD"))}
        self.environment |= {"CHATD_SERVER__PORT": self.port, "NO_COLOR": "1"}
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        for name in filter(None, listed.decode().split("\0")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        self._install()

    def _install(self) -> None:
        """What `make` would install, without the network: a command that uses this Python's packages."""
        binaries, stamps = self.folder / ".venv" / "bin", self.folder / ".venv" / "stamps"
        for made in (binaries, stamps):
            made.mkdir(parents=True)
        (binaries / "chatd").write_text(COMMAND.format(python=sys.executable, folder=str(self.folder)))
        (binaries / "chatd").chmod(0o755)
        for name in ("venv", "run", "dev"):  # in this order: a stamp is newer than what it stands on
            (stamps / name).write_text("python3\n")

    def shell(self, block: str) -> subprocess.Popen[str]:
        """Paste a block into a new shell."""
        return subprocess.Popen(
            ["bash", "-c", block.replace(f"localhost:{PORT}", f"localhost:{self.port}")],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def paste(self, block: str, typed: str = "") -> tuple[int, str]:
        """Paste a block, type a text, and end the input: the exit code and what it printed."""
        pasted = self.shell(block)
        printed, _ = pasted.communicate(typed, timeout=SECONDS)
        return pasted.returncode, printed


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    made = Checkout(tmp_path_factory.mktemp("a folder"))
    server = made.shell(SERVE)
    ready = threading.Event()
    said: list[str] = []

    def read() -> None:
        assert server.stdout is not None
        for line in iter(server.stdout.readline, ""):
            said.append(line)
            if "listening on" in line:
                ready.set()
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    assert ready.wait(SECONDS)
    assert server.poll() is None, said
    yield made
    with server:
        os.killpg(server.pid, signal.SIGTERM)


def test_the_readme_is_read_whole() -> None:
    """Every command is in a block that is pasted here."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert SERVE == "make serve\n"
    assert len(BLOCKS) == text.count("```") // 2
    assert not re.search(r"(?m)^    \S", text), "an indented block would not be run"


def test_its_blocks_paste_as_they_stand(checkout: Checkout) -> None:
    """All blocks in their order, and then all of them again."""
    for block in PASTED:
        code, printed = checkout.paste(block, "Hello\n")
        assert code == 0, (block, printed)
        assert "Traceback" not in printed, printed
        assert '"code"' not in printed, (block, printed)
    for block in PASTED:
        _, printed = checkout.paste(block, "Hello\n")
        assert "Traceback" not in printed, printed
    ann = next(block for block in PASTED if block.startswith(".venv/bin/chatd chat --as ann"))
    _, printed = checkout.paste(f"{ann.strip()} --last 20\n")
    assert "ann: Hello from curl" in printed
    assert "bob: Hello" in printed
