"""The folder of the one-file program: locked while the program runs, and removed when no process runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chatd.cli.frozen import LOCK_NAME, lock_folder, remove_if_orphaned, stale_folders

ROOT = Path(__file__).parents[3]


def unpacked(where: Path, name: str) -> Path:
    folder = where / name
    folder.mkdir()
    (folder / "library.so").write_bytes(b"x")
    return folder


def test_only_an_own_unlocked_folder_is_stale(tmp_path: Path) -> None:
    running, foreign, left = unpacked(tmp_path, "_MEI1"), unpacked(tmp_path, "_MEI2"), unpacked(tmp_path, "_MEI3")
    lock_folder(running)
    (left / LOCK_NAME).touch()
    (tmp_path / "_MEI4").symlink_to(left)
    assert stale_folders(tmp_path) == [left]
    assert foreign.exists()


def test_the_child_removes_the_folder_only_when_the_loader_is_dead(tmp_path: Path) -> None:
    folder = unpacked(tmp_path, "_MEI1")
    remove_if_orphaned(folder, os.getppid())
    assert folder.exists()
    remove_if_orphaned(folder, -1)
    assert not folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has died")
def test_a_killed_loader_ends_the_program_and_its_folder_is_removed(tmp_path: Path) -> None:
    """The loader is a shell here, with the guard in a child; the pipe ends with the last of the two."""
    folder, stale = unpacked(tmp_path, "_MEI1"), unpacked(tmp_path, "_MEI0")
    (stale / LOCK_NAME).touch()
    program = (
        "import signal, sys\nfrom chatd.cli.frozen import guard_folder\n"
        f"sys._MEIPASS = {str(folder)!r}\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit())\nguard_folder()\n"
        "print('running', flush=True)\nsignal.pause()\n"
    )
    loader = subprocess.Popen(
        ["sh", "-c", '"$0" -c "$1"; true', sys.executable, program],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
    )
    assert loader.stdout is not None
    with loader.stdout as lines:
        assert lines.readline() == b"running\n"
        assert (folder.exists(), stale.exists()) == (True, False)
        loader.send_signal(signal.SIGKILL)
        assert lines.read() == b""  # the child has ended as well
    loader.wait()
    assert not folder.exists()
