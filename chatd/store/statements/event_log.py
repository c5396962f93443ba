"""The events in commit order (chatd/store/queries/event_log.py)."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, or_, select

from chatd.store.statements.rows import Rows
from chatd.store.tables import events, meta

ROW = Rows(events, "position at kind conversation user about detail")
SINCE = (
    select(*events.c)
    .where(events.c.position > bindparam("position"), events.c.position <= bindparam("end"))
    .order_by(events.c.position)
    .limit(bindparam("limit"))
)
LAST = select(func.max(events.c.position))
EPOCH = select(meta.c.value).where(meta.c.key == "epoch")
_BETWEEN = (events.c.position > bindparam("position"), events.c.position <= bindparam("end"))
CHANGED = select(events.c.conversation).where(*_BETWEEN, events.c.conversation.is_not(None)).distinct()
ENDED = (
    select(events.c.conversation, events.c.kind, events.c.detail)
    .where(*_BETWEEN, or_(events.c.kind == "close", (events.c.kind == "remove") & (events.c.user == bindparam("user"))))
    .order_by(events.c.position)
)
AT = select(events.c.at).where(events.c.position == bindparam("position"))
FIRST = select(func.min(events.c.position))
OLD = select(func.max(events.c.position)).where(
    events.c.position.in_(select(events.c.position).order_by(events.c.position).limit(bindparam("limit"))),
    or_(events.c.at < bindparam("before"), events.c.position <= bindparam("position")),
    events.c.position < select(func.max(events.c.position)).scalar_subquery(),
)
TRIM = delete(events).where(events.c.position <= bindparam("position"))
