"""Blocks, reports and the audit log (chatd/store/queries/moderation.py)."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select, update

from chatd.store.statements.pages import numbered_pages
from chatd.store.statements.users import user_columns
from chatd.store.tables import audit, blocks, conversations, reports, users

_B, _R, _A = blocks.c, reports.c, audit.c
BLOCK = insert(blocks)
UNBLOCK = delete(blocks).where(_B.user == bindparam("by_user"), _B.blocked == bindparam("of_user"))
IS_BLOCKED = select(_B.at).where(_B.user == bindparam("by_user"), _B.blocked == bindparam("of_user"))
BLOCKED = (
    select(*user_columns(users), _B.at)
    .select_from(blocks.join(users, users.c.id == _B.blocked))
    .where(_B.user == bindparam("user"))
    .order_by(_B.at, _B.blocked)
)
SET_BLOCKED = (
    update(conversations)
    .where(conversations.c.id == bindparam("conversation"))
    .values(blocked=bindparam("set_blocked"))
)
_reporter = users.alias("reporter")
_sender = users.alias("sender")
ADD_REPORT = insert(reports)
FIND_REPORT = select(_R.id).where(_R.message == bindparam("message"), _R.reporter == bindparam("reporter"))
_REPORT = select(
    _R.id,
    _R.message,
    _R.conversation,
    _R.content,
    _R.reason,
    _R.created,
    _R.closed,
    *user_columns(_reporter),
    *user_columns(_sender),
).select_from(reports.join(_reporter, _reporter.c.id == _R.reporter).join(_sender, _sender.c.id == _R.sender))
REPORT = _REPORT.where(_R.id == bindparam("id"))
CLOSE_REPORT = update(reports).where(_R.id == bindparam("report")).values(closed=bindparam("closed"))
REPORTS_BEFORE, REPORTS_AFTER = numbered_pages(_REPORT, _R.id)
OPEN_BEFORE, OPEN_AFTER = numbered_pages(_REPORT.where(_R.closed.is_(None)), _R.id)
ADD_AUDIT = insert(audit)
_ENTRY = select(_A.id, _A.at, _A.actor, users.c.name, _A.action, _A.conversation, _A.user, _A.detail).select_from(
    audit.outerjoin(users, users.c.id == _A.actor)
)
AUDIT_BEFORE, AUDIT_AFTER = numbered_pages(_ENTRY, _A.id)
