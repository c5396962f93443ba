"""The last number that each noun has given out, as the file knows it after a restart.

Most nouns take the highest number of their rows. Where the newest rows can be deleted (AUTOINCREMENT), SQLite keeps
the highest number that a table ever had. It is in SQLite's own table `sqlite_sequence`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Integer, Text, bindparam, column, func, insert, select, table, update

from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import Transaction

_SEQUENCES = table("sqlite_sequence", column("name", Text), column("seq", Integer))
_UPDATE = Prepared(update(_SEQUENCES).where(_SEQUENCES.c.name == bindparam("noun")).values(seq=bindparam("number")))
_INSERT = Prepared(insert(_SEQUENCES).values(name=bindparam("noun"), seq=bindparam("number")))


def last_number(key: Column[Any]) -> Prepared:
    """The query for the last number of a table's key."""
    if key.table.dialect_options["sqlite"]["autoincrement"]:
        return Prepared(select(_SEQUENCES.c.seq).where(_SEQUENCES.c.name == key.table.name))
    return Prepared(select(func.max(key)))


def keep_number(tx: Transaction, noun: str, number: int) -> None:
    """Record that a number of an AUTOINCREMENT table was given out, though no row of the table has it."""
    if not tx.run(_UPDATE, noun=noun, number=number).rowcount:
        tx.run(_INSERT, noun=noun, number=number)
