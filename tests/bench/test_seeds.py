"""A seeded history fits the current schema of chatd."""

import sqlite3
from pathlib import Path

from sqlalchemy import create_engine

from chatd.store.tables import metadata

from .seeds import UNREAD, Seed, fill, spell


def empty_store(folder: Path) -> Path:
    path = folder / "chatd.db"
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    link = sqlite3.connect(path)
    link.executemany(
        "INSERT INTO users (id, name, admin, disabled, valid_from, created, local) VALUES (?, ?, 0, 0, 0, 0, 1)",
        [(1, "one"), (2, "two")],
    )
    link.commit()
    link.close()
    return path


def test_every_row_is_there_and_the_last_fifty_of_a_conversation_are_unread(tmp_path: Path) -> None:
    path = empty_store(tmp_path)
    first = fill(path, Seed(messages=1000, conversations=4), 1, 2)
    link = sqlite3.connect(path)
    try:
        (created,) = link.execute("SELECT created FROM conversations WHERE id = 1").fetchone()
        counts = link.execute(
            "SELECT count(*), sum(m.id > p.cursor), sum(m.sender = 2) FROM messages m"
            " JOIN members p ON p.conversation = m.conversation GROUP BY m.conversation"
        ).fetchall()
        events = link.execute("SELECT count(DISTINCT position), count(DISTINCT about) FROM events").fetchone()
        broken = link.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        link.close()
    assert first == spell(1, created)
    assert counts == [(250, UNREAD, 125)] * 4
    assert events == (1000, 1000)
    assert broken == []
