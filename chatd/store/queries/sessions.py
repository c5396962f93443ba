"""Sessions: connections that may come back, even after a crash, with the rooms that they had joined."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, delete, exists, select, update
from sqlalchemy.dialects.sqlite import insert

from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import members, session_rooms, sessions

_OPEN = Prepared(
    insert(sessions)
    .values(name=bindparam("name"), user=bindparam("user"), at=bindparam("at"))
    .on_conflict_do_update(index_elements=["name"], set_={"at": bindparam("at")})
)
_KEEP = Prepared(update(sessions).where(sessions.c.name == bindparam("session")).values(at=bindparam("at")))
_OWNER = Prepared(select(sessions.c.user).where(sessions.c.name == bindparam("name")))
_JOIN = Prepared(
    insert(session_rooms)
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
_CLOSE = Prepared(delete(sessions).where(sessions.c.name == bindparam("name"), sessions.c.user == bindparam("user")))
_FORGET = Prepared(
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
    """Remember a session, or that it is still in use."""
    tx.run(_OPEN, name=name, user=user, at=tx.now)


def keep(tx: Transaction, names: list[str]) -> None:
    """Say of sessions that they are still in use."""
    for name in names:
        tx.run(_KEEP, session=name, at=tx.now)


def owner(tx: ReadTransaction, name: str) -> int | None:
    """Whose session it is; None for one that nobody remembers."""
    row = tx.one(_OWNER, name=name)
    return row[0] if row else None


def join(tx: Transaction, session: str, conversation: int) -> None:
    tx.run(_JOIN, session=session, conversation=conversation)


def leave(tx: Transaction, session: str, conversation: int) -> None:
    tx.run(_LEAVE, session=session, conversation=conversation)


class Room(NamedTuple):
    """A room that a session had joined: whether it is in it, and else the position at which it was removed."""

    joined: bool
    removed: int | None

    def had(self, position: int | None) -> bool:
        """Whether the session was in the room at that position."""
        return self.removed is None or position is None or position <= self.removed


def rooms(tx: ReadTransaction, session: str, user: int) -> dict[int, Room]:
    """The rooms that a session had joined, by conversation."""
    rows = tx.all(_ROOMS, session=session, user=user)
    return {number: Room(bool(member) and removed is None, removed) for number, member, removed in rows}


def evict(tx: Transaction, conversation: int, user: int) -> None:
    """The user is not a member any more: its sessions are out of the room, also when the user is added again."""
    tx.run(_EVICT, in_conversation=conversation, of_user=user, position=tx.sequences["position"])


def close(tx: Transaction, name: str, user: int) -> None:
    """Forget a session and its rooms."""
    tx.run(_CLOSE, name=name, user=user)


def forget(tx: Transaction, before: int, limit: int) -> int:
    """Forget sessions that were last in use long ago; how many."""
    return tx.run(_FORGET, before=before, limit=limit).rowcount
