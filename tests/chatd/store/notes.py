"""A small schema, to test the engine without chatd's tables."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text, bindparam, func, insert, select

from chatd.store.compiler import create_statements, prepare
from chatd.store.schema import Schema
from chatd.store.sqlite.transaction import Transaction

metadata = MetaData()
meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
notes = Table(
    "notes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("position", Integer, nullable=False, unique=True),
    Column("text", Text, nullable=False),
    Column("parent", ForeignKey("notes.id", deferrable=True, initially="DEFERRED")),
)

ADD = prepare(insert(notes))
LIST = prepare(select(notes.c.id, notes.c.position, notes.c.text).order_by(notes.c.id))
COUNT = prepare(select(func.count()).select_from(notes))
BY_TEXT = prepare(select(notes.c.id).where(notes.c.text == bindparam("text")))
SCHEMA = Schema(
    create_statements(metadata),
    {
        "note": prepare(select(func.max(notes.c.id))),
        "position": prepare(select(func.max(notes.c.position))),
    },
)


def add(text: str, parent: int | None = None, fail: BaseException | None = None) -> Callable[[Transaction], int]:
    """A unit that writes a note; with `fail`, it raises the error after the write."""

    def unit(tx: Transaction) -> int:
        key = tx.next_id("note")
        tx.run(ADD, id=key, position=tx.next_position(), text=text, parent=parent)
        if fail is not None:
            raise fail
        return key

    return unit


def refuse(error: BaseException) -> Callable[[Transaction], int]:
    """A unit that takes numbers and raises before it writes."""

    def unit(tx: Transaction) -> int:
        tx.next_id("note")
        tx.next_position()
        raise error

    return unit
