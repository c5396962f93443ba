"""Sessions: connections that may resume, even after a crash of the server, with the rooms that they had joined."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, delete, exists, select, update

from chatd.store.dialect_functions import upsert
from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import members, session_rooms, sessions

_OPEN = Prepared(
    upsert(sessions)
    .values(name=bindparam("name"), user=bindparam("user"), at=bindparam("at"))
    .on_conflict_do_update(index_elements=["name"], set_={"at": bindparam("at")})
)
_TOUCH = Prepared(update(sessions).where(sessions.c.name == bindparam("session")).values(at=bindparam("at")))
_OWNER = Prepared(select(sessions.c.user).where(sessions.c.name == bindparam("name")))
_JOIN = Prepared(
    upsert(session_rooms)
    .values(session=bindparam("session"), conversation=bindparam("conversation"), removed=None)
    .on_conflict_do_update(index_elements=["session", "conversation"], set_={"removed": None})
)
_EVICT = Prepared(
    update(session_rooms)
    .where(
        session_rooms.c.conversation == bindparam("in_conversation"),
        session_rooms.c.session.in_(select(sessions.c.name).where(sessions.c.user == bindparam("of_user"))),
        session_rooms.c.removed.is_(None),
    )
    .values(removed=bindparam("position"))
)
_LEAVE = Prepared(
    delete(session_rooms).where(
        session_rooms.c.session == bindparam("session"), session_rooms.c.conversation == bindparam("conversation")
    )
)
_ROOMS = Prepared(
    select(
        session_rooms.c.conversation,
        exists().where(members.c.conversation == session_rooms.c.conversation, members.c.user == bindparam("user")),
        session_rooms.c.removed,
    ).where(session_rooms.c.session == bindparam("session"))
)
_DELETE = Prepared(delete(sessions).where(sessions.c.name == bindparam("name"), sessions.c.user == bindparam("user")))
_DELETE_UNUSED = Prepared(
    delete(sessions).where(
        sessions.c.name.in_(
            select(sessions.c.name)
            .where(sessions.c.at < bindparam("before"))
            .order_by(sessions.c.at)
            .limit(bindparam("limit"))
        )
    )
)


def open(tx: Transaction, name: str, user: int) -> None:
    """Add a session, or record that it is still in use."""
    tx.run(_OPEN, name=name, user=user, at=tx.now)


def touch(tx: Transaction, names: list[str]) -> None:
    """Record that sessions are still in use."""
    for name in names:
        tx.run(_TOUCH, session=name, at=tx.now)


def owner(tx: ReadTransaction, name: str) -> int | None:
    """The user of a session; None when the session is not known."""
    row = tx.one(_OWNER, name=name)
    return row[0] if row else None


def join(tx: Transaction, session: str, conversation: int) -> None:
    tx.run(_JOIN, session=session, conversation=conversation)


def leave(tx: Transaction, session: str, conversation: int) -> None:
    tx.run(_LEAVE, session=session, conversation=conversation)


class Room(NamedTuple):
    """A room that a session had joined: whether it is still joined, or the position at which it was removed."""

    joined: bool
    removed: int | None

    def was_joined_at(self, position: int | None) -> bool:
        """Whether the session was in the room at that position."""
        return self.removed is None or position is None or position <= self.removed


def rooms(tx: ReadTransaction, session: str, user: int) -> dict[int, Room]:
    """The rooms that a session had joined, by conversation."""
    rows = tx.all(_ROOMS, session=session, user=user)
    return {number: Room(bool(member) and removed is None, removed) for number, member, removed in rows}


def evict(tx: Transaction, conversation: int, user: int) -> None:
    """Remove a former member's sessions from the room. They stay removed when the user becomes a member again."""
    tx.run(_EVICT, in_conversation=conversation, of_user=user, position=tx.sequences["position"])


def close(tx: Transaction, name: str, user: int) -> None:
    """Delete a session and its rooms."""
    tx.run(_DELETE, name=name, user=user)


def delete_unused(tx: Transaction, before: int, limit: int) -> int:
    """Delete at most `limit` sessions that were last used before a time; return how many."""
    return tx.run(_DELETE_UNUSED, before=before, limit=limit).rowcount
