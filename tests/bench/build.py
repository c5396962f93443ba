"""Build what the benchmark needs and is out of date: the C programs, the Node peers, the Python peers."""

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from .servers import BUILD, HERE, PEERS

LOAD = sorted((HERE / "load").glob("*.c"))
LOAD_HEADERS = sorted((HERE / "load").glob("*.h"))
FLOOR = [PEERS / "floor.c"]
FLAGS = ("-O2", "-Wall", "-Wextra")


def newer(sources: Iterable[Path], target: Path) -> bool:
    return not target.exists() or any(each.stat().st_mtime > target.stat().st_mtime for each in sources)


def run(command: Sequence[str], where: Path = HERE) -> None:
    print("+", " ".join(command), flush=True)
    subprocess.run(command, cwd=where, check=True)


def compile_c() -> None:
    BUILD.mkdir(exist_ok=True)
    for target, sources, headers in ((BUILD / "load", LOAD, LOAD_HEADERS), (BUILD / "floor", FLOOR, [])):
        if newer([*sources, *headers], target):
            names = [str(each.relative_to(HERE)) for each in sources]
            run(["cc", *FLAGS, "-o", str(target.relative_to(HERE)), *names])


def install_node() -> None:
    """better-sqlite3 compiles itself where no ready binary exists. That needs Node's headers and a minute."""
    installed = PEERS / "node_modules" / ".package-lock.json"
    if newer([PEERS / "package-lock.json"], installed):
        run(["npm", "ci", "--no-audit", "--no-fund"], PEERS)
        installed.touch()


def install_python() -> None:
    environment = HERE / ".venv"
    stamp = environment / "installed"
    if not newer([HERE / "requirements.txt"], stamp):
        return
    python = str(environment / "bin" / "python")
    if shutil.which("uv"):
        run(["uv", "venv", "-q", "--clear", ".venv"])
        run(["uv", "pip", "install", "-q", "--python", python, "--require-hashes", "-r", "requirements.txt"])
    else:
        run(["python3", "-m", "venv", ".venv"])
        run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", "requirements.txt"])
    stamp.touch()


def build_all() -> None:
    compile_c()
    install_node()
    install_python()
