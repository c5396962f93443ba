"""What JSON allows and we don't: keys said twice, nesting deeper than anybody means, more values than anybody sends.

A decoder that takes the last of two equal keys lets one reader see another request than the next; so it is refused.
A short list of a short type costs a decoder 50 times the time of a string of the same length, so values are counted
before they are decoded. All checks look at the text only when a count says that there may be something to find, and
then in one pass: each costs time linear in the length of the text.
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
# A string, or what follows a quote that nothing closes. Possessive, and the closing quote is optional: so it matches
# at every quote where the search tries it, and never goes back. Otherwise an open string would be read once a quote.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))


def allow_depth(depth: int) -> None:
    """How deep JSON may nest in this process; 0 is as deep as the decoder goes."""
    _limits["depth"] = depth or sys.maxsize


def allow_values(values: int) -> None:
    """How many values one JSON text may hold in this process; 0 is any number."""
    _limits["values"] = values or sys.maxsize


def check_size(text: bytes) -> None:
    """Refuse what nests deeper, or holds more values, than it may. Whoever decodes what a client sent calls this first.

    Brackets and commas within strings don't count. Values are counted by the commas between them: a short text has few.
    """
    if len(text) > _limits["values"]:
        _check_values(text, _limits["values"])
    if text.count(b"{") + text.count(b"[") > _limits["depth"]:
        _check_depth(text, _limits["depth"])


def _check_values(text: bytes, most: int) -> None:
    if text.count(b",") >= most and _STRING.sub(b"", text).count(b",") >= most:
        raise Refusal(BAD_REQUEST, f"The JSON holds more than {most} values")


def _check_depth(text: bytes, most: int) -> None:
    depth = 0
    for bracket in _STRING.sub(b"", text).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"{[" else -1
        if depth > most:
            raise Refusal(BAD_REQUEST, f"The JSON is nested more than {most} deep")


def check_keys(text: bytes) -> None:
    """Refuse an object that says a key twice."""
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
