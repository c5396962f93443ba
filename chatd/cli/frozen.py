"""Removes the temporary folder of the one-file program. PyInstaller's loader unpacks chatd and runs it as a child.

    the loader is killed      the kernel signals the child to stop (PR_SET_PDEATHSIG), and the child removes the folder
    both are killed           the folder stays; the next start finds that no process holds its lock, and removes it

The lock file in a folder marks it as chatd's own. The child creates the lock and holds it until it ends.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

LOCK_NAME = "chatd.lock"
FOLDER_PREFIX = "_MEI"
PR_SET_PDEATHSIG = 1


def guard_folder() -> None:
    """Lock the folder, and remove stale ones. Called once, at the start of the unpacked program."""
    folder = Path(str(getattr(sys, "_MEIPASS", "")))
    loader = os.getppid()
    if sys.platform == "linux":
        stop_with_loader(loader)
    lock_folder(folder)
    atexit.register(remove_if_orphaned, folder, loader)
    for stale in stale_folders(Path(tempfile.gettempdir())):
        if stale != folder:
            shutil.rmtree(stale, ignore_errors=True)


def stop_with_loader(loader: int) -> None:
    """Have the kernel send SIGTERM to this process when the loader ends."""
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != loader:  # the loader died before prctl
        os.kill(os.getpid(), signal.SIGTERM)


def lock_folder(folder: Path) -> None:
    """Mark the folder as chatd's and in use. The file gets its final name only once it is locked."""
    draft = folder / f"{LOCK_NAME}.{os.getpid()}"
    file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)  # open and locked until the process ends
    fcntl.flock(file, fcntl.LOCK_EX)
    draft.rename(folder / LOCK_NAME)


def stale_folders(where: Path) -> list[Path]:
    """The folders of this user's unpacked programs that no process runs any more."""
    return [path.parent for path in where.glob(f"{FOLDER_PREFIX}*/{LOCK_NAME}") if is_own(path) and is_free(path)]


def is_own(path: Path) -> bool:
    try:
        return path.parent.lstat().st_uid == path.lstat().st_uid == os.getuid() and not path.parent.is_symlink()
    except OSError:
        return False


def is_free(path: Path) -> bool:
    """Whether no process holds the lock."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True


def remove_if_orphaned(folder: Path, loader: int) -> None:
    """Remove the folder if the loader has ended. A living loader removes it after the child has ended."""
    if os.getppid() != loader:
        shutil.rmtree(folder, ignore_errors=True)
