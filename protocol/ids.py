"""One integer in three formats: decimal, ObjectId (24 hex digits), UUID (version 8). No table is needed either way.

The store numbers the objects of each kind 1, 2, 3 ... A dialect writes the number in the format of its specification:

    decimal     7
    ObjectId    65a1b2c3 0000000000000007       8 digits: the creation time in seconds; 16 digits: the number
    UUID        65a1b2c3-0000-8000-8000-000000000007    the same, around the version (8) and variant (8) digits

The time is redundant. A Key that is read from a long format has that time, and the services compare it with the row's.
So an id that this server has never written is not found, even if its number exists.

A user id may come from another system (the UUID or ObjectId of an external account). Such a `subject` is the user's id
wherever a dialect writes user ids in that format. So a Key that was read from a long format keeps the text too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from protocol.errors import BAD_REQUEST, Refusal

MAX_SAFE_INTEGER = 2**53 - 1  # what a JavaScript number holds exactly
MAX_CACHED_IDS = 10_000  # parsed long ids: a chat repeats the same few

_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}\Z")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z")
_DECIMAL = re.compile(r"[1-9][0-9]{0,15}\Z")


class Key(NamedTuple):
    """An id as a client sent it: the number, and for a long format the creation time and the text.

    No object has the `number` 0: it stands for an id that is well formed and that this server has never written.
    """

    number: int
    created_seconds: int | None = None
    text: str | None = None

    def matches(self, number: int, created_seconds: int) -> bool:
        """Whether this is the id of the object with that number and creation time (in seconds)."""
        return self.number == number and (self.created_seconds is None or self.created_seconds == created_seconds)


class Ref(NamedTuple):
    """An id as the server keeps it: the number, the creation time, and the external id of an external user."""

    number: int
    created_seconds: int
    subject: str | None = None


def write_decimal(ref: Ref) -> int:
    return ref[0]


def write_object_id(ref: Ref) -> str:
    number, created_seconds, subject = ref
    if subject is not None and _OBJECT_ID.match(subject):
        return subject
    return "%024x" % ((created_seconds & 0xFFFFFFFF) << 64 | number)  # half the time of the two parts, one by one


def write_uuid(ref: Ref) -> str:
    number, created_seconds, subject = ref
    if subject is not None and _UUID.match(subject):
        return subject
    high = number >> 48
    return f"{created_seconds & 0xFFFFFFFF:08x}-{high & 0xFFFF:04x}-8000-8000-{number & 0xFFFFFFFFFFFF:012x}"


def read_decimal(value: object) -> Key:
    if type(value) is not int or not 0 < value <= MAX_SAFE_INTEGER:
        raise Refusal(BAD_REQUEST, "a positive integer")
    return Key(value)


def read_digits(value: object) -> Key:
    """An integer or its digits, as in a path, in a query string, and in the payloads of `pairs`."""
    return read_decimal(int(value) if isinstance(value, str) and _DECIMAL.match(value) else value)


def read_object_id(value: object) -> Key:
    if not isinstance(value, str):
        raise Refusal(BAD_REQUEST, "an id of 24 hexadecimal digits")
    return _read_object_id(value)


@lru_cache(maxsize=MAX_CACHED_IDS)
def _read_object_id(value: str) -> Key:
    if not _OBJECT_ID.match(value):
        raise Refusal(BAD_REQUEST, "an id of 24 hexadecimal digits")
    return _long_key(int(value[8:], 16), int(value[:8], 16), value)


def read_uuid(value: object) -> Key:
    if not isinstance(value, str):
        raise Refusal(BAD_REQUEST, "a UUID")
    return _read_uuid(value)


@lru_cache(maxsize=MAX_CACHED_IDS)
def _read_uuid(value: str) -> Key:
    if not _UUID.match(value):
        raise Refusal(BAD_REQUEST, "a UUID")
    digits = value.replace("-", "")
    is_own = digits[12:20] == "80008000"
    number = int(digits[8:12], 16) << 48 | int(digits[20:], 16) if is_own else 0
    return _long_key(number, int(digits[:8], 16), value)


def _long_key(number: int, created_seconds: int, text: str) -> Key:
    return Key(number if number <= MAX_SAFE_INTEGER else 0, created_seconds, text.lower())


class IdFormat(NamedTuple):
    """A format of ids: its name in the documentation, its JSON type, and the functions that write and read it.

    `read_text` reads an id from a path or a query string, where every value is text.
    """

    name: str
    type: Any
    write: Callable[[Ref], int | str]
    read: Callable[[object], Key]
    read_text: Callable[[object], Key]


DECIMAL = IdFormat("a positive integer", int, write_decimal, read_decimal, read_digits)
DIGITS = IdFormat("a positive integer or its digits", int | str, write_decimal, read_digits, read_digits)
OBJECT_ID = IdFormat("an id of 24 hexadecimal digits", str, write_object_id, read_object_id, read_object_id)
UUID = IdFormat("a UUID", str, write_uuid, read_uuid, read_uuid)
