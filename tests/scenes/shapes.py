"""Checks of payloads: each key of the specification is there, no other key is, and each value has its type.

    fits(payload, {"id": INTEGER, "content": "Hello", "read_at": None})

A value in a shape is a value, one of these types, or another shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], bool]


def _text(pattern: str) -> Check:
    compiled = re.compile(pattern, re.DOTALL)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _integer(value: Any) -> bool:
    return type(value) is int and value > 0


INTEGER: Check = _integer
OBJECT_ID = _text(r"[0-9a-f]{24}")
UUID = _text(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = _text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TEXT = _text(r".+")


def fits(payload: Any, shape: Any, at: str = "payload") -> Any:
    """Check that a payload has that shape, and return the payload."""
    if isinstance(shape, dict):
        assert isinstance(payload, dict), f"{at} is {payload!r}"
        assert set(payload) == set(shape), f"{at} has {sorted(payload)}, not {sorted(shape)}"
        for key, expected in shape.items():
            fits(payload[key], expected, f"{at}.{key}")
    elif callable(shape):
        assert shape(payload), f"{at} is {payload!r}"
    else:
        assert type(payload) is type(shape), f"{at} is {payload!r}, not {shape!r}"
        assert payload == shape, f"{at} is {payload!r}, not {shape!r}"
    return payload
