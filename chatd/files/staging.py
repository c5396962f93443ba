"""Contents that arrive, in a folder of their own. Every function here may block; Uploads calls them on a thread.

    files/incoming/NAME      an upload that is not complete
    files/incoming/ID.tus    one that may go on after a break

It is on this machine's disk also when the contents are in a bucket: a content is complete before it is stored.
"""

from __future__ import annotations

import os
import secrets
from hashlib import sha256
from pathlib import Path

RESUMABLE = ".tus"
PIECE_BYTES = 1 << 20
HEAD_BYTES = 4096
"""The first bytes of a content, by which its type is judged."""


class IncomingFile:
    """A content that arrives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.head = b""
        self._hash = sha256()
        self._file = open(path, "xb", buffering=0, opener=_private)  # noqa: SIM115 - closed by finish or discard

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]
        self._hash.update(data)
        self.size += len(data)
        if len(self.head) < HEAD_BYTES:
            self.head = (self.head + data[:HEAD_BYTES])[:HEAD_BYTES]

    def finish(self) -> str:
        """Sync the content to the disk; its digest."""
        os.fsync(self._file.fileno())
        self._file.close()
        return self._hash.hexdigest()

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


class Staging:
    """The folder of the contents that arrive."""

    def __init__(self, folder: Path) -> None:
        self._incoming = folder

    def prepare(self) -> None:
        """Make the folders, and remove the uploads that a killed server left and that can't go on."""
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._incoming.iterdir():
            if left.suffix != RESUMABLE:
                left.unlink()

    def begin(self) -> IncomingFile:
        return IncomingFile(self._incoming / secrets.token_hex(16))

    def resumable(self, id: str) -> Path:
        """Where the content of an upload is that may go on after a break."""
        return self._incoming / f"{id}{RESUMABLE}"

    def resumables(self) -> list[str]:
        """The ids of all uploads that may go on."""
        return [path.stem for path in self._incoming.glob(f"*{RESUMABLE}")]


def sync_file(path: Path) -> None:
    with path.open("rb", buffering=0) as content:
        os.fsync(content.fileno())


def sync_and_hash(path: Path) -> tuple[bytes, str, int]:
    """The first bytes of a content, its digest and its size; the content is synced to the disk."""
    found = sha256()
    with path.open("rb", buffering=0) as content:
        os.fsync(content.fileno())
        head = content.read(HEAD_BYTES)
        found.update(head)
        while piece := content.read(PIECE_BYTES):
            found.update(piece)
        return head, found.hexdigest(), content.tell()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
