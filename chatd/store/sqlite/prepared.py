"""`Prepared`: a SQLAlchemy Core statement, compiled once to SQLite's SQL and then run without SQLAlchemy; and `Rows`.

Core's own execution costs some 50 µs a statement more than sqlite3's. What is given up for that:

- Rows are plain tuples in the order of the statement's columns, and no type converts anything on the way in or out.
  Columns are integers, texts, reals and blobs; a boolean is 0 or 1, a time is epoch milliseconds.
- Parameters are named. `select(t).where(t.c.id == bindparam("id"))` runs as `tx.one(THAT, id=7)`, and
  `insert(t)` takes every column of the table. In an UPDATE or INSERT, SQLAlchemy keeps the columns' own names for
  the new values: name the parameters of its WHERE otherwise (`bindparam("message_id")`).
- A list of unknown length is one parameter, not many: `column.in_(listed("ids"))`, run with `ids="[1,2]"`.
  `IN` over constants works.
- No defaults made in Python (`Column(default=...)`): a default is the database's own (`server_default`).
- Constants in the statement (`t.c.kind == 3`) are bound with every run.

`Rows` is the INSERT of many rows, each a tuple: half the cost of binding names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Integer, Select, Table, bindparam, func, insert, select
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

# `create_engine` would set these; Prepared has no engine.
DIALECT = sqlite_dialect(paramstyle="named")
BY_PLACE = sqlite_dialect(paramstyle="qmark")


class Prepared:
    """A statement made at import and compiled at its first use."""

    def __init__(self, statement: ClauseElement) -> None:
        self.statement = statement

    @cached_property
    def sql(self) -> str:
        """What SQLite is given, with `:name` for each parameter."""
        return self._compiled[0]

    @cached_property
    def constants(self) -> Mapping[str, Any]:
        """Values that are part of the statement; most have none."""
        return self._compiled[1]

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names that every run has to give."""
        return self._compiled[2]

    @property
    def blanks(self) -> Mapping[str, Any]:
        """Something for every parameter, for whoever asks about the statement without running it."""
        return {**self.constants, **dict.fromkeys(self.parameters)}

    @cached_property
    def _compiled(self) -> tuple[str, Mapping[str, Any], frozenset[str]]:
        try:
            compiled = self.statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
        except InvalidRequestError as error:  # what SQLAlchemy says of an `IN` whose list it does not know
            raise TypeError(f"{error}; a list is one JSON parameter here, see prepared.listed") from error
        assert isinstance(compiled, SQLCompiler)
        if compiled.insert_prefetch or compiled.update_prefetch:
            raise TypeError("a Python-side default needs SQLAlchemy at every run: use server_default")
        asked = frozenset(name for bind, name in compiled.bind_names.items() if bind.required)
        constants = {name: value for name, value in compiled.params.items() if name not in asked}
        return str(compiled), constants, asked

    def __repr__(self) -> str:
        return f"Prepared({self.sql})"


class Rows:
    """An INSERT of rows, each a tuple of the columns that are named here, in the table's order; the others are NULL."""

    def __init__(self, table: Table, columns: str) -> None:
        self.table = table
        self.columns = columns.split()

    @cached_property
    def sql(self) -> str:
        """What SQLite is given, with `?` for each column."""
        compiled = insert(self.table).compile(dialect=BY_PLACE, column_keys=self.columns)
        assert isinstance(compiled, SQLCompiler)
        if compiled.positiontup != self.columns:
            raise TypeError(f"{self.table.name} has its columns in this order: {compiled.positiontup}")
        return str(compiled)

    @property
    def blanks(self) -> Sequence[Any]:
        """Something for every column."""
        return [None] * len(self.columns)


def listed(name: str) -> Select[tuple[int]]:
    """The integers of a parameter that holds a JSON array, for `column.in_(listed("ids"))`."""
    return select(func.json_each(bindparam(name)).table_valued("value").c.value.cast(Integer))
