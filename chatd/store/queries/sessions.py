"""Sessions: connections that may resume, even after a crash of the server, with the rooms that they had joined."""

from __future__ import annotations

from typing import NamedTuple

from chatd.store.compiled import sessions as sql
from chatd.store.sqlite.transaction import ReadTransaction, Transaction


def open(tx: Transaction, name: str, user: int) -> None:
    """Add a session, or record that it is still in use."""
    tx.run(sql.OPEN, name=name, user=user, at=tx.now)


def touch(tx: Transaction, names: list[str]) -> None:
    """Record that sessions are still in use."""
    for name in names:
        tx.run(sql.TOUCH, session=name, at=tx.now)


def owner(tx: ReadTransaction, name: str) -> int | None:
    """The user of a session; None when the session is not known."""
    row = tx.one(sql.OWNER, name=name)
    return row[0] if row else None


def join(tx: Transaction, session: str, conversation: int) -> None:
    tx.run(sql.JOIN, session=session, conversation=conversation)


def leave(tx: Transaction, session: str, conversation: int) -> None:
    tx.run(sql.LEAVE, session=session, conversation=conversation)


class Room(NamedTuple):
    """A room that a session had joined: whether it is still joined, or the position at which it was removed."""

    joined: bool
    removed: int | None

    def was_joined_at(self, position: int | None) -> bool:
        """Whether the session was in the room at that position."""
        return self.removed is None or position is None or position <= self.removed


def rooms(tx: ReadTransaction, session: str, user: int) -> dict[int, Room]:
    """The rooms that a session had joined, by conversation."""
    rows = tx.all(sql.ROOMS, session=session, user=user)
    return {number: Room(bool(member) and removed is None, removed) for number, member, removed in rows}


def evict(tx: Transaction, conversation: int, user: int) -> None:
    """Remove a former member's sessions from the room. They stay removed when the user becomes a member again."""
    tx.run(sql.EVICT, in_conversation=conversation, of_user=user, position=tx.sequences["position"])


def close(tx: Transaction, name: str, user: int) -> None:
    """Delete a session and its rooms."""
    tx.run(sql.DELETE, name=name, user=user)


def delete_unused(tx: Transaction, before: int, limit: int) -> int:
    """Delete at most `limit` sessions that were last used before a time; return how many."""
    return tx.run(sql.DELETE_UNUSED, before=before, limit=limit).rowcount
