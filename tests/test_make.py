"""The Makefile: the text of `make help`, and a path with a space."""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

ROOT = Path(__file__).parent.parent
needs_make = pytest.mark.skipif(which("make") is None, reason="make is missing")


def make(*arguments: str) -> str:
    done = subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_make
def test_help_lists_the_tasks_and_each_is_one() -> None:
    listed = re.findall(r"^  make ([a-z-]+) ", make("help"), re.MULTILINE)
    assert {"help", "serve", "test", "check", "binary"} <= set(listed)
    assert make() == make("help")
    rules = (ROOT / "Makefile").read_text() + (ROOT / "tests" / "bench" / "bench.mk").read_text()
    for target in listed:
        assert re.search(rf"^{target}:", rules, re.MULTILINE)


@needs_make
def test_an_environment_in_a_folder_with_a_space(tmp_path: Path) -> None:
    plan = make("-n", "test", f"VENV={tmp_path}/a b/env", "UV=")
    assert f"sh scripts/make_venv.sh {tmp_path}/a\\ b/env\n" in plan
    assert f"{tmp_path}/a\\ b/env/bin/python -m pytest" in plan
    assert f'touch "{tmp_path}/a b/env/stamps/dev"' in plan


def test_the_command_runs_from_a_folder_with_a_space(tmp_path: Path) -> None:
    folder = tmp_path / "it's a b"
    folder.mkdir()
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    template = runpy.run_path(str(ROOT / "scripts" / "link.py"))["COMMAND"]
    command = folder / "chatd"
    command.write_text(template.format(python=shlex.quote(str(python))))
    command.chmod(0o755)
    done = subprocess.run([command, "version"], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert (done.returncode, done.stdout[:6], done.stderr) == (0, "chatd ", "")
