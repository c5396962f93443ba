"""The event log: the events in commit order. A durable event's row is added in the transaction of its change."""

from __future__ import annotations

import json
from typing import NamedTuple

from chatd.store.compiled import event_log as sql
from chatd.store.sqlite.transaction import ReadTransaction, Transaction


class Entry(NamedTuple):
    """One row; `about` is the number of the message or notification that the event is about."""

    position: int
    at: int
    kind: str
    conversation: int | None
    user: int | None
    about: int | None
    detail: str | None


def append(
    tx: Transaction,
    kind: str,
    conversation: int | None = None,
    user: int | None = None,
    about: int | None = None,
    detail: str | None = None,
) -> int:
    """Add an event; return its position."""
    position = tx.next_position()
    tx.insert_later(sql.ROW, (position, tx.now, kind, conversation, user, about, detail))
    return position


def since(tx: ReadTransaction, position: int, end: int, limit: int) -> list[Entry]:
    """The events after a position and up to `end`, in order."""
    return [Entry(*row) for row in tx.all(sql.SINCE, position=position, end=end, limit=limit)]


def first(tx: ReadTransaction) -> int | None:
    """The oldest position in the log."""
    row = tx.one(sql.FIRST)
    return row[0] if row else None


def last(tx: ReadTransaction) -> int:
    """The position of the last event; 0 when there was none."""
    row = tx.one(sql.LAST)
    return int(row[0]) if row and row[0] is not None else 0


def epoch(tx: ReadTransaction) -> str:
    """The name of this database: a position belongs to it."""
    row = tx.one(sql.EPOCH)
    assert row is not None  # it is written before the database is served
    return str(row[0])


def changed_conversations(tx: ReadTransaction, position: int, end: int) -> list[int]:
    """The conversations with events after a position and up to `end`."""
    return [row[0] for row in tx.all(sql.CHANGED, position=position, end=end)]


def ended_conversations(tx: ReadTransaction, user: int, position: int, end: int) -> list[int]:
    """The conversations of which a user was removed, or which were deleted, after a position and up to `end`."""
    found: dict[int, None] = {}
    for conversation, kind, detail in tx.all(sql.ENDED, user=user, position=position, end=end):
        if kind == "remove" or user in json.loads(detail)["members"]:
            found[conversation] = None
    return list(found)


def at(tx: ReadTransaction, position: int) -> int | None:
    """The time of an event; None when the log no longer has it."""
    row = tx.one(sql.AT, position=position)
    return row[0] if row else None


def trim(tx: Transaction, *, before: int, position: int, limit: int) -> int:
    """Delete events that are older than a time or not after a position, at most `limit`; return how many.

    The last event always stays.
    """
    row = tx.one(sql.OLD, before=before, position=position, limit=limit)
    if not row or row[0] is None:
        return 0
    return tx.run(sql.TRIM, position=row[0]).rowcount
