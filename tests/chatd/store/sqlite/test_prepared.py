"""Prepared: the compiled form of a Core statement, and its results."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    MetaData,
    Table,
    bindparam,
    delete,
    insert,
    literal,
    select,
    text,
    update,
)

from chatd.store.compiler import prepare
from chatd.store.dialect_functions import json_integers
from chatd.store.sqlite.transaction import Transaction

things = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("kind", Integer),
    Column("flag", Boolean),
)
made = Table("made", MetaData(), Column("id", Integer), Column("at", Integer, default=lambda: 7))


@pytest.fixture
def tx() -> Iterator[Transaction]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, kind INTEGER, flag BOOLEAN)")
    tx = Transaction(connection, {"thing": 0})
    tx.many(prepare(insert(things)), [{"id": i, "kind": i % 3, "flag": True} for i in range(1, 7)])
    yield tx
    connection.close()


WHERE_KIND = select(things.c.id).where(things.c.kind == 2).order_by(things.c.id)


@pytest.mark.parametrize(
    ("statement", "params", "rows"),
    [
        (WHERE_KIND, {}, [(2,), (5,)]),
        (WHERE_KIND.limit(1), {}, [(2,)]),
        (WHERE_KIND.limit(bindparam("n")), {"n": 1}, [(2,)]),
        (WHERE_KIND.where(things.c.id > bindparam("after")), {"after": 2}, [(5,)]),
        (select(things.c.id).where(things.c.id.in_([3, 4, 99])), {}, [(3,), (4,)]),
        (select(things.c.id).where(things.c.id.in_(json_integers("ids"))), {"ids": "[1, 6, 8]"}, [(1,), (6,)]),
        (select(things.c.id, things.c.flag).where(things.c.flag == literal(True)).limit(1), {}, [(1, 1)]),
        (select(literal("a%b:c")), {}, [("a%b:c",)]),
        (text("SELECT :x, '50%'"), {"x": 9}, [(9, "50%")]),
        (
            update(things)
            .values(kind=bindparam("new"))
            .where(things.c.id == bindparam("which"))
            .returning(things.c.kind),
            {"new": 8, "which": 3},
            [(8,)],
        ),
        (select(things.c.id).where(things.c.kind == bindparam("k", None)), {}, []),
        (select(things.c.id).where(things.c.kind == bindparam("k", 1)).limit(1), {"k": 2}, [(2,)]),
    ],
)
def test_rows(tx: Transaction, statement: Any, params: dict[str, Any], rows: list[tuple[Any, ...]]) -> None:
    prepared = prepare(statement)
    assert tx.all(prepared, **params) == rows
    assert tx.one(prepared, **params) == (rows[0] if rows else None)
    assert tx.run(prepared, **params).fetchall() == rows


def test_it_names_the_parameters_that_a_run_must_pass() -> None:
    assert prepare(WHERE_KIND.where(things.c.id > bindparam("after"))).parameters == ("after",)
    assert prepare(insert(things)).parameters == ("flag", "id", "kind")


def test_a_missing_parameter_is_an_error(tx: Transaction) -> None:
    with pytest.raises(sqlite3.ProgrammingError, match="kind"):
        tx.run(prepare(insert(things)), id=9, flag=0)


def test_rowcount_of_a_run(tx: Transaction) -> None:
    assert tx.run(prepare(delete(things).where(things.c.kind == 0))).rowcount == 2


def test_many_with_a_constant(tx: Transaction) -> None:
    assert tx.many(prepare(insert(things).values(id=bindparam("id"), kind=5)), [{"id": 10}, {"id": 11}]) == 2
    assert tx.all(prepare(select(things.c.id).where(things.c.kind == 5))) == [(10,), (11,)]


def test_a_cursor_survives_other_statements(tx: Transaction) -> None:
    prepared = prepare(WHERE_KIND)
    assert [tx.one(prepared) and row for row in tx.run(prepared)] == [(2,), (5,)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (select(things.c.id).where(things.c.id.in_(bindparam("ids"))), "dialect_functions.json_integers"),
        (insert(made).values(id=1), "server_default"),
    ],
)
def test_an_unsupported_statement_raises(statement: Any, expected: str) -> None:
    with pytest.raises(TypeError, match=expected):
        prepare(statement).sql  # noqa: B018
