"""The media type of a content, judged by its first bytes. What the client says of it does not count.

SIGNATURES is for contents that a chat shares; libmagic knows a thousand more, and needs a C library. Everything else is
text, markup that a browser would run, or a stream of bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Signature(NamedTuple):
    """A type has these bytes at that place, and optionally more at another place."""

    type: str
    place: int
    mark: bytes
    more: tuple[int, bytes] | None = None


SIGNATURES = (
    Signature("image/png", 0, b"\x89PNG\r\n\x1a\n"),
    Signature("image/jpeg", 0, b"\xff\xd8\xff"),
    Signature("image/gif", 0, b"GIF87a"),
    Signature("image/gif", 0, b"GIF89a"),
    Signature("image/webp", 0, b"RIFF", (8, b"WEBP")),
    Signature("audio/wav", 0, b"RIFF", (8, b"WAVE")),
    Signature("video/x-msvideo", 0, b"RIFF", (8, b"AVI ")),
    Signature("image/avif", 4, b"ftypavif"),
    Signature("image/heic", 4, b"ftyphei"),
    Signature("audio/mp4", 4, b"ftypM4A "),
    Signature("video/quicktime", 4, b"ftypqt  "),
    Signature("video/mp4", 4, b"ftyp"),
    Signature("video/webm", 0, b"\x1aE\xdf\xa3"),
    Signature("audio/ogg", 0, b"OggS"),
    Signature("audio/flac", 0, b"fLaC"),
    Signature("audio/mpeg", 0, b"ID3"),
    Signature("audio/mpeg", 0, b"\xff\xfb"),
    Signature("audio/mpeg", 0, b"\xff\xf3"),
    Signature("application/pdf", 0, b"%PDF-"),
    Signature("application/zip", 0, b"PK\x03\x04"),
    Signature("application/zip", 0, b"PK\x05\x06"),
    Signature("application/gzip", 0, b"\x1f\x8b\x08"),
    Signature("image/bmp", 0, b"BM"),
    Signature("image/tiff", 0, b"II*\0"),
    Signature("image/tiff", 0, b"MM\0*"),
    Signature("application/x-executable", 0, b"\x7fELF"),
    Signature("application/x-msdownload", 0, b"MZ"),
)
BYTES, TEXT, HTML, SVG, XML = (
    "application/octet-stream",
    "text/plain",
    "text/html",
    "image/svg+xml",
    "application/xml",
)
_MARKUP = re.compile(
    rb"<(?:(!doctype\s+html|html|head|body|script|iframe|title|style|a\s|b>|p>|h1|table|img\s)|(svg)|(\?xml))", re.I
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def media_type(head: bytes) -> str:
    """The media type of a content that begins so."""
    for type, place, mark, more in SIGNATURES:
        if head.startswith(mark, place) and (more is None or head.startswith(more[1], more[0])):
            return type
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if (markup := _MARKUP.match(text)) is not None:
        return HTML if markup[1] else SVG if markup[2] or b"<svg" in text.lower() else XML
    return TEXT if _is_text(head) else BYTES


def _is_text(head: bytes) -> bool:
    """Whether that is UTF-8 without control characters. The last character may be cut off."""
    if _CONTROLS.search(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and error.start > len(head) - 4
    return True


def is_accepted(type: str, accepted: Sequence[str]) -> bool:
    """Whether the list has the type, or all types of its kind."""
    kind = type.partition("/")[0]
    return type in accepted or f"{kind}/*" in accepted or "*/*" in accepted
