"""The Range header: one range of bytes. A header with several ranges, or with another unit, is ignored (RFC 9110)."""

from __future__ import annotations

import re
from typing import NamedTuple

_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*\Z")


class Span(NamedTuple):
    """The bytes from `start` up to `end`, which is not included."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


def read_range(header: str | None, size: int) -> Span | None:
    """The part of a content that a client asks for; None if the content has no such part."""
    match = _RANGE.match(header) if header is not None else None
    if match is None or (not match[1] and not match[2]):
        return Span(0, size)
    if not match[1]:
        length = int(match[2])
        return Span(max(0, size - length), size) if length else None
    start, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
    if match[2] and int(match[2]) < start:
        return Span(0, size)  # not a valid range, so it is ignored
    return Span(start, end) if start < size else None
