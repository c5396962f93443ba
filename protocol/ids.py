"""One integer, three spellings: decimal, ObjectId (24 hex digits), UUID (version 8); both ways, without a table.

The store numbers each noun 1, 2, 3 ... A dialect spells such a number as its specification's clients expect:

    decimal     7
    ObjectId    65a1b2c3 0000000000000007       8 digits: the creation time in seconds; 16 digits: the number
    UUID        65a1b2c3-0000-8000-8000-000000000007    the same, around the version (8) and variant (8) digits

The time is redundant, so whoever reads one of the long forms gets a Key that carries it, and the services compare it
with the row's own: an id that this server never spelt is not found, even where its number exists.

User ids may come from elsewhere (a foreign account's UUID or ObjectId): such a `subject` is that user's spelling
wherever a dialect spells users in that form. A Key that was read from a long form therefore keeps the text too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from protocol.errors import BAD_REQUEST, Refusal

MAX_SAFE_INTEGER = 2**53 - 1  # what a JavaScript number holds exactly
MAX_CACHED_IDS = 10_000  # long ids that need not be read again: a chat says the same few over and over

_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}\Z")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z")
_DECIMAL = re.compile(r"[1-9][0-9]{0,15}\Z")


class Key(NamedTuple):
    """An id as a client gave it: the number, and of the long forms the creation time and the text itself.

    `number` 0 is nobody's: well formed, but never spelt here.
    """

    number: int
    created_seconds: int | None = None
    text: str | None = None

    def matches(self, number: int, born: int) -> bool:
        """Whether this is how the thing with that number and creation time is spelt."""
        return self.number == number and (self.created_seconds is None or self.created_seconds == born)


class Ref(NamedTuple):
    """An id as the server holds it: the number, the creation time in seconds, and a foreign user's own spelling."""

    number: int
    created_seconds: int
    subject: str | None = None


def write_decimal(ref: Ref) -> int:
    return ref[0]


def write_object_id(ref: Ref) -> str:
    number, born, subject = ref
    if subject is not None and _OBJECT_ID.match(subject):
        return subject
    return f"{born & 0xFFFFFFFF:08x}{number:016x}"


def write_uuid(ref: Ref) -> str:
    number, born, subject = ref
    if subject is not None and _UUID.match(subject):
        return subject
    high = number >> 48
    return f"{born & 0xFFFFFFFF:08x}-{high & 0xFFFF:04x}-8000-8000-{number & 0xFFFFFFFFFFFF:012x}"


def read_decimal(value: object) -> Key:
    if type(value) is not int or not 0 < value <= MAX_SAFE_INTEGER:
        raise Refusal(BAD_REQUEST, "a positive integer")
    return Key(value)


def read_digits(value: object) -> Key:
    """An integer, or its digits: what a path and a query string carry, and what `pairs` documents."""
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
    ours = digits[12:20] == "80008000"
    number = int(digits[8:12], 16) << 48 | int(digits[20:], 16) if ours else 0
    return _long_key(number, int(digits[:8], 16), value)


def _long_key(number: int, born: int, text: str) -> Key:
    return Key(number if number <= MAX_SAFE_INTEGER else 0, born, text.lower())


class IdFormat(NamedTuple):
    """How one dialect field spells an id: a name for the documents, the JSON type that is read, and both ways.

    `read_text` reads it where only text can stand: in a path or a query string.
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
