"""Printed from chatd/store/statements/broadcasts.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared

INSERT = Prepared("INSERT INTO broadcasts (id, type, title, content, related, created) VALUES (:id, :type, :title, :content, :related, :created)", 'content created id related title type')
BY_ID = Prepared("""SELECT broadcasts.id, broadcasts.created, broadcasts.type, broadcasts.title, broadcasts.content, broadcasts.related, broadcast_marks.broadcast
FROM broadcasts JOIN users ON users.id = :user LEFT OUTER JOIN broadcast_marks ON broadcast_marks.user = users.id AND broadcast_marks.broadcast = broadcasts.id
WHERE broadcasts.created >= users.created AND broadcast_marks.deleted IS NOT :deleted_1 AND broadcasts.id = :id""", 'id user', {'deleted_1': 1})
UNREAD = Prepared("""SELECT broadcasts.id, broadcasts.created, broadcasts.type, broadcasts.title, broadcasts.content, broadcasts.related, broadcast_marks.broadcast
FROM broadcasts JOIN users ON users.id = :user LEFT OUTER JOIN broadcast_marks ON broadcast_marks.user = users.id AND broadcast_marks.broadcast = broadcasts.id
WHERE broadcasts.created >= users.created AND broadcast_marks.deleted IS NOT :deleted_1 AND broadcast_marks.broadcast IS NULL ORDER BY broadcasts.id""", 'user', {'deleted_1': 1})
MARK = Prepared("INSERT INTO broadcast_marks (user, broadcast, deleted) VALUES (:user, :broadcast, :deleted) ON CONFLICT (user, broadcast) DO UPDATE SET deleted = excluded.deleted", 'broadcast deleted user')
PAGE_BEFORE = Prepared("""SELECT broadcasts.id, broadcasts.created, broadcasts.type, broadcasts.title, broadcasts.content, broadcasts.related, broadcast_marks.broadcast
FROM broadcasts JOIN users ON users.id = :user LEFT OUTER JOIN broadcast_marks ON broadcast_marks.user = users.id AND broadcast_marks.broadcast = broadcasts.id
WHERE broadcasts.created >= users.created AND broadcast_marks.deleted IS NOT :deleted_1 AND broadcasts.id < :number ORDER BY broadcasts.id DESC
 LIMIT :limit OFFSET :param_1""", 'limit number user', {'deleted_1': 1, 'param_1': 0})
PAGE_AFTER = Prepared("""SELECT broadcasts.id, broadcasts.created, broadcasts.type, broadcasts.title, broadcasts.content, broadcasts.related, broadcast_marks.broadcast
FROM broadcasts JOIN users ON users.id = :user LEFT OUTER JOIN broadcast_marks ON broadcast_marks.user = users.id AND broadcast_marks.broadcast = broadcasts.id
WHERE broadcasts.created >= users.created AND broadcast_marks.deleted IS NOT :deleted_1 AND broadcasts.id > :number ORDER BY broadcasts.id
 LIMIT :limit OFFSET :param_1""", 'limit number user', {'deleted_1': 1, 'param_1': 0})
UNREAD_PAGE_BEFORE = Prepared("""SELECT broadcasts.id, broadcasts.created, broadcasts.type, broadcasts.title, broadcasts.content, broadcasts.related, broadcast_marks.broadcast
FROM broadcasts JOIN users ON users.id = :user LEFT OUTER JOIN broadcast_marks ON broadcast_marks.user = users.id AND broadcast_marks.broadcast = broadcasts.id
WHERE broadcasts.created >= users.created AND broadcast_marks.deleted IS NOT :deleted_1 AND broadcast_marks.broadcast IS NULL AND broadcasts.id < :number ORDER BY broadcasts.id DESC
 LIMIT :limit OFFSET :param_1""", 'limit number user', {'deleted_1': 1, 'param_1': 0})
UNREAD_PAGE_AFTER = Prepared("""SELECT broadcasts.id, broadcasts.created, broadcasts.type, broadcasts.title, broadcasts.content, broadcasts.related, broadcast_marks.broadcast
FROM broadcasts JOIN users ON users.id = :user LEFT OUTER JOIN broadcast_marks ON broadcast_marks.user = users.id AND broadcast_marks.broadcast = broadcasts.id
WHERE broadcasts.created >= users.created AND broadcast_marks.deleted IS NOT :deleted_1 AND broadcast_marks.broadcast IS NULL AND broadcasts.id > :number ORDER BY broadcasts.id
 LIMIT :limit OFFSET :param_1""", 'limit number user', {'deleted_1': 1, 'param_1': 0})
