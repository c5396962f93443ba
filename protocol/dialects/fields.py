"""Fields and their types, shared by the dialects: what a request may contain, and how it becomes a command's attribute.

`field` and its variants make a Field; the constants below are the types that are no ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from protocol.dialects.encode import encode
from protocol.dialects.grammar import Field, FieldType
from protocol.emoji import is_emoji
from protocol.errors import BAD_REQUEST, Refusal
from protocol.ids import MAX_SAFE_INTEGER, IdFormat, read_digits
from protocol.model import Attachment, QuietHours

MAX_LIST_ITEMS = 1000
MAX_SHORT_TEXT_CHARACTERS = 2048
MAX_OBJECT_BYTES = 4096


# Fields


def field(
    name: str,
    type: FieldType | IdFormat,
    attribute: str = "",
    *,
    required: bool = True,
    clears: bool = False,
    unless: str | None = None,
) -> Field:
    """A field that sets `attribute` of the command; without it, the attribute of the same name."""
    return Field(name, _field_type(type), attribute or name, required, clears, unless)


def optional(name: str, type: FieldType | IdFormat, attribute: str = "") -> Field:
    """A field that may be absent or null."""
    return field(name, type, attribute, required=False)


def claimed_user(name: str, type: FieldType | IdFormat, *, required: bool = True) -> Field:
    """The id of the user that the payload names as its sender: it must be the caller."""
    return field(name, type, "claimed_user", required=required)


def _field_type(type: FieldType | IdFormat) -> FieldType:
    return FieldType(type.type, type.name, type.read, type.read_text) if isinstance(type, IdFormat) else type


# Functions that read a value. Each raises a Refusal with the expected values; its caller adds the field.


def _invalid(expected: str) -> Refusal:
    return Refusal(BAD_REQUEST, expected)


def _read_text(value: str) -> str:
    if "\0" in value:
        raise _invalid("a string without NUL")
    return value


def _read_short_text(value: str) -> str:
    if len(value) > MAX_SHORT_TEXT_CHARACTERS:
        raise _invalid(f"a string of at most {MAX_SHORT_TEXT_CHARACTERS} characters")
    return _read_text(value)


def _read_boolean_text(value: str) -> bool:
    if value not in ("true", "false", "1", "0"):
        raise _invalid("a boolean value")
    return value in ("true", "1")


def _read_positive(value: int) -> int:
    if not 0 < value < 2**31:
        raise _invalid("a positive integer")
    return value


def _read_position(value: int) -> int:
    if not 0 <= value <= MAX_SAFE_INTEGER:
        raise _invalid("a position: 0 or a positive integer")
    return value


def _read_position_text(value: str) -> int:
    return 0 if value == "0" else read_digits(value).number


def _read_positive_text(value: str) -> int:
    return _read_positive(read_digits(value).number)


def _read_emoji(value: str) -> str:
    if not is_emoji(value):
        raise _invalid("one emoji")
    return value


_URL = re.compile(r"[^\x00-\x20\x7f]{1,2048}\Z")


def _read_url(value: str) -> str:
    if not _URL.match(value):
        raise _invalid("a URL of 1 to 2048 characters without spaces")
    return value


def _read_urls(value: list[str]) -> tuple[Attachment, ...]:
    return tuple(Attachment(_read_url(url)) for url in value)


class _Attachment(Struct, forbid_unknown_fields=True):
    url: str
    type: Literal["IMAGE", "PDF"]


class _AnyAttachment(Struct, forbid_unknown_fields=True):
    url: str
    type: Literal["IMAGE", "PDF"] | None = None


def _read_attachments(value: Iterable[_Attachment | _AnyAttachment]) -> tuple[Attachment, ...]:
    return tuple(Attachment(_read_url(item.url), item.type) for item in value)


class _QuietHours(
    Struct, forbid_unknown_fields=True, rename={"start": "from", "end": "until", "time_zone": "timeZone"}
):
    start: str
    end: str
    time_zone: str


_EXPECTED_HOURS = 'an object like {"from": "22:00", "until": "07:30", "timeZone": "Europe/Berlin"}'
_HOUR = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z")
MAX_ZONE_CHARS = 64


def _read_quiet_hours(value: _QuietHours) -> QuietHours:
    start, end = _HOUR.match(value.start), _HOUR.match(value.end)
    if start is None or end is None or value.start == value.end or len(value.time_zone) > MAX_ZONE_CHARS:
        raise _invalid(_EXPECTED_HOURS)
    return QuietHours(_minutes(start), _minutes(end), value.time_zone)


def _minutes(hour: re.Match[str]) -> int:
    return int(hour[1]) * 60 + int(hour[2])


_EXPECTED_TIME = "a time, ISO 8601 with its offset from UTC"
_EXPECTED_OBJECT = f"an object of at most {MAX_OBJECT_BYTES} bytes, without NUL"


def _read_object(value: dict[str, Any]) -> dict[str, Any]:
    try:
        text = encode(value)
    except OverflowError:
        raise _invalid(_EXPECTED_OBJECT) from None
    if len(text) > MAX_OBJECT_BYTES or b"\\u0000" in text:
        raise _invalid(_EXPECTED_OBJECT)
    return value


def _read_time(value: str) -> int:
    """Milliseconds since 1970."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise _invalid(_EXPECTED_TIME) from None
    if moment.tzinfo is None or not 1970 < moment.year < 9999:
        raise _invalid(_EXPECTED_TIME)
    return int(moment.timestamp() * 1000)


def _reject_text(value: str) -> Any:
    raise _invalid("a list in the body")


# Types


def one_of(*choices: str) -> FieldType:
    """One of these strings."""
    expected = f"one of the following values: {', '.join(choices)}"

    def read(value: str) -> str:
        if value not in choices:
            raise _invalid(expected)
        return value

    return FieldType(Literal[choices], expected, read, read)


def ids(id_format: IdFormat) -> FieldType:
    """A list of ids; in a query string, the ids with commas between them."""

    def read(value: list[Any]) -> Any:
        return tuple(map(id_format.read, value))

    def read_text(value: str) -> Any:
        return tuple(map(id_format.read_text, value.split(",")[: MAX_LIST_ITEMS + 1])) if value else ()

    return FieldType(_list_of(id_format.type), f"a list, each {id_format.name}", read, read_text)


def single_id(id_format: IdFormat) -> FieldType:
    """One id, for an attribute of the command that is a tuple of ids."""
    return FieldType(
        id_format.type,
        id_format.name,
        lambda value: (id_format.read(value),),
        lambda value: (id_format.read_text(value),),
    )


def _list_of(item: Any) -> Any:
    return Annotated[list[item], Meta(max_length=MAX_LIST_ITEMS)]


TEXT = FieldType(str, "a string", _read_text, _read_text)
TIME = FieldType(str, _EXPECTED_TIME, _read_time, _read_time)
EMOJI = FieldType(str, "one emoji", _read_emoji, _read_emoji)
SHORT_TEXT = FieldType(str, "a string", _read_short_text, _read_short_text)
BOOLEAN = FieldType(bool, "a boolean value", bool, _read_boolean_text)
POSITIVE_INTEGER = FieldType(int, "a positive integer", _read_positive, _read_positive_text)
POSITION = FieldType(int, "a position: 0 or a positive integer", _read_position, _read_position_text)
URLS = FieldType(_list_of(str), "a list of URLs", _read_urls, _reject_text)
ATTACHMENTS = FieldType(
    _list_of(_Attachment), 'a list of {url, type: "IMAGE" or "PDF"}', _read_attachments, _reject_text
)
ANY_ATTACHMENTS = FieldType(
    _list_of(_AnyAttachment), 'a list of {url, type?: "IMAGE" or "PDF"}', _read_attachments, _reject_text
)
QUIET_HOURS = FieldType(_QuietHours, _EXPECTED_HOURS, _read_quiet_hours, _reject_text)
OBJECT = FieldType(
    Annotated[dict[str, Any], Meta(max_length=MAX_LIST_ITEMS)], _EXPECTED_OBJECT, _read_object, _reject_text
)
