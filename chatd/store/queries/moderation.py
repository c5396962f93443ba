"""Blocked users, reported messages, and the log of what administrators and owners did."""

from __future__ import annotations

from typing import Any

from chatd.store.compiled import moderation as sql
from chatd.store.compiled.users import USER_WIDTH
from chatd.store.queries.pages import NumberedPages
from chatd.store.queries.users import build_user
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.ids import Ref
from protocol.model import AuditEntry, Block, Report

_REPORTS = {
    False: NumberedPages(sql.REPORTS_BEFORE, sql.REPORTS_AFTER),
    True: NumberedPages(sql.OPEN_BEFORE, sql.OPEN_AFTER),
}
_AUDIT = NumberedPages(sql.AUDIT_BEFORE, sql.AUDIT_AFTER)
_REPORT_WIDTH = 7


def block(tx: Transaction, user: int, blocked: int) -> None:
    tx.run(sql.BLOCK, user=user, blocked=blocked, at=tx.now)


def unblock(tx: Transaction, user: int, blocked: int) -> None:
    tx.run(sql.UNBLOCK, by_user=user, of_user=blocked)


def is_blocked(tx: ReadTransaction, by: int, user: int) -> bool:
    """Whether a user has blocked another."""
    return tx.one(sql.IS_BLOCKED, by_user=by, of_user=user) is not None


def blocked(tx: ReadTransaction, user: int) -> list[Block]:
    """The users whom a user has blocked, in the order of the blocks."""
    return [Block(build_user(row[:USER_WIDTH]), row[USER_WIDTH]) for row in tx.all(sql.BLOCKED, user=user)]


def set_conversation_blocked(tx: Transaction, conversation: int, *, on: bool) -> None:
    tx.run(sql.SET_BLOCKED, conversation=conversation, set_blocked=int(on))


def find_report(tx: ReadTransaction, message: int, reporter: int) -> int | None:
    row = tx.one(sql.FIND_REPORT, message=message, reporter=reporter)
    return row[0] if row else None


def add_report(
    tx: Transaction, message: int, conversation: int, reporter: int, sender: int, content: str, reason: str
) -> int:
    id = tx.next_id("reports")
    tx.run(
        sql.ADD_REPORT,
        id=id,
        message=message,
        conversation=conversation,
        reporter=reporter,
        sender=sender,
        content=content,
        reason=reason,
        created=tx.now,
        closed=None,
    )
    return id


def report(tx: ReadTransaction, id: int) -> Report | None:
    row = tx.one(sql.REPORT, id=id)
    return _report(row) if row else None


def close_report(tx: Transaction, id: int) -> None:
    tx.run(sql.CLOSE_REPORT, report=id, closed=tx.now)


def reports(tx: ReadTransaction, limit: int, *, before: int, after: int | None, only_open: bool) -> list[Report]:
    """Reports, the newest first."""
    return [_report(row) for row in _REPORTS[only_open].read(tx, limit, before=before, after=after)]


def _report(row: tuple[Any, ...]) -> Report:
    id, message, conversation, content, reason, created, closed = row[:_REPORT_WIDTH]
    reporter = build_user(row[_REPORT_WIDTH : _REPORT_WIDTH + USER_WIDTH])
    sender = build_user(row[_REPORT_WIDTH + USER_WIDTH :])
    ref = Ref(id, created // 1000)
    return Report(ref, Ref(message, 0), Ref(conversation, 0), reporter, sender, content, reason, created, closed)


def add_audit(
    tx: Transaction, actor: int, action: str, conversation: int | None, user: int | None, detail: str | None
) -> None:
    tx.run(
        sql.ADD_AUDIT,
        id=tx.next_id("audit"),
        at=tx.now,
        actor=actor,
        action=action,
        conversation=conversation,
        user=user,
        detail=detail,
    )


def audit(tx: ReadTransaction, limit: int, *, before: int, after: int | None) -> list[AuditEntry]:
    """The entries of the audit log, the newest first."""
    rows = _AUDIT.read(tx, limit, before=before, after=after)
    return [
        AuditEntry(Ref(id, at // 1000), at, actor, name, action, conversation, user, detail)
        for id, at, actor, name, action, conversation, user, detail in rows
    ]
