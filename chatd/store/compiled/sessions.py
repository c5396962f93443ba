"""Printed from chatd/store/statements/sessions.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

OPEN = Prepared("INSERT INTO sessions (name, user, at) VALUES (:name, :user, :at) ON CONFLICT (name) DO UPDATE SET at = :at", 'at at name user')
TOUCH = Prepared("UPDATE sessions SET at=:at WHERE sessions.name = :session", 'at session')
OWNER = Prepared("""SELECT sessions.user
FROM sessions
WHERE sessions.name = :name""", 'name')
JOIN = Prepared("INSERT INTO session_rooms (session, conversation, removed) VALUES (:session, :conversation, :removed) ON CONFLICT (session, conversation) DO UPDATE SET removed = :param_1", 'conversation session', {'removed': None, 'param_1': None})
EVICT = Prepared("""UPDATE session_rooms SET removed=:position WHERE session_rooms.conversation = :in_conversation AND session_rooms.session IN (SELECT sessions.name
FROM sessions
WHERE sessions.user = :of_user) AND session_rooms.removed IS NULL""", 'in_conversation of_user position')
LEAVE = Prepared("DELETE FROM session_rooms WHERE session_rooms.session = :session AND session_rooms.conversation = :conversation", 'conversation session')
ROOMS = Prepared("""SELECT session_rooms.conversation, EXISTS (SELECT *
FROM members
WHERE members.conversation = session_rooms.conversation AND members.user = :user) AS anon_1, session_rooms.removed
FROM session_rooms
WHERE session_rooms.session = :session""", 'session user')
DELETE = Prepared("DELETE FROM sessions WHERE sessions.name = :name AND sessions.user = :user", 'name user')
DELETE_UNUSED = Prepared("""DELETE FROM sessions WHERE sessions.name IN (SELECT sessions.name
FROM sessions
WHERE sessions.at < :before ORDER BY sessions.at
 LIMIT :limit OFFSET :param_1)""", 'before limit', {'param_1': 0})
