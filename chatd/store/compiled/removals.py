"""Printed from chatd/store/statements/removals.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

ADD = Prepared("INSERT INTO removals (conversation, at) VALUES (:conversation, :at)", 'at conversation')
DELETE_MEMBERS = Prepared("DELETE FROM members WHERE members.conversation = :of", 'of')
DELETE_NOTIFICATIONS = Prepared("DELETE FROM notifications WHERE notifications.conversation = :of AND notifications.read IS NULL", 'of')
FORGET_PAIR = Prepared("UPDATE conversations SET kind=:kind, title=NULL, peer=NULL WHERE conversations.id = :of", 'of', {'kind': 'group'})
OLDEST = Prepared("""SELECT removals.conversation
FROM removals ORDER BY removals.conversation
 LIMIT :param_1 OFFSET :param_2""", '', {'param_1': 1, 'param_2': 0})
DELETE_CONVERSATION = Prepared("DELETE FROM conversations WHERE conversations.id = :of", 'of')
DELETE_SOME_MESSAGES = Prepared("""DELETE FROM messages WHERE messages.id IN (SELECT messages.id
FROM messages
WHERE messages.conversation = :of ORDER BY messages.id
 LIMIT :limit OFFSET :param_1)""", 'limit of', {'param_1': 0})
DELETE_SOME_READ_MARKS = Prepared("""DELETE FROM read_marks WHERE (read_marks.conversation, read_marks.user, read_marks.message) IN (SELECT read_marks.conversation, read_marks.user, read_marks.message
FROM read_marks
WHERE read_marks.conversation = :of ORDER BY read_marks.conversation, read_marks.user, read_marks.message
 LIMIT :limit OFFSET :param_1)""", 'limit of', {'param_1': 0})
DELETE_SOME_NOTIFICATIONS = Prepared("""DELETE FROM notifications WHERE notifications.id IN (SELECT notifications.id
FROM notifications
WHERE notifications.conversation = :of ORDER BY notifications.id
 LIMIT :limit OFFSET :param_1)""", 'limit of', {'param_1': 0})
DELETE_SOME_WATCHES = Prepared("""DELETE FROM watches WHERE (watches.conversation, watches.user) IN (SELECT watches.conversation, watches.user
FROM watches
WHERE watches.conversation = :of ORDER BY watches.conversation, watches.user
 LIMIT :limit OFFSET :param_1)""", 'limit of', {'param_1': 0})
DELETE_SOME_SESSION_ROOMS = Prepared("""DELETE FROM session_rooms WHERE (session_rooms.session, session_rooms.conversation) IN (SELECT session_rooms.session, session_rooms.conversation
FROM session_rooms
WHERE session_rooms.conversation = :of ORDER BY session_rooms.session, session_rooms.conversation
 LIMIT :limit OFFSET :param_1)""", 'limit of', {'param_1': 0})
