"""Commands against abuse: blocks, reports, the audit log."""

from __future__ import annotations

from protocol.commands.base import Command, Window
from protocol.ids import Key


class BlockUser(Command, frozen=True, kw_only=True):
    """Receive no private messages from a user any more."""

    user: Key


class UnblockUser(Command, frozen=True, kw_only=True):
    user: Key


class ListBlocks(Command, frozen=True, kw_only=True):
    pass


class ReportMessage(Command, frozen=True, kw_only=True):
    """Report a message to the administrators."""

    message: Key
    reason: str


class ListReports(Window, frozen=True, kw_only=True):
    open_only: bool = False


class CloseReport(Command, frozen=True, kw_only=True):
    report: Key


class ListAudit(Window, frozen=True, kw_only=True):
    pass
