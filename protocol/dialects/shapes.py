"""The values of shapes, shared by the dialects: how an attribute of the model becomes JSON.

Each function takes the path of the attribute, and gives the value of one key of a Shape. An empty path is the object
itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from protocol.dialects.encode import build_body, compile_shape
from protocol.dialects.grammar import PageOf, Shape, ShapeValue, unchanged
from protocol.ids import IdFormat
from protocol.model import Message, Page


def as_is(path: str, description: str = "a string", *, omit_none: bool = False) -> ShapeValue:
    """The attribute, unchanged."""
    return ShapeValue(path, unchanged, description, omit_none)


def as_id(path: str, id_format: IdFormat, *, omit_none: bool = False) -> ShapeValue:
    """An id; null for None."""
    return ShapeValue(path, id_format.write, id_format.name, omit_none, keep_none=True)


def as_ids(path: str, id_format: IdFormat) -> ShapeValue:
    """A list of ids."""
    write = id_format.write
    return ShapeValue(path, lambda refs: [write(ref) for ref in refs] if refs else [], f"a list, each {id_format.name}")


def as_time(path: str, *, omit_none: bool = False) -> ShapeValue:
    """A time as ISO 8601 text; null for None."""
    return ShapeValue(path, iso, "a time, ISO 8601 with milliseconds", omit_none)


def as_object(path: str, shape: Shape) -> ShapeValue:
    """An object of another shape; null for None."""
    build = compile_shape(shape)
    return ShapeValue(path, build, "an object", keep_none=True)


def as_objects(path: str, shape: Shape) -> ShapeValue:
    """A list of objects of another shape."""
    build = compile_shape(shape)
    return ShapeValue(path, lambda values: [build(value) for value in values], "a list of objects")


def as_page(path: str, shape: Shape) -> ShapeValue:
    """A page of objects of another shape: `{items, next}`."""

    def convert(page: Page) -> Any:
        return build_body(PageOf(shape), page)

    return ShapeValue(path, convert, "an object: items, a list of objects; next, the parameter of the next page")


def constant(value: Any) -> ShapeValue:
    """The same value in every body."""
    return ShapeValue("", lambda _: value, f"always {value!r}")


def computed(path: str, function: Callable[[Any], Any], description: str) -> ShapeValue:
    """What the function makes of the attribute."""
    return ShapeValue(path, function, description)


def within(path: str, shape: Shape) -> Shape:
    """The keys of a shape of an attribute, to stand among other keys."""
    return {key: replace(value, path=f"{path}.{value.path}") for key, value in shape.items()}


def extra_keys(path: str) -> ShapeValue:
    """The keys of a dict, beside the keys of the shape; none for UNSET. Its own key in the shape is not sent."""
    return ShapeValue(path, lambda extra: {} if extra is UNSET else extra, "further keys", spread=True)


def content_or_null() -> ShapeValue:
    """Of a message: its content, null where it was sent without content."""
    return ShapeValue("", lambda message: None if message.without_content else message.content, "a string, or null")


def is_read() -> ShapeValue:
    """Of a message: whether the receiver has read it; in a group, whether any member but the sender has."""
    return ShapeValue("", _is_read, "true or false")


def _is_read(message: Message) -> bool:
    if message.receiver is not None:
        return message.read_at is not None
    return any(reader[0] != message.sender.ref[0] for reader in message.seen_by)


@lru_cache(maxsize=4096)
def iso(milliseconds: int | None) -> str | None:
    """A time as ISO 8601 text with milliseconds, in UTC."""
    if milliseconds is None:
        return None
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_iso_seconds(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=4096)
def _iso_seconds(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
