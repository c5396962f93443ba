"""Receives uploads: into a staged file, then into the store of contents, then into the database.

The content is stored before its record, and its record is there before the answer. A content without a record,
which a kill may leave, is removed by the collector. Memory: one piece of PIECE_BYTES for each upload.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import trio
from msgspec.structs import replace

from chatd.config.settings import Config
from chatd.core.dispatch import Dispatch
from chatd.files.contents import Contents, thumbnail_name
from chatd.files.media_types import is_accepted, media_type
from chatd.files.pictures import PICTURE_TYPES, PictureReader
from chatd.files.staging import PIECE_BYTES, IncomingFile, Staging, sync_and_hash, sync_file
from chatd.files.upload_body import UploadBody, clean_name
from chatd.services.context import Actor
from chatd.telemetry.log import log
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, TOO_LARGE, UNAVAILABLE, UNSUPPORTED_TYPE, Refusal
from protocol.model import File

T = TypeVar("T")

THREADS = 4
MAX_PRICE_CHARS = 100


class Uploads:
    """The uploads of a server. `lock` is held while a content gets its record, and while contents are removed."""

    def __init__(self, config: Config, dispatch: Dispatch, staging: Staging, contents: Contents) -> None:
        self.staging = staging
        self.contents = contents
        self.lock = trio.Lock()
        self._dispatch = dispatch
        self.pictures = PictureReader(config)
        self.threads = trio.CapacityLimiter(THREADS)
        self.adopt(config)

    def adopt(self, config: Config) -> None:
        self._settings = config.files
        self.pictures.adopt(config)

    @property
    def max_bytes(self) -> int:
        return self._settings.max_bytes

    async def receive(self, actor: Actor, body: UploadBody, declared: int) -> File:
        """Receive one file. `declared` is the size that the client announces; 0 if it is not known."""
        await self._dispatch.request(actor, ask.CheckUpload(size=max(declared, 1)))
        incoming = await self.on_thread(self.staging.begin)
        try:
            await self._write(incoming, body)
            return await self._keep(actor, incoming, body)
        finally:
            with trio.CancelScope(shield=True):
                await self.on_thread(incoming.discard)

    async def _write(self, incoming: IncomingFile, body: UploadBody) -> None:
        waiting, size = bytearray(), 0
        async with aclosing(body.pieces()) as pieces:
            async for piece in pieces:
                waiting += piece
                size += len(piece)
                if size > self.max_bytes > 0:
                    raise too_large(self.max_bytes)
                if len(waiting) >= PIECE_BYTES:
                    await self.on_thread(incoming.write, bytes(waiting))
                    waiting.clear()
        if not size:
            raise Refusal(BAD_REQUEST, "The file is empty", field="file")
        await self.on_thread(incoming.write, bytes(waiting))

    def accepted_type(self, head: bytes) -> str:
        """The type of a content that begins so; a Refusal if such files are not accepted."""
        type = media_type(head)
        if not is_accepted(type, self._settings.types):
            raise Refusal(UNSUPPORTED_TYPE, f"Files of the type {type} are not accepted", field="file")
        return type

    async def _keep(self, actor: Actor, incoming: IncomingFile, body: UploadBody) -> File:
        type = self.accepted_type(incoming.head)
        price = body.fields.get("price") or None
        if price is not None and len(price) > MAX_PRICE_CHARS:
            raise Refusal(BAD_REQUEST, f"price has at most {MAX_PRICE_CHARS} characters", field="price")
        digest = await self.on_thread(incoming.finish)
        record = ask.RecordUpload(
            name=clean_name(body.name),
            type=type,
            size=incoming.size,
            digest=digest,
            locked=body.fields.get("locked", "false") in ("true", "1", "on"),
            price=price,
        )
        return await self.record(actor, record, incoming.path)

    async def record(self, actor: Actor, record: ask.RecordUpload, path: Path) -> File:
        """Put a content that is synced to the disk in its place, and record its file. A picture is read before."""
        if record.type not in PICTURE_TYPES:
            return await self._record(actor, record, path, None)
        picture = await self.pictures.read(path)
        try:
            record = replace(record, width=picture.width, height=picture.height)
            if picture.cleaned is not None:
                _, digest, size = await self.on_thread(sync_and_hash, picture.cleaned)
                record = replace(record, digest=digest, size=size)
            return await self._record(actor, record, picture.cleaned or path, picture.thumbnail)
        finally:
            picture.discard()

    async def _record(self, actor: Actor, record: ask.RecordUpload, path: Path, thumbnail: Path | None) -> File:
        async with self.lock:
            if thumbnail is not None:
                await self.on_thread(sync_file, thumbnail)
                await self.on_thread(self.contents.keep, thumbnail, thumbnail_name(record.digest))
            await self.on_thread(self.contents.keep, path, record.digest)
            file: File = await self._dispatch.request(actor, record)
        return file

    async def on_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function that may block on a thread. An error of the store is UNAVAILABLE, and logged."""
        try:
            return await trio.to_thread.run_sync(partial(function, *arguments), limiter=self.threads)
        except OSError as error:
            log.warning("a file can't be written or read", why=error.strerror or str(error))
            raise Refusal(UNAVAILABLE, "The server can't write or read files at the moment") from error


def too_large(limit: int) -> Refusal:
    return Refusal(TOO_LARGE, f"A file has at most {limit:,} bytes", field="file")
