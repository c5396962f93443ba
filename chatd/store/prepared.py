"""`Prepared` and `RowInsert`: the SQL of a statement, ready to run without SQLAlchemy.

Core's own execution costs some 50 µs a statement more than sqlite3's, and importing SQLAlchemy takes half of the time
in which chatd could start. So the statements are compiled before chatd runs: chatd/store/compiler.py has the rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Prepared:
    """A statement with `:name` for each parameter. `constants` are values that are part of the statement."""

    __slots__ = ("constants", "parameters", "sql")

    def __init__(self, sql: str, parameters: str = "", constants: Mapping[str, Any] | None = None) -> None:
        self.sql = sql
        self.parameters = tuple(parameters.split())
        """The names of the parameters that every run must pass, in alphabetical order."""
        self.constants: Mapping[str, Any] = constants or {}

    @property
    def null_parameters(self) -> Mapping[str, Any]:
        """A value for every parameter, to explain the statement without running it."""
        return {**self.constants, **dict.fromkeys(self.parameters)}

    def __repr__(self) -> str:
        return f"Prepared({self.sql})"


class RowInsert:
    """An INSERT of many rows, each a tuple of the named columns. It costs half as much as binding names."""

    __slots__ = ("columns", "sql")

    def __init__(self, sql: str, columns: str) -> None:
        self.sql = sql
        self.columns = tuple(columns.split())

    @property
    def null_parameters(self) -> Sequence[Any]:
        """A value for every column, to explain the statement without running it."""
        return [None] * len(self.columns)
