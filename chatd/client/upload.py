"""Uploads by tus 1.0, in pieces: after a break an upload goes on where the server has stopped receiving it.

    POST /files/tus/       begins it
    HEAD, then PATCH       asks how much the server has, and sends the next piece, until it has all
    GET /v1/files/{id}     what the upload became

A piece grows while the network is fast, so that progress is seen and little is lost by a break.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import trio
from msgspec import Struct

from chatd.client.backoff import Backoff
from chatd.client.http import HttpAnswer, HttpSession
from chatd.client.problems import CAN_RETRY, ConnectionLost, Refused, SignedOut
from chatd.client.token_source import TokenSource
from protocol.errors import SIGNED_OUT

TUS_PATH = "/files/tus/"
FIRST_PIECE_BYTES, MIN_PIECE_BYTES, MAX_PIECE_BYTES = 256 * 1024, 64 * 1024, 8 << 20
QUICK_SECONDS = 1.0
"""A piece that is sent in less time lets the next one be twice as large."""
GONE, BUSY, OTHER_OFFSET, UNAUTHORIZED = 404, 423, 409, 401

Progress = Callable[[int, int], object]
"""Called with the bytes that the server has, and the size of the file."""
Content = Callable[[int, int], Awaitable[bytes]]
"""Called with an offset and a number of bytes; returns these bytes of the file."""


class UploadPlan(Struct, frozen=True):
    """What to upload, and with which tokens."""

    name: str
    size: int
    read: Content
    progress: Progress | None
    tokens: TokenSource
    backoff: Backoff


class _Gone(Exception):
    """The server does not know the upload any more."""


class FileUpload:
    """One upload of one file."""

    def __init__(self, url: str, plan: UploadPlan) -> None:
        self._http = HttpSession(url)
        self._plan = plan
        self._path: str | None = None
        self._offset: int | None = None
        self._file: str | None = None
        self._piece_bytes = FIRST_PIECE_BYTES

    async def run(self) -> dict[str, Any]:
        """Upload, through breaks of any number. Return the file, as `v1` shows it. Raises Refused."""
        try:
            while True:
                try:
                    return await self._go_on()
                except _Gone:
                    self._path = self._offset = None
                except ConnectionLost as lost:
                    await self._wait(lost.retry_after)
                except Refused as refused:
                    if not refused.again:
                        raise
                    await self._wait(refused.retry_after)
        finally:
            with trio.CancelScope(shield=True):
                await self._http.close()

    async def _wait(self, asked_seconds: float | None) -> None:
        """Wait before the next try, which asks the server first how much it has."""
        self._offset = None
        self._piece_bytes = max(MIN_PIECE_BYTES, self._piece_bytes // 2)
        await trio.sleep(self._plan.backoff.next_seconds(asked_seconds))

    async def _go_on(self) -> dict[str, Any]:
        if self._path is None:
            await self._begin()
        elif self._offset is None:
            await self._look()
        while self._file is None:
            await self._send_piece()
        answer = await self._ask("GET", f"/v1/files/{self._file}")
        found: dict[str, Any] = json.loads(answer.body)
        return found

    async def _begin(self) -> None:
        name = b64encode(self._plan.name.encode()).decode()
        headers = [("Upload-Length", str(self._plan.size)), ("Upload-Metadata", f"filename {name}")]
        answer = await self._ask("POST", TUS_PATH, headers)
        self._path = TUS_PATH + answer.headers["location"].rpartition("/")[2]
        self._offset = 0
        self._report(answer)

    async def _look(self) -> None:
        """Ask how much of the file the server has."""
        assert self._path is not None
        self._report(await self._ask("HEAD", self._path))

    async def _send_piece(self) -> None:
        assert self._path is not None
        assert self._offset is not None
        data = await self._plan.read(self._offset, self._piece_bytes)
        if not data:
            raise OSError(f"{self._plan.name} has become shorter during its upload")
        headers = [("Upload-Offset", str(self._offset)), ("Content-Type", "application/offset+octet-stream")]
        began = trio.current_time()
        self._report(await self._ask("PATCH", self._path, headers, data))
        self._plan.backoff.reset()
        if trio.current_time() - began < QUICK_SECONDS:
            self._piece_bytes = min(MAX_PIECE_BYTES, self._piece_bytes * 2)

    def _report(self, answer: HttpAnswer) -> None:
        """Take the offset of an answer, and the file of a complete upload."""
        self._offset = int(answer.headers.get("upload-offset", self._offset or 0))
        if "content-location" in answer.headers:
            self._file = answer.headers["content-location"].rpartition("/")[2]
        if self._plan.progress is not None:
            self._plan.progress(self._offset, self._plan.size)

    async def _ask(
        self, method: str, path: str, headers: list[tuple[str, str]] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        """Send a request with a token. Raises Refused, ConnectionLost or _Gone."""
        while True:
            token = await self._plan.tokens.get()
            sent = [("Authorization", f"Bearer {token}"), ("Tus-Resumable", "1.0.0"), *(headers or ())]
            answer = await self._http.ask(method, path, sent, body)
            if answer.status < 300:
                self._plan.tokens.accepted()
                return answer
            if answer.status != UNAUTHORIZED:
                raise _failure(answer, path)
            if not self._plan.tokens.renew(token):
                raise SignedOut(SIGNED_OUT.code, "the token is not valid")


def _failure(answer: HttpAnswer, path: str) -> Exception:
    wait = answer.headers.get("retry-after", "")
    retry_after = float(wait) if wait.isdigit() else None
    if answer.status == GONE and path.startswith(TUS_PATH):
        return _Gone()
    if answer.status in (BUSY, OTHER_OFFSET):  # an earlier request of this upload may not have ended yet
        return ConnectionLost(reason=f"HTTP {answer.status}", retry_after=retry_after)
    try:
        said = json.loads(answer.body)
        code, message = str(said["code"]), str(said["message"])
    except (ValueError, KeyError, TypeError):
        code, message = "", f"HTTP {answer.status}"
    if code not in CAN_RETRY:
        code = "UNAVAILABLE" if answer.status >= 500 else "BAD_REQUEST"
    return Refused(code, message, retry_after)


def content_of(source: Path | str | bytes) -> tuple[int, Content]:
    """The size of a file or of bytes, and a function that reads pieces of it."""
    if isinstance(source, bytes):
        data = memoryview(source)

        async def read_bytes(offset: int, length: int) -> bytes:
            await trio.lowlevel.checkpoint()
            return bytes(data[offset : offset + length])

        return len(source), read_bytes
    path = trio.Path(source)

    async def read_file(offset: int, length: int) -> bytes:
        async with await path.open("rb") as file:
            await file.seek(offset)
            return await file.read(length)

    return Path(source).stat().st_size, read_file
