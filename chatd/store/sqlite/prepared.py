"""`Prepared`: a SQLAlchemy Core statement, compiled once to SQLite's SQL and then run without SQLAlchemy.

Core's own execution costs some 50 µs a statement more than sqlite3's. In return, a prepared statement has these rules:

- Rows are plain tuples in the order of the statement's columns. No type converts a value in either direction.
  Columns are integers, texts, reals and blobs; a boolean is 0 or 1, a time is epoch milliseconds.
- Parameters are named. `select(t).where(t.c.id == bindparam("id"))` runs as `tx.one(STATEMENT, id=7)`, and
  `insert(t)` takes every column of the table. In an UPDATE or INSERT, SQLAlchemy uses the columns' own names for
  the new values: give the parameters of its WHERE other names (`bindparam("message_id")`).
- A list of unknown length is one parameter: `column.in_(json_integers("ids"))`, run with `ids="[1,2]"`
  (chatd/store/dialect_functions.py). `IN` over constants works.
- Python-side defaults (`Column(default=...)`) are not supported: use a default of the database (`server_default`).
- Constants in the statement (`t.c.kind == 3`) are bound with every run.

`RowInsert` is the INSERT of many rows, each a tuple. It costs half as much as binding names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

# `create_engine` would set the parameter styles; Prepared has no engine.
NAMED_DIALECT = sqlite_dialect(paramstyle="named")
POSITIONAL_DIALECT = sqlite_dialect(paramstyle="qmark")


class Prepared:
    """A statement made at import and compiled at its first use."""

    def __init__(self, statement: ClauseElement) -> None:
        self.statement = statement

    @cached_property
    def sql(self) -> str:
        """The text for SQLite, with `:name` for each parameter."""
        return self._compiled[0]

    @cached_property
    def constants(self) -> Mapping[str, Any]:
        """The values that are part of the statement; most statements have none."""
        return self._compiled[1]

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of the parameters that every run must pass."""
        return self._compiled[2]

    @property
    def null_parameters(self) -> Mapping[str, Any]:
        """A value for every parameter, to explain the statement without running it."""
        return {**self.constants, **dict.fromkeys(self.parameters)}

    @cached_property
    def _compiled(self) -> tuple[str, Mapping[str, Any], frozenset[str]]:
        try:
            compiled = self.statement.compile(dialect=NAMED_DIALECT, compile_kwargs={"render_postcompile": True})
        except InvalidRequestError as error:  # SQLAlchemy's error for an `IN` over a list of unknown length
            raise TypeError(f"{error}; a list is one JSON parameter: use dialect_functions.json_integers") from error
        assert isinstance(compiled, SQLCompiler)
        if compiled.insert_prefetch or compiled.update_prefetch:
            raise TypeError("a Python-side default needs SQLAlchemy at every run: use server_default")
        required = frozenset(name for bind, name in compiled.bind_names.items() if bind.required)
        constants = {name: value for name, value in compiled.params.items() if name not in required}
        return str(compiled), constants, required

    def __repr__(self) -> str:
        return f"Prepared({self.sql})"


class RowInsert:
    """An INSERT of rows. Each row is a tuple of the named columns, in the table's order; other columns are NULL."""

    def __init__(self, table: Table, columns: str) -> None:
        self.table = table
        self.columns = columns.split()

    @cached_property
    def sql(self) -> str:
        """The text for SQLite, with `?` for each column."""
        compiled = insert(self.table).compile(dialect=POSITIONAL_DIALECT, column_keys=self.columns)
        assert isinstance(compiled, SQLCompiler)
        if compiled.positiontup != self.columns:
            raise TypeError(f"name the columns of {self.table.name} in this order: {compiled.positiontup}")
        return str(compiled)

    @property
    def null_parameters(self) -> Sequence[Any]:
        """A value for every column, to explain the statement without running it."""
        return [None] * len(self.columns)
