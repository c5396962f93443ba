"""Printed from chatd/store/statements/event_log.py by `make sql`. Do not edit."""

from __future__ import annotations

from chatd.store.prepared import Prepared, RowInsert

ROW = RowInsert("INSERT INTO events (position, at, kind, conversation, user, about, detail) VALUES (?, ?, ?, ?, ?, ?, ?)", 'position at kind conversation user about detail')
SINCE = Prepared("""SELECT events.position, events.at, events.kind, events.conversation, events.user, events.about, events.detail
FROM events
WHERE events.position > :position AND events.position <= :end ORDER BY events.position
 LIMIT :limit OFFSET :param_1""", 'end limit position', {'param_1': 0})
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
