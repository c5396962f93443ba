"""Numbers of nouns that SQLite itself keeps."""

from __future__ import annotations

from chatd.store.compiled import sequences as sql
from chatd.store.sqlite.transaction import Transaction


def keep_number(tx: Transaction, noun: str, number: int) -> None:
    """Record that a number of an AUTOINCREMENT table was given out, though no row of the table has it."""
    if not tx.run(sql.UPDATE, noun=noun, number=number).rowcount:
        tx.run(sql.INSERT, noun=noun, number=number)
