"""Notifications of all users (chatd/store/queries/broadcasts.py)."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select

from chatd.store.dialect_functions import upsert
from chatd.store.statements.pages import numbered_pages
from chatd.store.tables import broadcast_marks, broadcasts, users

_B, _M = broadcasts.c, broadcast_marks.c
INSERT = insert(broadcasts)
_FOR_USER = (
    select(_B.id, _B.created, _B.type, _B.title, _B.content, _B.related, _M.broadcast)
    .select_from(
        broadcasts.join(users, users.c.id == bindparam("user")).outerjoin(
            broadcast_marks, (_M.user == users.c.id) & (_M.broadcast == _B.id)
        )
    )
    .where(_B.created >= users.c.created, _M.deleted.is_distinct_from(1))
)
BY_ID = _FOR_USER.where(_B.id == bindparam("id"))
UNREAD = _FOR_USER.where(_M.broadcast.is_(None)).order_by(_B.id)
_put = upsert(broadcast_marks)
MARK = _put.on_conflict_do_update(index_elements=[_M.user, _M.broadcast], set_={"deleted": _put.excluded.deleted})
PAGE_BEFORE, PAGE_AFTER = numbered_pages(_FOR_USER, _B.id)
UNREAD_PAGE_BEFORE, UNREAD_PAGE_AFTER = numbered_pages(_FOR_USER.where(_M.broadcast.is_(None)), _B.id)
