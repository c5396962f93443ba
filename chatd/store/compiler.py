"""Compiles statements and tables of SQLAlchemy Core to SQLite's SQL. The server itself does not import this module.

`make sql` writes the result into chatd/store/compiled/, and a test compares it. The rules for a statement:

- Rows are plain tuples in the order of the statement's columns. No type converts a value in either direction.
  Columns are integers, texts, reals and blobs; a boolean is 0 or 1, a time is epoch milliseconds.
- Parameters are named. `select(t).where(t.c.id == bindparam("id"))` runs as `tx.one(STATEMENT, id=7)`, and
  `insert(t)` takes every column of the table. In an UPDATE or INSERT, SQLAlchemy uses the columns' own names for
  the new values: give the parameters of its WHERE other names (`bindparam("message_id")`).
- A list of unknown length is one parameter: `column.in_(json_integers("ids"))`, run with `ids="[1,2]"`
  (chatd/store/dialect_functions.py). `IN` over constants works.
- Python-side defaults (`Column(default=...)`) are not supported: use a default of the database (`server_default`).
- Constants in the statement (`t.c.kind == 3`) are bound with every run.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, MetaData, Table, func, insert, select
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from chatd.store.prepared import Prepared, RowInsert
from chatd.store.schema import POSITION, Schema
from chatd.store.statements.sequences import SEQUENCES

# `create_engine` would set the parameter styles; these dialects have no engine.
NAMED_DIALECT = sqlite_dialect(paramstyle="named")
POSITIONAL_DIALECT = sqlite_dialect(paramstyle="qmark")


def prepare(statement: ClauseElement) -> Prepared:
    """Compile a statement. TypeError says which rule it breaks."""
    try:
        compiled = statement.compile(dialect=NAMED_DIALECT, compile_kwargs={"render_postcompile": True})
    except InvalidRequestError as error:  # SQLAlchemy's error for an `IN` over a list of unknown length
        raise TypeError(f"{error}; a list is one JSON parameter: use dialect_functions.json_integers") from error
    assert isinstance(compiled, SQLCompiler)
    if compiled.insert_prefetch or compiled.update_prefetch:
        raise TypeError("a Python-side default needs SQLAlchemy at every run: use server_default")
    required = sorted(name for bind, name in compiled.bind_names.items() if bind.required)
    constants = {name: value for name, value in compiled.params.items() if name not in required}
    return Prepared(str(compiled), " ".join(required), constants)


def prepare_rows(table: Table, columns: str) -> RowInsert:
    """Compile an INSERT of rows, with `?` for each of the named columns; other columns are NULL."""
    names = columns.split()
    compiled = insert(table).compile(dialect=POSITIONAL_DIALECT, column_keys=names)
    assert isinstance(compiled, SQLCompiler)
    if compiled.positiontup != names:
        raise TypeError(f"name the columns of {table.name} in this order: {compiled.positiontup}")
    return RowInsert(str(compiled), columns)


def schema_of(metadata: MetaData) -> Schema:
    """The schema of some tables. Every table with a key `id` is a noun of the table's name.

    A key `position` is the event log's. With `sqlite_autoincrement=True`, the numbers of deleted rows are never given
    out again.
    """
    last_numbers: dict[str, Prepared] = {}
    for name, noun in metadata.tables.items():
        for key in noun.primary_key:
            if key.name in ("id", POSITION):
                last_numbers[POSITION if key.name == POSITION else name] = last_number(key)
    return Schema(create_statements(metadata), last_numbers)


def create_statements(metadata: MetaData) -> tuple[str, ...]:
    """The statements that create the tables and their indexes, in an order that works."""
    made: list[ClauseElement] = []
    for table in metadata.sorted_tables:
        made += CreateTable(table), *map(CreateIndex, sorted(table.indexes, key=lambda index: str(index.name)))
    return tuple(str(one.compile(dialect=NAMED_DIALECT)).strip() for one in made)


def last_number(key: Column[Any]) -> Prepared:
    """The query for the last number of a table's key, as the file knows it after a restart.

    Most nouns take the highest number of their rows. Where the newest rows can be deleted (AUTOINCREMENT), SQLite keeps
    the highest number that a table ever had. It is in SQLite's own table `sqlite_sequence`.
    """
    if key.table.dialect_options["sqlite"]["autoincrement"]:
        return prepare(select(SEQUENCES.c.seq).where(SEQUENCES.c.name == key.table.name))
    return prepare(select(func.max(key)))
