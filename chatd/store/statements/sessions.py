"""Sessions of connections, and the rooms that they joined (chatd/store/queries/sessions.py)."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, exists, select, update

from chatd.store.dialect_functions import upsert
from chatd.store.tables import members, session_rooms, sessions

OPEN = (
    upsert(sessions)
    .values(name=bindparam("name"), user=bindparam("user"), at=bindparam("at"))
    .on_conflict_do_update(index_elements=["name"], set_={"at": bindparam("at")})
)
TOUCH = update(sessions).where(sessions.c.name == bindparam("session")).values(at=bindparam("at"))
OWNER = select(sessions.c.user).where(sessions.c.name == bindparam("name"))
JOIN = (
    upsert(session_rooms)
    .values(session=bindparam("session"), conversation=bindparam("conversation"), removed=None)
    .on_conflict_do_update(index_elements=["session", "conversation"], set_={"removed": None})
)
EVICT = (
    update(session_rooms)
    .where(
        session_rooms.c.conversation == bindparam("in_conversation"),
        session_rooms.c.session.in_(select(sessions.c.name).where(sessions.c.user == bindparam("of_user"))),
        session_rooms.c.removed.is_(None),
    )
    .values(removed=bindparam("position"))
)
LEAVE = delete(session_rooms).where(
    session_rooms.c.session == bindparam("session"), session_rooms.c.conversation == bindparam("conversation")
)
ROOMS = select(
    session_rooms.c.conversation,
    exists().where(members.c.conversation == session_rooms.c.conversation, members.c.user == bindparam("user")),
    session_rooms.c.removed,
).where(session_rooms.c.session == bindparam("session"))
DELETE = delete(sessions).where(sessions.c.name == bindparam("name"), sessions.c.user == bindparam("user"))
DELETE_UNUSED = delete(sessions).where(
    sessions.c.name.in_(
        select(sessions.c.name)
        .where(sessions.c.at < bindparam("before"))
        .order_by(sessions.c.at)
        .limit(bindparam("limit"))
    )
)
