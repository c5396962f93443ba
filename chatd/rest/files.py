"""Files over HTTP: upload, download with ranges, deletion of drafts. The contents pass piece by piece.

POST /files                multipart/form-data with a part "file", or the content alone and ?name=
GET /files/{id}            the content; one range of it
DELETE /files/{id}         a draft of the caller
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

from chatd.auth.links import Link, Links
from chatd.core.app import App
from chatd.files.contents import Reader, thumbnail_name
from chatd.files.upload_body import UploadBody
from chatd.files.uploads import Uploads, too_large
from chatd.net.file_sender import send_file
from chatd.net.http_connection import HttpConnection
from chatd.net.request import Request, Response, refusal
from chatd.rest.answers import JSON_HEADERS, refuse
from chatd.rest.exchange import PIECE_BYTES, ExchangeRoute, Headers, Parameters, authenticate, refuse_upload
from chatd.rest.ranges import Span, read_range
from chatd.rest.requests import check_running, limit_requests, query_pairs
from chatd.services.context import Actor
from protocol import commands as ask
from protocol.dialects.encode import compile_shape, encode
from protocol.dialects.rooms import FILE as ROOM_FILE
from protocol.dialects.shapes import iso
from protocol.dialects.v1.shapes import FILE
from protocol.errors import BAD_REQUEST, NOT_FOUND, Refusal
from protocol.ids import DECIMAL, OBJECT_ID, UUID, Key
from protocol.model import File

MULTIPART_BYTES = 64 * 1024
"""The most that multipart/form-data adds to a file."""
SHOWN_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
"""Types that a browser may show in its window. All others are saved."""
COMMON_HEADERS = (
    (b"accept-ranges", b"bytes"),
    (b"cache-control", b"private, max-age=31536000, immutable"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"x-content-type-options", b"nosniff"),
)


class Received(NamedTuple):
    """An uploaded file, and what the form had beside it."""

    file: File
    fields: dict[str, str]


class Content(NamedTuple):
    """A content to send."""

    name: str
    size: int
    type: bytes
    disposition: tuple[bytes, bytes]


class FileRoutes:
    """The routes of files."""

    def __init__(self, app: App, uploads: Uploads) -> None:
        self._app = app
        self._uploads = uploads
        self._links = Links(app.accounts.identity.link_key)
        self._show = compile_shape(FILE)
        self._show_in_room = compile_shape(ROOM_FILE)

    @property
    def rows(self) -> Iterator[tuple[str, str, ExchangeRoute]]:
        yield "POST", "/files", ExchangeRoute(self._upload)
        yield "POST", "/chat/rooms/{id}/files", ExchangeRoute(self._send_to_room)
        yield "GET", "/files/{id}", ExchangeRoute(self._download)
        yield "GET", "/files/{id}/thumbnail", ExchangeRoute(self._download_thumbnail)
        yield "POST", "/files/{id}/link", ExchangeRoute(self._make_link)
        yield "DELETE", "/files/{id}", ExchangeRoute(self._delete)

    async def _upload(self, parameters: Parameters, request: Request, connection: HttpConnection) -> Response:
        try:
            actor = await authenticate(self._app, request)
            file, _ = await self.receive(actor, request, connection)
        except Refusal as no:
            return refuse_upload(no)
        headers = (*JSON_HEADERS, (b"location", b"/files/%d" % file.ref.number))
        return Response(201, encode(self._show(file)), headers)

    async def _send_to_room(self, parameters: Parameters, request: Request, connection: HttpConnection) -> Response:
        """Receive a file, and send it to a room: the answer of `rooms` is the file."""
        try:
            actor = await authenticate(self._app, request)
            room = read_id(parameters["id"], "Room")
            await self._app.dispatch.request(actor, ask.GetConversation(conversation=room))  # before the body is read
            file, fields = await self.receive(actor, request, connection)
            sent = ask.SendFile(conversation=room, file=Key(file.ref.number), content=fields.get("content") or None)
            await self._app.dispatch.request(actor, sent)
        except Refusal as no:
            return refuse_upload(no)
        return Response(201, encode(self._show_in_room(file)), JSON_HEADERS)

    async def receive(self, actor: Actor, request: Request, connection: HttpConnection) -> Received:
        """Receive the file of a request, and the other fields."""
        limit, declared = self._uploads.max_bytes, int(request.get(b"content-length") or 0)
        connection.body_limit = limit + MULTIPART_BYTES if limit else 0
        connection.read_bytes = PIECE_BYTES
        if limit and declared > connection.body_limit:
            raise too_large(limit)
        name = dict(query_pairs(request)).get("name", "")
        body = UploadBody(request.get(b"content-type") or "", name, connection.read_piece)
        return Received(await self._uploads.receive(actor, body, declared), body.fields)

    async def _delete(self, parameters: Parameters, request: Request, connection: HttpConnection) -> Response:
        try:
            actor = await authenticate(self._app, request)
            await self._app.dispatch.request(actor, ask.DeleteFile(file=read_id(parameters["id"])))
        except Refusal as no:
            return refuse(no)
        return Response(204)

    async def _download(self, parameters: Parameters, request: Request, connection: HttpConnection) -> Response | None:
        try:
            file = await self._find(parameters, request)
            content = Content(file.digest, file.size, content_type(file), disposition(file))
            return await self._send(content, request, connection)
        except Refusal as no:
            return refuse(no)

    async def _download_thumbnail(
        self, parameters: Parameters, request: Request, connection: HttpConnection
    ) -> Response | None:
        try:
            file = await self._find(parameters, request)
            if file.width is None:
                raise Refusal(NOT_FOUND, "The file has no thumbnail")
            name = thumbnail_name(file.digest)
            size = await self._uploads.on_thread(self._uploads.contents.size, name)
            shown = (b"content-disposition", b"inline")
            return await self._send(Content(name, size, b"image/webp", shown), request, connection)
        except Refusal as no:
            return refuse(no)

    async def _find(self, parameters: Parameters, request: Request) -> File:
        """The file of a request whose content the caller may have, by a token or a signed link."""
        key, query = read_id(parameters["id"]), dict(query_pairs(request))
        if request.get(b"authorization") is None and "signature" in query:
            link = self._links.check(key.number or 0, query, self._app.clock())
            actor = await self._app.authenticator.user_of_link(link)
            self._app.refund(request.charged)
            limit_requests(self._app, actor.id)
            check_running(self._app)
        else:
            actor = await authenticate(self._app, request)
        found: File = await self._app.dispatch.request(actor, ask.DownloadFile(file=key))
        return found

    async def _make_link(self, parameters: Parameters, request: Request, connection: HttpConnection) -> Response:
        """A URL for a page that shows no token."""
        try:
            actor = await authenticate(self._app, request)
            file = await self._app.dispatch.request(actor, ask.DownloadFile(file=read_id(parameters["id"])))
        except Refusal as no:
            return refuse(no)
        now = int(self._app.clock())
        link = Link(file.ref.number, actor.id, now, now + int(self._app.config.files.link_ttl))
        url = f"/files/{link.file}?{self._links.query(link)}"
        return Response(200, encode({"url": url, "expiresAt": iso(link.until * 1000)}), JSON_HEADERS)

    async def _send(self, content: Content, request: Request, connection: HttpConnection) -> Response | None:
        """Send a content, or a part of it."""
        tag, size = b'"%s"' % content.name.encode(), content.size
        headers: Headers = ((b"etag", tag), (b"content-type", content.type), content.disposition, *COMMON_HEADERS)
        if tag in [one.strip() for one in (request.get(b"if-none-match") or "").encode().split(b",")]:
            return Response(304, headers=headers)
        asked = request.get(b"range") if (request.get(b"if-range") or tag.decode()).encode() == tag else None
        span = read_range(asked, size) if request.method == "GET" else Span(0, size)
        if span is None:
            outside = ((b"content-range", b"bytes */%d" % size),)
            return refusal(BAD_REQUEST, f"The file has {size} bytes", status=416, headers=outside)
        status = 200
        if span.length < size:
            status = 206
            headers += ((b"content-range", b"bytes %d-%d/%d" % (span.start, span.end - 1, size)),)
        if request.method == "HEAD":
            await connection.send(connection.head(status, headers, length=span.length) + connection.end())
            return None
        source = await self._uploads.on_thread(self._uploads.contents.open, content.name, span.start, span.end)
        try:
            await self._send_pieces(connection, connection.head(status, headers, length=span.length), source, span)
        finally:
            await self._uploads.on_thread(source.close)
        return None

    async def _send_pieces(self, connection: HttpConnection, head: bytes, source: Reader, span: Span) -> None:
        """Send the head and the content: by the kernel if it can, else piece by piece."""
        threads = self._uploads.threads
        if source.file is not None and await send_file(connection, head, source.file, span.length, threads):
            return
        data, left = head, span.length
        while left:
            piece = await self._uploads.on_thread(source.read)
            if not piece:
                raise OSError("the content is shorter than its record")
            left -= len(piece)
            await connection.send(data + connection.body(piece))
            data = b""
        await connection.send(data + connection.end())


def read_id(text: str, noun: str = "File") -> Key:
    """An id in any of the forms that the dialects use."""
    for form in (DECIMAL, OBJECT_ID, UUID):
        try:
            return form.read_text(text)
        except Refusal:
            continue
    raise Refusal(NOT_FOUND, f"{noun} not found")


def content_type(file: File) -> bytes:
    return b"text/plain; charset=utf-8" if file.type == "text/plain" else file.type.encode()


def disposition(file: File) -> tuple[bytes, bytes]:
    """Whether a browser shows or saves the file, and under which name (RFC 6266)."""
    kind = "inline" if file.type in SHOWN_TYPES else "attachment"
    plain = "".join(char if " " <= char <= "~" and char not in '"\\%' else "_" for char in file.name)
    return (
        b"content-disposition",
        f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}".encode(),
    )
