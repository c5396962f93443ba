"""The SQL that databases spell in their own ways: as SQLite runs it, and as PostgreSQL would get it."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Dialect, Select, literal_column, select
from sqlalchemy.dialects import registry, sqlite

from chatd.store.compiler import prepare
from chatd.store.dialect_functions import contains, greatest, json_integers, least

SQLITE: Dialect = sqlite.dialect()
POSTGRESQL: Dialect = registry.load("postgresql")()
A: ColumnElement[int] = literal_column("3")
B: ColumnElement[int] = literal_column("7")
SPELLINGS: dict[str, tuple[ColumnElement[Any], str, str, int]] = {
    "greatest": (greatest(A, B), "max(3, 7)", "greatest(3, 7)", 7),
    "least": (least(A, B), "min(3, 7)", "least(3, 7)", 3),
    "nested": (greatest(least(A, B), 5), "max(min(3, 7), 5)", "greatest(least(3, 7), 5)", 5),
    "contains": (
        contains(literal_column("'haystack'"), literal_column("'st'")),
        "instr('haystack', 'st') > 0",
        "strpos('haystack', 'st') > 0",
        1,
    ),
    "contains in another case": (
        contains(literal_column("'haystack'"), literal_column("'ST'")),
        "instr('haystack', 'ST') > 0",
        "strpos('haystack', 'ST') > 0",
        0,
    ),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_each_database_gets_its_own_spelling(name: str) -> None:
    element, for_sqlite, for_postgresql, value = SPELLINGS[name]
    literal = {"literal_binds": True}
    assert str(element.compile(dialect=SQLITE, compile_kwargs=literal)) == for_sqlite
    assert str(element.compile(dialect=POSTGRESQL, compile_kwargs=literal)) == for_postgresql
    connection = sqlite3.connect(":memory:")
    assert connection.execute(f"SELECT {for_sqlite}").fetchone() == (value,)
    connection.close()


def test_the_integers_of_a_json_array() -> None:
    query: Select[tuple[int]] = select(literal_column("1")).where(literal_column("5").in_(json_integers("ids")))
    statement = prepare(query)
    assert "json_array_elements_text(CAST(" in str(query.compile(dialect=POSTGRESQL))
    connection = sqlite3.connect(":memory:")
    assert connection.execute(statement.sql, {"ids": "[4, 5]", **statement.constants}).fetchone() == (1,)
    assert connection.execute(statement.sql, {"ids": "[]", **statement.constants}).fetchone() is None
    connection.close()
