"""What JSON allows and we don't: keys said twice, and nesting deeper than anybody means.

A decoder that takes the last of two equal keys lets one reader see another request than the next; so it is refused.
Both checks look at the text only when a count says that there may be something to find.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from protocol.errors import BAD_REQUEST, UNPARSABLE, Refusal

DEPTH = 32
_limits = {"depth": DEPTH}
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(rb"[{}\[\]]")


def allow_depth(depth: int) -> None:
    """How deep JSON may nest in this process; 0 is as deep as the decoder goes."""
    _limits["depth"] = depth or sys.maxsize


def check_depth(text: bytes) -> None:
    """Refuse what nests deeper than it may. Brackets within strings don't count."""
    most = _limits["depth"]
    if text.count(b"{") + text.count(b"[") <= most:
        return
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", text)):
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
