"""Limits that JSON does not have: no duplicate keys, a greatest depth, and a greatest number of values.

Decoders differ in which of two equal keys they take, so two readers could see two different requests: duplicates are
rejected. To decode a list of short values takes 50 times as long as a string of the same length. So values are counted
before they are decoded. A check reads the text only if a count shows that the check may fail. It reads in one pass, in
time linear in the length of the text.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from protocol.errors import BAD_REQUEST, UNPARSABLE, Refusal

MAX_DEPTH = 32
MAX_VALUES = 5_000
_limits = {"depth": MAX_DEPTH, "values": MAX_VALUES}
# A string, or all that follows an unclosed quote. The pattern is possessive and its closing quote is optional, so it
# matches at every quote that the search tries, without backtracking. Otherwise an unclosed string would be read again
# for each quote in it.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))


def allow_depth(depth: int) -> None:
    """Set how deep JSON may nest in this process; 0 is the limit of the decoder."""
    _limits["depth"] = depth or sys.maxsize


def allow_values(values: int) -> None:
    """Set how many values one JSON text may have in this process; 0 is no limit."""
    _limits["values"] = values or sys.maxsize


def check_size(text: bytes) -> None:
    """Refuse a text that nests too deep or has too many values. To be called before a client's JSON is decoded.

    Brackets and commas within strings don't count. Values are counted by the commas between them.
    """
    if len(text) > _limits["values"]:
        _check_values(text, _limits["values"])
    if text.count(b"{") + text.count(b"[") > _limits["depth"]:
        _check_depth(text, _limits["depth"])


def _check_values(text: bytes, maximum: int) -> None:
    if text.count(b",") >= maximum and _STRING.sub(b"", text).count(b",") >= maximum:
        raise Refusal(BAD_REQUEST, f"The JSON holds more than {maximum} values")


def _check_depth(text: bytes, maximum: int) -> None:
    depth = 0
    for bracket in _STRING.sub(b"", text).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"{[" else -1
        if depth > maximum:
            raise Refusal(BAD_REQUEST, f"The JSON is nested more than {maximum} deep")


def check_keys(text: bytes) -> None:
    """Refuse a text with an object that has a key twice."""
    if text.count(b":") > 1:
        try:
            json.loads(text, object_pairs_hook=_distinct)
        except ValueError:
            raise Refusal(UNPARSABLE) from None


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Refusal(BAD_REQUEST, f"{key[:100]!r} is there twice", field=key[:100])
            seen.add(key)
