"""Statement effects: what SQLite reports that a statement reads and changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.schema import CreateTable

from chatd.store import tables
from chatd.store.compiler import prepare
from chatd.store.prepared import Prepared
from chatd.store.sqlite.statement_effects import effects_of
from tests.chatd.store.library import (
    BOOK,
    COUNT_BOOKS,
    DELETE_AUTHOR,
    DELETE_BOOK,
    MARK_READ,
    RENAME,
    TITLE_AND_AUTHOR,
    TITLES,
    authors,
    books,
    open_library,
)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = open_library()
    yield connection
    connection.close()


def test_a_query_reads_its_columns_and_changes_nothing(connection: sqlite3.Connection) -> None:
    title_and_author = effects_of(connection, TITLE_AND_AUTHOR.statement)
    assert title_and_author.reads == {
        ("books", "id"),
        ("books", "author"),
        ("books", "title"),
        ("authors", "id"),
        ("authors", "name"),
    }
    assert not title_and_author.changed


def test_an_update_changes_its_columns(connection: sqlite3.Connection) -> None:
    rename = effects_of(connection, RENAME)
    assert rename.updates == {("books", "title")}
    assert not rename.row_tables


def test_a_delete_includes_the_effects_of_its_cascades(connection: sqlite3.Connection) -> None:
    delete_author = effects_of(connection, DELETE_AUTHOR)
    assert delete_author.row_tables == {"authors", "books", "loans"}
    assert delete_author.updates == {("loans", "friend")}
    assert delete_author.changed == {"authors", "books", "loans"}


def test_an_insert_reads_the_tables_that_it_refers_to(connection: sqlite3.Connection) -> None:
    book = effects_of(connection, BOOK)
    assert book.row_tables == {"books"}
    assert book.tables == {"books", "authors"}


def test_a_statement_includes_the_effects_of_its_triggers(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TRIGGER t AFTER INSERT ON books BEGIN UPDATE authors SET born = 1; END")
    assert ("authors", "born") in effects_of(connection, BOOK).updates


@pytest.mark.parametrize(
    ("change", "query", "invalid"),
    [
        (RENAME, TITLE_AND_AUTHOR.statement, True),
        (MARK_READ, TITLE_AND_AUTHOR.statement, False),
        (DELETE_BOOK, TITLE_AND_AUTHOR.statement, True),
        (DELETE_AUTHOR, TITLE_AND_AUTHOR.statement, True),
        (BOOK, TITLE_AND_AUTHOR.statement, True),
        (BOOK, COUNT_BOOKS, True),
        (DELETE_AUTHOR, COUNT_BOOKS, True),
        (RENAME, COUNT_BOOKS, False),
        (BOOK, prepare(select(authors.c.name)), False),
        (prepare(text("UPDATE books SET rowid = 9 WHERE id = 1")), TITLE_AND_AUTHOR.statement, True),
        (prepare(update(books).values(read=1).prefix_with("OR REPLACE")), COUNT_BOOKS, True),
    ],
)
def test_what_a_change_invalidates(connection: sqlite3.Connection, change: Any, query: Prepared, invalid: bool) -> None:
    assert effects_of(connection, change).invalidates(effects_of(connection, query)) is invalid


@pytest.mark.parametrize("sql", ["CREATE TABLE more (id)", "PRAGMA foreign_keys = OFF", "SAVEPOINT mine"])
def test_a_statement_that_changes_more_than_rows_is_refused(connection: sqlite3.Connection, sql: str) -> None:
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        effects_of(connection, prepare(text(sql)))


def test_finding_effects_changes_no_transaction_and_no_open_cursor(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO books (id, author, title) VALUES (2, 1, 'Persuasion')")
    changes = connection.total_changes
    cursor = connection.execute(TITLES.sql)
    first = cursor.fetchone()
    effects_of(connection, DELETE_AUTHOR)
    assert [first, *cursor] == [("Emma",), ("Persuasion",)]
    assert (connection.in_transaction, connection.total_changes) == (True, changes)


def test_chatd_s_tables_use_nothing_that_sqlite_does_not_report() -> None:
    for table in tables.metadata.tables.values():
        assert not any(column.computed for column in table.columns)
        assert "REPLACE" not in str(CreateTable(table)).upper()
