"""Uploads that may go on after a break, also after a restart of the server: the part of tus without HTTP.

What has arrived is in a file, whose size is the offset: no row changes while the pieces come. A piece with a checksum
is different: until it is checked, the row has the offset at which it begins, and what a break leaves is cut off.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import new as new_hash
from pathlib import Path

import trio
from msgspec.structs import replace

from chatd.core.dispatch import Dispatch
from chatd.files.staging import PIECE_BYTES, sync_and_hash
from chatd.files.upload_body import clean_name
from chatd.files.uploads import Uploads, too_large
from chatd.services.context import Actor
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, CONFLICT, Refusal
from protocol.model import File, Upload

CHECKSUMS = ("sha1", "sha256", "md5")


class Checksum:
    """The checksum that the client gives for a piece."""

    def __init__(self, algorithm: str, digest: bytes) -> None:
        self._hash = new_hash(algorithm, usedforsecurity=False)
        self._digest = digest

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    @property
    def matches(self) -> bool:
        return self._hash.digest() == self._digest


class ChecksumMismatch(Exception):
    """A piece has another checksum than announced. Nothing of it is kept."""


class UploadBusy(Exception):
    """Another request sends to the same upload."""


class ResumableUploads:
    """The uploads that are not complete."""

    def __init__(self, dispatch: Dispatch, uploads: Uploads) -> None:
        self.uploads = uploads
        self._dispatch = dispatch
        self._busy: set[str] = set()

    async def begin(self, actor: Actor, name: str, size: int) -> Upload:
        if size > self.uploads.max_bytes > 0:
            raise too_large(self.uploads.max_bytes)
        if not size:
            raise Refusal(BAD_REQUEST, "The file is empty", field="Upload-Length")
        begun = ask.BeginUpload(id=secrets.token_hex(16), name=clean_name(name), size=size)
        upload: Upload = await self._dispatch.request(actor, begun)
        return upload

    async def find(self, actor: Actor, id: str) -> Upload:
        found: Upload = await self._dispatch.request(actor, ask.GetUpload(id=id))
        return found

    async def offset(self, upload: Upload) -> int:
        """How much of an upload has arrived."""
        if upload.file is not None:
            return upload.size
        offset = await self.uploads.on_thread(_size, self.uploads.staging.resumable(upload.id))
        return offset if upload.checked is None or upload.id in self._busy else min(offset, upload.checked)

    async def append(
        self,
        actor: Actor,
        id: str,
        offset: int,
        read_piece: Callable[[], Awaitable[bytes]],
        checksum: Checksum | None = None,
    ) -> tuple[Upload, int]:
        """Add to an upload what the client sends. Return the upload, with its file if complete, and the offset."""
        if id in self._busy:
            raise UploadBusy
        self._busy.add(id)  # before the upload is looked up: no other request may change it meanwhile
        try:
            upload = await self.find(actor, id)
            reached, file = await self._append(actor, upload, offset, read_piece, checksum)
            return replace(upload, file=file), reached
        finally:
            self._busy.discard(id)

    async def _append(
        self,
        actor: Actor,
        upload: Upload,
        offset: int,
        read_piece: Callable[[], Awaitable[bytes]],
        checksum: Checksum | None,
    ) -> tuple[int, int | None]:
        path, on_thread = self.uploads.staging.resumable(upload.id), self.uploads.on_thread
        reached = upload.size if upload.file is not None else await on_thread(_size, path)
        if upload.checked is not None:
            await on_thread(_cut, path, min(reached, upload.checked))
            reached = min(reached, upload.checked)
        if offset != reached:
            raise Refusal(CONFLICT, f"The upload is at {reached}", field="Upload-Offset")
        if upload.file is not None:
            return upload.size, upload.file
        if checksum is not None or upload.checked is not None:
            begun = ask.BeginCheckedPiece(id=upload.id, offset=None if checksum is None else offset)
            await self._dispatch.request(actor, begun)
        reached = await self._write(path, offset, upload.size, read_piece, checksum)
        if checksum is not None:
            if not checksum.matches:
                await on_thread(_cut, path, offset)
            await self._dispatch.request(actor, ask.BeginCheckedPiece(id=upload.id, offset=None))
            if not checksum.matches:
                raise ChecksumMismatch
        if reached < upload.size:
            return reached, None
        return reached, (await self._finish(actor, upload, path)).ref.number

    async def _write(
        self,
        path: Path,
        offset: int,
        size: int,
        read_piece: Callable[[], Awaitable[bytes]],
        checksum: Checksum | None,
    ) -> int:
        """Write what arrives; when the client breaks off, also the last of it. Return the new offset."""
        waiting = bytearray()
        try:
            while piece := await read_piece():
                waiting += piece
                if offset + len(waiting) > size:
                    waiting.clear()
                    raise Refusal(BAD_REQUEST, f"The upload has {size} bytes", field="Upload-Length")
                if len(waiting) >= PIECE_BYTES:
                    offset = await self._flush(path, offset, waiting, checksum)
        finally:
            if waiting:
                with trio.CancelScope(shield=True):
                    offset = await self._flush(path, offset, waiting, checksum)
        return offset

    async def _flush(self, path: Path, offset: int, waiting: bytearray, checksum: Checksum | None) -> int:
        data = bytes(waiting)
        waiting.clear()
        if checksum is not None:
            checksum.update(data)
        await self.uploads.on_thread(_add, path, data)
        return offset + len(data)

    async def _finish(self, actor: Actor, upload: Upload, path: Path) -> File:
        """Sync a complete content, and record its file. A content that is not accepted ends the upload."""
        head, digest, _ = await self.uploads.on_thread(sync_and_hash, path)
        try:
            type = self.uploads.accepted_type(head)
            record = ask.RecordUpload(name=upload.name, type=type, size=upload.size, digest=digest, upload=upload.id)
            file = await self.uploads.record(actor, record, path)
        except Refusal as no:
            if not no.code.retry:
                await self.end(actor, upload.id)
            raise
        await self.uploads.on_thread(partial(path.unlink, missing_ok=True))  # of a picture, another content is kept
        return file

    async def end(self, actor: Actor, id: str) -> None:
        """End an upload, complete or not. A complete file stays."""
        await self._dispatch.request(actor, ask.EndUpload(id=id))
        await self.uploads.on_thread(partial(self.uploads.staging.resumable(id).unlink, missing_ok=True))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _cut(path: Path, size: int) -> None:
    if path.exists():
        os.truncate(path, size)


def _add(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)
