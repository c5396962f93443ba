"""The dialects, each one file of tables, found by name."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from protocol.dialects.grammar import Dialect

_FLOOR = {"grammar", "words", "encode", "decode", "codec", "routing", "accounts"}  # what dialects are made of


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name not in _FLOOR))


@cache
def dialect(name: str) -> Dialect:
    """The dialect of that name; KeyError where there is none."""
    if name not in names():
        raise KeyError(name)
    found: Dialect = import_module(f"{__name__}.{name}").DIALECT
    return found
