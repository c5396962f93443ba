"""The words that the specifications share: types of fields on the way in, spellings of values on the way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct

from protocol.dialects.encode import encode, speller
from protocol.dialects.grammar import Field, Item, Shape, Word, as_it_is
from protocol.errors import BAD_REQUEST, Refusal
from protocol.ids import Spelling, read_digits
from protocol.model import Attachment, Message

# On the way in


def field(name: str, word: Word | Spelling, to: str = "", *, required: bool = True, clears: bool = False) -> Field:
    return Field(name, _word(word), to or name, required, clears)


def optional(name: str, word: Word | Spelling, to: str = "") -> Field:
    return field(name, word, to, required=False)


def either(name: str, word: Word | Spelling, to: str = "", *, unless: str) -> Field:
    """Required, unless the other one is there."""
    return Field(name, _word(word), to or name, unless=unless)


def claim(name: str, word: Word | Spelling, *, required: bool = True) -> Field:
    """Who the payload says it comes from."""
    return field(name, word, "claimed", required=required)


def _word(word: Word | Spelling) -> Word:
    return Word(word.type, word.name, word.read, word.read_text) if isinstance(word, Spelling) else word


LONGEST_LIST = 1000
LONGEST_LINE = 2048


def _fault(expected: str) -> Refusal:
    """A word refuses with what it expects; whoever asked it adds which field that was."""
    return Refusal(BAD_REQUEST, expected)


def _text(value: str) -> str:
    if "\0" in value:
        raise _fault("a string without NUL")
    return value


def _line(value: str) -> str:
    if len(value) > LONGEST_LINE:
        raise _fault(f"a string of at most {LONGEST_LINE} characters")
    return _text(value)


def _flag(value: str) -> bool:
    if value not in ("true", "false", "1", "0"):
        raise _fault("a boolean value")
    return value in ("true", "1")


def _count(value: int) -> int:
    if not 0 < value < 2**31:
        raise _fault("a positive integer")
    return value


def _digits(value: str) -> int:
    return _count(read_digits(value).number)


def one_of(*choices: str) -> Word:
    expected = f"one of the following values: {', '.join(choices)}"

    def read(value: str) -> str:
        if value not in choices:
            raise _fault(expected)
        return value

    return Word(Literal[choices], expected, read, read)


def _urls(value: list[str]) -> tuple[Attachment, ...]:
    return tuple(Attachment(_url(url)) for url in value)


_URL = re.compile(r"[^\x00-\x20\x7f]{1,2048}\Z")


def _url(value: str) -> str:
    if not _URL.match(value):
        raise _fault("a URL of 1 to 2048 characters without spaces")
    return value


def _attachments(value: Iterable[_Attachment]) -> tuple[Attachment, ...]:
    return tuple(Attachment(_url(item.url), item.type) for item in value)


class _Attachment(Struct, forbid_unknown_fields=True):
    url: str
    type: Literal["IMAGE", "PDF"]


def _no_text(value: str) -> Any:
    raise _fault("a list in the body")


def keys(spelling: Spelling) -> Word:
    """A list of ids."""

    def read(value: list[Any]) -> Any:
        return tuple(map(spelling.read, value))

    element: Any = spelling.type
    return Word(
        Annotated[list[element], Meta(max_length=LONGEST_LIST)], f"a list, each {spelling.name}", read, _no_text
    )


def key_alone(spelling: Spelling) -> Word:
    """One id, where the command takes several."""
    return Word(spelling.type, spelling.name, lambda v: (spelling.read(v),), lambda v: (spelling.read_text(v),))


def _free(value: dict[str, Any]) -> dict[str, Any]:
    try:
        text = encode(value)
    except OverflowError:
        raise _fault(_FREE) from None
    if len(text) > 4096 or b"\\u0000" in text:
        raise _fault(_FREE)
    return value


_FREE = "an object of at most 4096 bytes, without NUL"

TEXT = Word(str, "a string", _text, _text)
LINE = Word(str, "a string", _line, _line)
FLAG = Word(bool, "a boolean value", bool, _flag)
COUNT = Word(int, "a positive integer", _count, _digits)
URLS = Word(Annotated[list[str], Meta(max_length=LONGEST_LIST)], "a list of URLs", _urls, _no_text)
ATTACHMENTS = Word(
    Annotated[list[_Attachment], Meta(max_length=LONGEST_LIST)],
    'a list of {url, type: "IMAGE" or "PDF"}',
    _attachments,
    _no_text,
)
FREE = Word(Annotated[dict[str, Any], Meta(max_length=LONGEST_LIST)], _FREE, _free, _no_text)

# On the way out


def spelt(path: str, spelling: Spelling, *, omit_none: bool = False) -> Item:
    """An id, in a spelling."""
    spell = spelling.spell
    return Item(path, lambda ref: None if ref is None else spell(ref), spelling.name, omit_none)


def spelt_each(path: str, spelling: Spelling) -> Item:
    spell = spelling.spell
    return Item(path, lambda refs: [spell(ref) for ref in refs], f"a list, each {spelling.name}")


def plain(path: str, kind: str = "a string", *, omit_none: bool = False) -> Item:
    """The value as it is."""
    return Item(path, as_it_is, kind, omit_none)


def always(value: Any) -> Item:
    return Item("", lambda _: value, f"always {value!r}")


def computed(path: str, function: Callable[[Any], Any], kind: str) -> Item:
    return Item(path, function, kind)


def moment(path: str, *, omit_none: bool = False) -> Item:
    return Item(path, iso, "a time, ISO 8601 with milliseconds", omit_none)


@lru_cache(maxsize=4096)
def iso(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def nested(path: str, shape: Shape) -> Item:
    spell = speller(shape)
    return Item(path, lambda value: None if value is None else spell(value), "an object")


def nested_each(path: str, shape: Shape) -> Item:
    spell = speller(shape)
    return Item(path, lambda values: [spell(value) for value in values], "a list of objects")


def spread(path: str) -> Item:
    """Keys and values of its own, beside those of the shape."""
    return Item(path, lambda extra: {} if extra is UNSET else extra, "further keys", spread=True)


def content_or_null() -> Item:
    """Of a message: its content, null where it was sent without any."""
    return Item("", lambda message: None if message.without_content else message.content, "a string, or null")


def whether_read(path: str) -> Item:
    """Of a message: whether its receiver, or in a group anybody but its sender, has read it."""
    return Item(path, _whether_read, "true or false")


def _whether_read(message: Message) -> bool:
    if message.receiver is not None:
        return message.read_at is not None
    return any(reader[0] != message.sender.ref[0] for reader in message.seen_by)
