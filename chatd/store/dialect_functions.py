"""SQL that each kind of database spells in its own way. The tables and the queries use these functions.

SQLAlchemy chooses the spelling when it compiles a statement. The rules for SQLite have its name; the rules without a
name are for PostgreSQL. `upsert` is SQLite's; SQLAlchemy has one with the same methods for PostgreSQL.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Text, bindparam, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["contains", "greatest", "json_integers", "json_object", "least", "upsert"]


class _Greatest(FunctionElement[int]):
    name = "greatest"
    type = Integer()
    inherit_cache = True


class _Least(FunctionElement[int]):
    name = "least"
    type = Integer()
    inherit_cache = True


class _JsonElements(FunctionElement[str]):
    name = "json_elements"
    type = Text()
    inherit_cache = True


class _JsonObject(FunctionElement[str]):
    name = "json_object"
    type = Text()
    inherit_cache = True


class _Position(FunctionElement[int]):
    name = "position"
    type = Integer()
    inherit_cache = True


def greatest(*values: Any) -> ColumnElement[int]:
    """The greatest of some integers, none of which is NULL: the databases treat NULL in different ways."""
    return _Greatest(*values)


def least(*values: Any) -> ColumnElement[int]:
    """The least of some integers, none of which is NULL."""
    return _Least(*values)


def contains(text: Any, part: Any) -> ColumnElement[bool]:
    """Whether a text has another text in it. Upper and lower case differ."""
    return _Position(text, part) > 0


def json_integers(name: str) -> Select[tuple[int]]:
    """The integers of a parameter that holds a JSON array, for `column.in_(json_integers("ids"))`."""
    return select(_JsonElements(bindparam(name)).table_valued("value").c.value.cast(Integer))


def json_object(key: Any, value: Any) -> ColumnElement[str]:
    """An aggregate: a JSON object with a key and a value of each row."""
    return _JsonObject(key, value)


def _spell(function: type[FunctionElement[Any]], postgresql: str, sqlite: str) -> None:
    """Register the spellings of a function. `{}` stands for its arguments."""

    def spell(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:
        return postgresql.format(compiler.process(element.clauses, **options))

    def spell_sqlite(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:
        return sqlite.format(compiler.process(element.clauses, **options))

    compiles(function)(spell)
    compiles(function, "sqlite")(spell_sqlite)


_spell(_Greatest, "greatest({})", sqlite="max({})")
_spell(_Least, "least({})", sqlite="min({})")
_spell(_JsonElements, "json_array_elements_text(CAST({} AS json))", sqlite="json_each({})")
_spell(_JsonObject, "json_object_agg({})", sqlite="json_group_object({})")
_spell(_Position, "strpos({})", sqlite="instr({})")
