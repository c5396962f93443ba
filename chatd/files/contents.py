"""Where the contents of files are: what the disk (disk.py) and a bucket (bucket.py) have in common.

A content has a name: its SHA-256 digest, and for the thumbnail of a picture the digest with an ending. So each content
is there once, names of users appear nowhere, and one listing shows whether any is missing. A content is complete, or
not there. Every function may block, and fails with an OSError; Uploads calls them on a thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Protocol

PIECE_BYTES = 256 * 1024
"""How much of a content is read at once."""
THUMBNAIL = ".webp"
DIGEST_CHARS = 64


def thumbnail_name(digest: str) -> str:
    """The name of the thumbnail of a picture with that digest."""
    return digest + THUMBNAIL


def group_of(name: str) -> str:
    """The group that a content is listed with."""
    return name[:2]


class Reader(Protocol):
    """A part of a content, read once. `file` is set if the kernel can send it: an open file at the first byte."""

    @property
    def file(self) -> BinaryIO | None: ...

    def read(self) -> bytes:
        """The next piece; b"" at the end."""
        ...

    def close(self) -> None: ...


class Contents(Protocol):
    """A store of contents."""

    def prepare(self) -> None:
        """Check, before the server starts, that contents can be stored. A ConfigError says why not."""
        ...

    def keep(self, path: Path, name: str) -> None:
        """Move a staged content that is synced to the disk into the store. It may be there already."""
        ...

    def size(self, name: str) -> int:
        """The size of a content; FileNotFoundError if it is not there."""
        ...

    def open(self, name: str, start: int, end: int) -> Reader:
        """A content from one byte up to another, which is not included."""
        ...

    def remove(self, digest: str) -> None:
        """Remove a content and its thumbnail, if they are there."""
        ...

    def groups(self) -> list[str]:
        """The groups that may have contents, in order."""
        ...

    def sizes(self, group: str) -> dict[str, int]:
        """The names of the contents of a group, with their sizes."""
        ...
