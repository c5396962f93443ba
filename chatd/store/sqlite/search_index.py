"""The search index: a database file of its own beside chatd.db, which can be made again from it at any time.

    docs     one row for each message that is not deleted: where it is, what it has, and its folded text
    words    a full-text index of the words
    parts    a full-text index of all parts of three characters
    state    the epoch of the database that the index belongs to, the position in the event log that it reaches, and
             the next message to add while the index is built

The two full-text indexes keep no texts: `docs` has what must be deleted from them. Every change commits together with
the position that it reaches, so a killed server goes on where it stopped. Adding a message again changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from chatd.store.search_text import fold, space_ideographs
from chatd.store.sqlite.faults import StoreProblem, unavailable

VERSION = 1
SCHEMA = """
CREATE TABLE state (epoch TEXT NOT NULL, position INTEGER NOT NULL, next_message INTEGER);
CREATE TABLE docs (
    id INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    created INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX ix_docs_conversation ON docs (conversation, id);
CREATE INDEX ix_docs_sender ON docs (sender, id);
CREATE VIRTUAL TABLE words USING fts5(text, content='', columnsize=0, tokenize='unicode61');
CREATE VIRTUAL TABLE parts USING fts5(text, content='', columnsize=0, tokenize='trigram');
"""
PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA secure_delete = ON")
BUSY_SECONDS = 5.0


class Doc(NamedTuple):
    """A message as the index keeps it."""

    id: int
    conversation: int
    sender: int
    created: int
    flags: int
    content: str


class IndexState(NamedTuple):
    """How far the index reaches. While it is built, `next_message` is the first message that it does not have."""

    epoch: str
    position: int
    next_message: int | None


class SearchIndex:
    """The writer's side of the index. The readers of the database attach the file (chatd/store/queries/search.py)."""

    _connection: sqlite3.Connection

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> None:
        """Open the file. Make it anew if it is missing, damaged or of another version."""
        try:
            self._connection = _open(self.path)
        except sqlite3.DatabaseError:  # it has nothing that can't be made again
            for suffix in ("", "-wal", "-shm"):
                with suppress(OSError):
                    self.path.with_name(self.path.name + suffix).unlink()
            try:
                self._connection = _open(self.path)
            except sqlite3.DatabaseError as error:
                raise StoreProblem(f"{self.path} can't be made ({error}): check its owner, mode and disk") from error

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """A transaction, rolled back after any error. SQLite's errors become UNAVAILABLE: the caller tries again."""
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.Error as error:
            raise unavailable() from error

    def state(self) -> IndexState | None:
        """How far the index reaches; None for a new one."""
        row = self._connection.execute("SELECT epoch, position, next_message FROM state").fetchone()
        return None if row is None else IndexState(*row)

    def count(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM docs").fetchone()[0])

    def clear(self, epoch: str, position: int) -> None:
        """Empty the index. It is then built from the first message on."""
        with self._transaction():
            for name in ("words", "parts"):
                self._connection.execute(f"INSERT INTO {name} ({name}) VALUES ('delete-all')")  # noqa: S608
            self._connection.execute("DELETE FROM docs")
            self._set_state(IndexState(epoch, position, 1))

    def apply(self, state: IndexState, docs: Iterable[Doc], removed: Iterable[int], closed: Iterable[int]) -> None:
        """Add messages, remove messages, remove conversations, and reach a state, in one transaction."""
        with self._transaction():
            for conversation in closed:
                rows = self._connection.execute("SELECT id FROM docs WHERE conversation = ?", (conversation,))
                for (id,) in rows.fetchall():
                    self._remove(id)
            for id in removed:
                self._remove(id)
            self._add_all(list(docs))
            self._set_state(state)

    def _set_state(self, state: IndexState) -> None:
        self._connection.execute("DELETE FROM state")
        self._connection.execute("INSERT INTO state VALUES (?, ?, ?)", state)

    def _add_all(self, docs: list[Doc]) -> None:
        """Add messages. Most are newer than all that the index has."""
        newest = self._connection.execute("SELECT max(id) FROM docs").fetchone()[0] or 0
        for doc in docs:
            if doc.id <= newest:
                self._remove(doc.id)
        texts = [(doc.id, fold(doc.content)) for doc in docs]
        rows = [(*doc[:5], text) for doc, (_, text) in zip(docs, texts, strict=True)]
        self._connection.executemany("INSERT INTO docs VALUES (?, ?, ?, ?, ?, ?)", rows)
        spaced = [(id, space_ideographs(text)) for id, text in texts]
        self._connection.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", spaced)
        self._connection.executemany("INSERT INTO parts (rowid, text) VALUES (?, ?)", texts)

    def _remove(self, id: int) -> None:
        row = self._connection.execute("SELECT text FROM docs WHERE id = ?", (id,)).fetchone()
        if row is None:
            return
        delete = "INSERT INTO {0} ({0}, rowid, text) VALUES ('delete', ?, ?)"
        self._connection.execute(delete.format("words"), (id, space_ideographs(row[0])))
        self._connection.execute(delete.format("parts"), (id, row[0]))
        self._connection.execute("DELETE FROM docs WHERE id = ?", (id,))


def _open(path: Path) -> sqlite3.Connection:
    """Open the index; make it, also in place of one of another version."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    path.chmod(0o600)
    for pragma in PRAGMAS:
        connection.execute(pragma)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    elif version != VERSION:
        connection.close()
        raise sqlite3.DatabaseError("another version")
    connection.execute("SELECT count(*) FROM state").fetchone()
    return connection
