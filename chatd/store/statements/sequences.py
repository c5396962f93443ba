"""SQLite's own table of the highest numbers, in which a number is kept that no row has."""

from __future__ import annotations

from sqlalchemy import Integer, Text, bindparam, column, insert, table, update

SEQUENCES = table("sqlite_sequence", column("name", Text), column("seq", Integer))
UPDATE = update(SEQUENCES).where(SEQUENCES.c.name == bindparam("noun")).values(seq=bindparam("number"))
INSERT = insert(SEQUENCES).values(name=bindparam("noun"), seq=bindparam("number"))
