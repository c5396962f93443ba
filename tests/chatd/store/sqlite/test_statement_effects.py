"""Footprints: what SQLite says that a statement reads and changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.schema import CreateTable

from chatd.store import tables
from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.statement_effects import effects_of
from tests.chatd.store.library import (
    BOOK,
    BURN,
    BURY,
    HOW_MANY,
    MARK_READ,
    RENAME,
    SPINE,
    TITLES,
    authors,
    books,
    library,
)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = library()
    yield connection
    connection.close()


def test_a_question_reads_its_columns_and_changes_nothing(connection: sqlite3.Connection) -> None:
    spine = effects_of(connection, SPINE.statement)
    assert spine.reads == {
        ("books", "id"),
        ("books", "author"),
        ("books", "title"),
        ("authors", "id"),
        ("authors", "name"),
    }
    assert not spine.changed


def test_an_update_changes_its_columns(connection: sqlite3.Connection) -> None:
    rename = effects_of(connection, RENAME)
    assert rename.updates == {("books", "title")}
    assert not rename.row_tables


def test_a_delete_takes_along_what_refers_to_it(connection: sqlite3.Connection) -> None:
    bury = effects_of(connection, BURY)
    assert bury.row_tables == {"authors", "books", "loans"}
    assert bury.updates == {("loans", "friend")}
    assert bury.changed == {"authors", "books", "loans"}


def test_an_insert_reads_what_it_refers_to(connection: sqlite3.Connection) -> None:
    book = effects_of(connection, BOOK)
    assert book.row_tables == {"books"}
    assert book.tables == {"books", "authors"}


def test_a_trigger_is_part_of_what_sets_it_off(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TRIGGER t AFTER INSERT ON books BEGIN UPDATE authors SET born = 1; END")
    assert ("authors", "born") in effects_of(connection, BOOK).updates


@pytest.mark.parametrize(
    ("change", "question", "spoilt"),
    [
        (RENAME, SPINE.statement, True),
        (MARK_READ, SPINE.statement, False),
        (BURN, SPINE.statement, True),
        (BURY, SPINE.statement, True),
        (BOOK, SPINE.statement, True),
        (BOOK, HOW_MANY, True),
        (BURY, HOW_MANY, True),
        (RENAME, HOW_MANY, False),
        (BOOK, Prepared(select(authors.c.name)), False),
        (Prepared(text("UPDATE books SET rowid = 9 WHERE id = 1")), SPINE.statement, True),
        (Prepared(update(books).values(read=1).prefix_with("OR REPLACE")), HOW_MANY, True),
    ],
)
def test_what_a_change_spoils(connection: sqlite3.Connection, change: Any, question: Prepared, spoilt: bool) -> None:
    assert effects_of(connection, change).invalidates(effects_of(connection, question)) is spoilt


@pytest.mark.parametrize("sql", ["CREATE TABLE more (id)", "PRAGMA foreign_keys = OFF", "SAVEPOINT mine"])
def test_what_changes_more_than_rows_is_refused(connection: sqlite3.Connection, sql: str) -> None:
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        effects_of(connection, Prepared(text(sql)))


def test_learning_leaves_a_transaction_and_what_is_half_read_as_they_are(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO books (id, author, title) VALUES (2, 1, 'Persuasion')")
    changes = connection.total_changes
    cursor = connection.execute(TITLES.sql)
    first = cursor.fetchone()
    effects_of(connection, BURY)
    assert [first, *cursor] == [("Emma",), ("Persuasion",)]
    assert (connection.in_transaction, connection.total_changes) == (True, changes)


def test_chatd_s_tables_have_nothing_that_sqlite_does_not_report() -> None:
    for table in tables.metadata.tables.values():
        assert not any(column.computed for column in table.columns)
        assert "REPLACE" not in str(CreateTable(table)).upper()
