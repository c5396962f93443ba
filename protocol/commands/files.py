"""Commands about files."""

from __future__ import annotations

from protocol.commands.base import Command, Window
from protocol.ids import Key


class CheckUpload(Command, frozen=True, kw_only=True):
    """Check that the caller may store so many more bytes. Before an upload, of which this may be known."""

    size: int


class RecordUpload(Command, frozen=True, kw_only=True):
    """Record a file whose content is stored: its digest, its media type, and what the caller says of it."""

    name: str
    type: str
    size: int
    digest: str
    width: int | None = None
    height: int | None = None
    locked: bool = False
    price: str | None = None
    upload: str | None = None


class BeginUpload(Command, frozen=True, kw_only=True):
    """Begin an upload that may go on after a break."""

    id: str
    name: str
    size: int


class GetUpload(Command, frozen=True, kw_only=True):
    id: str


class BeginCheckedPiece(Command, frozen=True, kw_only=True):
    """A piece with a checksum arrives, from that offset on; None when it is complete."""

    id: str
    offset: int | None


class EndUpload(Command, frozen=True, kw_only=True):
    id: str


class SendFile(Command, frozen=True, kw_only=True):
    """Send a file of the caller to a conversation, as a message of its own."""

    conversation: Key
    file: Key
    content: str | None = None


class UnlockFile(Command, frozen=True, kw_only=True):
    """Let one member of a conversation, or all (no `user`), download a locked file of it."""

    conversation: Key
    file: Key
    user: Key | None = None


class DownloadFile(Command, frozen=True, kw_only=True):
    file: Key


class GetFile(Command, frozen=True, kw_only=True):
    file: Key


class ListFiles(Window, frozen=True, kw_only=True):
    """The files that the caller has uploaded."""


class DeleteFile(Command, frozen=True, kw_only=True):
    """Delete a file of the caller that no message has."""

    file: Key
