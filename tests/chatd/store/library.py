"""Authors, books and loans: tables that refer to each other, with a connection for each test."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.schema import CreateTable

from chatd.store.compiler import prepare, prepare_rows
from chatd.store.sqlite.query_cache import CachedQuery

metadata = MetaData()
authors = Table(
    "authors",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("born", Integer),
)
books = Table(
    "books",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("author", ForeignKey("authors.id", ondelete="CASCADE"), nullable=False),
    Column("title", Text, nullable=False),
    Column("read", Integer),
)
loans = Table(
    "loans",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("book", ForeignKey("books.id", ondelete="CASCADE"), nullable=False),
    Column("friend", ForeignKey("authors.id", ondelete="SET NULL")),
)

AUTHOR = prepare_rows(authors, "id name")
BOOK = prepare_rows(books, "id author title")
LOAN = prepare_rows(loans, "id book")

ADD_AUTHOR = prepare(insert(authors).values(id=bindparam("new"), name=bindparam("called")))
ADD_BOOK = prepare(insert(books).values(id=bindparam("new"), author=bindparam("by"), title=bindparam("called")))
RENAME = prepare(update(books).where(books.c.id == bindparam("book")).values(title=bindparam("called")))
MARK_READ = prepare(update(books).where(books.c.id == bindparam("book")).values(read=1))
DELETE_BOOK = prepare(delete(books).where(books.c.id == bindparam("book")))
DELETE_AUTHOR = prepare(delete(authors).where(authors.c.id == bindparam("author")))
TITLES = prepare(select(books.c.title).order_by(books.c.id))
NAMES = prepare(select(authors.c.name).order_by(authors.c.id))
COUNT_BOOKS = prepare(select(func.count()).select_from(books))
BOOK_BY_TITLE = prepare(select(books.c.id).where(books.c.title == bindparam("called")))

TITLE_AND_AUTHOR = CachedQuery(
    prepare(
        select(books.c.title, authors.c.name)
        .select_from(books.join(authors, authors.c.id == books.c.author))
        .where(books.c.id == bindparam("book"))
    ),
    "book",
    lambda row: " by ".join(reversed(row)),
)
LAST_BOOK = CachedQuery(
    prepare(select(func.max(books.c.id)).where(books.c.author == bindparam("author"))),
    "author",
    lambda row: int(row[0]),
)


def open_library(path: Path | str = ":memory:") -> sqlite3.Connection:
    """A database with one author (1, Jane) and her book (1, Emma)."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=0)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA foreign_keys = ON")
    for table in metadata.sorted_tables:
        connection.execute(str(CreateTable(table)))
    connection.execute("INSERT INTO authors (id, name) VALUES (1, 'Jane')")
    connection.execute("INSERT INTO books (id, author, title) VALUES (1, 1, 'Emma')")
    return connection
