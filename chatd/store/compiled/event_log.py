"""Printed from chatd/store/statements/event_log.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared, RowInsert

ROW = RowInsert("INSERT INTO events (position, at, kind, conversation, user, about, detail) VALUES (?, ?, ?, ?, ?, ?, ?)", 'position at kind conversation user about detail')
SINCE = Prepared("""SELECT events.position, events.at, events.kind, events.conversation, events.user, events.about, events.detail
FROM events
WHERE events.position > :position AND events.position <= :end ORDER BY events.position
 LIMIT :limit OFFSET :param_1""", 'end limit position', {'param_1': 0})
LAST = Prepared("""SELECT max(events.position) AS max_1
FROM events""")
EPOCH = Prepared("""SELECT meta.value
FROM meta
WHERE meta."key" = :key_1""", '', {'key_1': 'epoch'})
CHANGED = Prepared("""SELECT DISTINCT events.conversation
FROM events
WHERE events.position > :position AND events.position <= :end AND events.conversation IS NOT NULL""", 'end position')
ENDED = Prepared("""SELECT events.conversation, events.kind, events.detail
FROM events
WHERE events.position > :position AND events.position <= :end AND (events.kind = :kind_1 OR events.kind = :kind_2 AND events.user = :user) ORDER BY events.position""", 'end position user', {'kind_1': 'close', 'kind_2': 'remove'})
AT = Prepared("""SELECT events.at
FROM events
WHERE events.position = :position""", 'position')
FIRST = Prepared("""SELECT min(events.position) AS min_1
FROM events""")
OLD = Prepared("""SELECT max(events.position) AS max_1
FROM events
WHERE events.position IN (SELECT events.position
FROM events ORDER BY events.position
 LIMIT :limit OFFSET :param_1) AND (events.at < :before OR events.position <= :position) AND events.position < (SELECT max(events.position) AS max_2
FROM events)""", 'before limit position', {'param_1': 0})
TRIM = Prepared("DELETE FROM events WHERE events.position <= :position", 'position')
