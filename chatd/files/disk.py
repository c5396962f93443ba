"""The contents of files on the disk: files/ab/abcdef…

A content is staged and synced on the same disk, then renamed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from chatd.files.contents import PIECE_BYTES, group_of, thumbnail_name


class DiskReader:
    """A part of a file."""

    def __init__(self, path: Path, start: int, end: int) -> None:
        self.file: BinaryIO = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by close
        self._left = end - start
        self.file.seek(start)

    def read(self) -> bytes:
        piece = self.file.read(min(self._left, PIECE_BYTES))
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        self.file.close()


class DiskContents:
    """The folder of all contents."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, path: Path, name: str) -> None:
        target = self._path(name)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        if target.exists():
            path.unlink()
            return
        path.rename(target)
        for folder in (target.parent, self.folder):
            _sync(folder)

    def size(self, name: str) -> int:
        return self._path(name).stat().st_size

    def open(self, name: str, start: int, end: int) -> DiskReader:
        return DiskReader(self._path(name), start, end)

    def remove(self, digest: str) -> None:
        for name in (thumbnail_name(digest), digest):
            self._path(name).unlink(missing_ok=True)
        with suppress(OSError):  # not empty, or gone
            self._path(digest).parent.rmdir()

    def groups(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("[0-9a-f][0-9a-f]"))

    def sizes(self, group: str) -> dict[str, int]:
        with suppress(FileNotFoundError), os.scandir(self.folder / group) as entries:
            return {entry.name: entry.stat().st_size for entry in entries}
        return {}

    def _path(self, name: str) -> Path:
        return self.folder / group_of(name) / name


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
