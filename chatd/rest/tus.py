"""tus 1.0: uploads that go on where they stopped. https://tus.io/protocols/resumable-upload

    OPTIONS /files/tus/       what this server supports
    POST /files/tus/          begins an upload; its Location is where the content goes
    HEAD PATCH DELETE /files/tus/{id}

Extensions: creation, checksum, termination, expiration. When an upload is complete, `Content-Location` is its file.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from email.utils import formatdate

from chatd.core.app import App
from chatd.files.resumable import CHECKSUMS, Checksum, ChecksumMismatch, ResumableUploads, UploadBusy
from chatd.net.http_connection import HttpConnection
from chatd.net.request import Request, Response, refusal
from chatd.rest.answers import refuse
from chatd.rest.exchange import PIECE_BYTES, ExchangeRoute, Headers, Parameters, authenticate, refuse_upload
from protocol.errors import BAD_REQUEST, CONFLICT, UNSUPPORTED_TYPE, Refusal
from protocol.model import Upload

VERSION = b"1.0.0"
RESUMABLE_HEADER = (b"tus-resumable", VERSION)
PATH = "/files/tus"
CONTENT_TYPE = "application/offset+octet-stream"


class TusRoutes:
    """The routes of tus."""

    def __init__(self, app: App, uploads: ResumableUploads) -> None:
        self._app = app
        self._resumable = uploads

    @property
    def rows(self) -> Iterator[tuple[str, str, ExchangeRoute]]:
        yield "OPTIONS", PATH, ExchangeRoute(self._explain)
        yield "POST", PATH, ExchangeRoute(self._begin)
        yield "HEAD", f"{PATH}/{{id}}", ExchangeRoute(self._tell)
        yield "PATCH", f"{PATH}/{{id}}", ExchangeRoute(self._append)
        yield "DELETE", f"{PATH}/{{id}}", ExchangeRoute(self._end)

    async def _explain(self, parameters: Parameters, request: Request, connection: HttpConnection) -> Response:
        limit = self._resumable.uploads.max_bytes
        size: Headers = ((b"tus-max-size", b"%d" % limit),) if limit else ()
        return Response(
            204,
            headers=(
                RESUMABLE_HEADER,
                (b"tus-version", VERSION),
                (b"tus-extension", b"creation,checksum,termination,expiration"),
                (b"tus-checksum-algorithm", ",".join(CHECKSUMS).encode()),
                *size,
            ),
        )

    async def _begin(self, parameters: Parameters, request: Request, connection: HttpConnection) -> Response:
        try:
            if (wrong := _wrong_version(request)) is not None:
                return wrong
            actor = await authenticate(self._app, request)
            size = _number(request, b"upload-length")
            upload = await self._resumable.begin(actor, _metadata(request).get("filename", ""), size)
        except Refusal as no:
            return _with_version(refuse_upload(no))
        return Response(201, headers=(*_state(upload), (b"location", f"{PATH}/{upload.id}".encode())))

    async def _tell(self, parameters: Parameters, request: Request, connection: HttpConnection) -> Response:
        try:
            if (wrong := _wrong_version(request)) is not None:
                return wrong
            upload = await self._resumable.find(await authenticate(self._app, request), parameters["id"])
            offset = await self._resumable.offset(upload)
        except Refusal as no:
            return _with_version(refuse(no))
        length = (b"upload-length", b"%d" % upload.size)
        return Response(200, headers=(*_state(upload, offset), length, (b"cache-control", b"no-store")))

    async def _append(self, parameters: Parameters, request: Request, connection: HttpConnection) -> Response:
        try:
            if (wrong := _wrong_version(request)) is not None:
                return wrong
            actor = await authenticate(self._app, request)
            if (request.get(b"content-type") or "").partition(";")[0].strip().lower() != CONTENT_TYPE:
                raise Refusal(UNSUPPORTED_TYPE, f"The Content-Type must be {CONTENT_TYPE}", field="Content-Type")
            id, offset, checksum = parameters["id"], _number(request, b"upload-offset"), _checksum(request)
            connection.body_limit = self._resumable.uploads.max_bytes
            connection.read_bytes = PIECE_BYTES
            upload, reached = await self._resumable.append(actor, id, offset, connection.read_piece, checksum)
        except Refusal as no:
            return _with_version(refuse_upload(no))
        except ChecksumMismatch:
            return _with_version(refusal(BAD_REQUEST, "The piece has another checksum", status=460))
        except UploadBusy:
            return _with_version(refusal(CONFLICT, "Another request sends to this upload", status=423, close=True))
        return Response(204, headers=_state(upload, reached))

    async def _end(self, parameters: Parameters, request: Request, connection: HttpConnection) -> Response:
        try:
            if (wrong := _wrong_version(request)) is not None:
                return wrong
            await self._resumable.end(await authenticate(self._app, request), parameters["id"])
        except Refusal as no:
            return _with_version(refuse(no))
        return Response(204, headers=(RESUMABLE_HEADER,))


def _state(upload: Upload, offset: int | None = None) -> Headers:
    headers: Headers = (
        RESUMABLE_HEADER,
        (b"upload-expires", formatdate(upload.expires / 1000, usegmt=True).encode()),
    )
    if offset is not None:
        headers += ((b"upload-offset", b"%d" % offset),)
    if upload.file is not None:
        headers += ((b"content-location", b"/files/%d" % upload.file),)
    return headers


def _with_version(answer: Response) -> Response:
    return Response(answer.status, answer.body, (*answer.headers, RESUMABLE_HEADER), answer.close)


def _wrong_version(request: Request) -> Response | None:
    """The answer to a client of another version."""
    if (request.get(b"tus-resumable") or "").encode() == VERSION:
        return None
    answer = refusal(BAD_REQUEST, "Tus-Resumable must be 1.0.0", status=412, close=True)
    return Response(412, answer.body, (*answer.headers, (b"tus-version", VERSION)), close=True)


def _number(request: Request, name: bytes) -> int:
    """A header that is a number of bytes."""
    text = request.get(name) or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        shown = name.decode().title()
        raise Refusal(BAD_REQUEST, f"{shown} must be a number of bytes", field=shown)
    return int(text)


def _metadata(request: Request) -> dict[str, str]:
    """Upload-Metadata: names, each with a value in base64."""
    text = request.get(b"upload-metadata") or ""
    found = {}
    try:
        for pair in filter(None, (one.strip() for one in text.split(","))):
            name, _, value = pair.partition(" ")
            found[name] = b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(BAD_REQUEST, "Upload-Metadata has values in base64, of UTF-8", field="Upload-Metadata") from None
    return found


def _checksum(request: Request) -> Checksum | None:
    text = request.get(b"upload-checksum")
    if text is None:
        return None
    algorithm, _, value = text.partition(" ")
    try:
        if algorithm not in CHECKSUMS:
            raise Refusal(BAD_REQUEST, f"Checksums are {', '.join(CHECKSUMS)}", field="Upload-Checksum")
        return Checksum(algorithm, b64decode(value, validate=True))
    except binascii.Error:
        raise Refusal(BAD_REQUEST, "Upload-Checksum has a value in base64", field="Upload-Checksum") from None
