"""Reports: messages that users show to the administrators.

A report keeps the content as it was: the sender may delete the message. A second report of the same user about the
same message is the first one.
"""

from __future__ import annotations

from chatd.services import audit
from chatd.services.context import ServiceContext, missing
from chatd.services.pages import make_page, page_size
from chatd.store.queries import moderation
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, Refusal
from protocol.model import Page, Report

MAX_REASON_CHARS = 1000


def report(context: ServiceContext, command: ask.ReportMessage) -> Report:
    message, _ = context.message(command, command.message)
    if not 0 < len(command.reason.strip()) <= MAX_REASON_CHARS:
        raise Refusal(BAD_REQUEST, f"reason must have 1 to {MAX_REASON_CHARS} characters", field="reason")
    number, me = message.ref.number, context.actor.id
    id = moderation.find_report(context.tx, number, me) or moderation.add_report(
        context.tx, number, message.conversation.number, me, message.sender.ref.number, message.content, command.reason
    )
    return _load(context, id)


def listing(context: ServiceContext, command: ask.ListReports) -> Page:
    """List reports, the newest first."""
    limit = page_size(context, command)
    before = command.before.number if command.before else audit.NO_ROW_YET
    after = command.after.number if command.after else None
    rows = moderation.reports(context.tx, limit + 1, before=before, after=after, only_open=command.open_only)
    return make_page(context, command, limit, rows, ascending=False)


def close(context: ServiceContext, command: ask.CloseReport) -> Report:
    """Close a report. A second time changes nothing."""
    found = _load(context, command.report.number)
    if found.closed is not None:
        return found
    moderation.close_report(context.tx, found.ref.number)
    audit.note(
        context,
        "report.close",
        conversation=found.conversation.number,
        user=found.sender.ref.number,
        detail=str(found.ref.number),
    )
    return _load(context, found.ref.number)


def _load(context: ServiceContext, id: int) -> Report:
    found = moderation.report(context.tx, id) if id else None
    if found is None:
        raise missing("Report")
    return found
