"""The body of an upload, piece by piece: the content alone, or multipart/form-data with one file and some fields.

`multipart` parses: it does no input or output. The fields are small, and are kept; the content goes on at once.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from typing import Any

from protocol.errors import BAD_REQUEST, Refusal

MAX_FIELDS, MAX_FIELD_BYTES = 16, 4096
MAX_NAME_CHARS = 255
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

ReadPiece = Callable[[], Awaitable[bytes]]


class UploadBody:
    """The body of a request. `name` and `fields` are complete when `pieces` has ended."""

    def __init__(self, content_type: str, name: str, read_piece: ReadPiece) -> None:
        self.name = name
        self._fields: dict[str, bytes] = {}
        self._read_piece = read_piece
        self._part: Any = None
        self._has_file = False
        self._boundary = _boundary(content_type) if content_type.lower().startswith("multipart/form-data") else None

    @property
    def fields(self) -> dict[str, str]:
        """The fields beside the file."""
        return {name: value.decode("utf-8", "replace") for name, value in self._fields.items()}

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The content of the file."""
        if self._boundary is None:
            while piece := await self._read_piece():
                yield piece
            return
        from multipart import MultipartError, PushMultipartParser  # here, because it takes 24 ms

        parser = PushMultipartParser(self._boundary, max_segment_count=MAX_FIELDS)
        try:
            while not parser.closed:
                for piece in self._events(parser.parse(await self._read_piece())):
                    yield piece
        except MultipartError as error:
            raise Refusal(BAD_REQUEST, f"The body is not multipart/form-data: {error}") from None
        if not self._has_file:
            raise Refusal(BAD_REQUEST, 'The body has no file: name a part "file", with a filename', field="file")

    def _events(self, events: Iterable[Any]) -> Iterator[bytes]:
        """The content of the file among the parser's events: the begin of a part, its data, None at its end."""
        for event in events:
            if isinstance(event, bytes | bytearray):
                if self._part.filename is None:
                    self._add_to_field(self._part.name, bytes(event))
                else:
                    yield bytes(event)
            elif event is not None:
                self._part = event
                if event.filename is not None:
                    if self._has_file:
                        raise Refusal(BAD_REQUEST, "The body has more than one file", field=event.name)
                    self._has_file, self.name = True, event.filename

    def _add_to_field(self, name: str, data: bytes) -> None:
        value = self._fields.get(name, b"") + data
        if len(value) > MAX_FIELD_BYTES:
            raise Refusal(BAD_REQUEST, f"{name} has at most {MAX_FIELD_BYTES} bytes", field=name)
        self._fields[name] = value


def _boundary(content_type: str) -> str:
    from multipart import parse_options_header

    boundary: str = parse_options_header(content_type)[1].get("boundary", "")
    if not boundary:
        raise Refusal(BAD_REQUEST, "multipart/form-data needs a boundary")
    return boundary


def clean_name(name: str) -> str:
    """The name of a file without folders, control characters and marks of direction; "file" if nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    cleaned = _CONTROLS.sub("", last).strip().strip(".") if last.strip(". ") else ""
    return (_shorten(cleaned) if len(cleaned) > MAX_NAME_CHARS else cleaned) or "file"


def _shorten(name: str) -> str:
    """A long name, shortened before its ending."""
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 20:
        return name[:MAX_NAME_CHARS]
    return f"{stem[: MAX_NAME_CHARS - len(ending) - 1]}.{ending}"
