"""One process per database: a lock file that names its holder.

The kernel holds the lock (`flock`), so a killed process leaves no lock. The pid in the file is only for the message.
The file stays after the lock is released: if it were removed, two processes could hold two files of one name.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatd.store.sqlite.faults import StoreProblem


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold the lock; StoreProblem with the holder's pid when another process has it."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreProblem(f"{path} can't be written ({error.strerror}): make its folder writable") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _pid(file)
            raise StoreProblem(
                f"{path.parent} is in use by another chatd (pid {pid or 'unknown'}): stop that one, "
                "or give this one a data directory of its own"
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(file, 0)
    finally:
        os.close(file)


def _pid(file: int) -> int:
    text = os.pread(file, 32, 0).strip()
    return int(text) if text.isdigit() else 0
