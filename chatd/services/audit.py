"""The audit log: what administrators, owners and admins of groups did, to whom and when.

chatd/services/table.py says which commands are recorded. Commands that everybody may send on what is their own are
not. Administrators read the log; entries are never changed.
"""

from __future__ import annotations

from chatd.services.context import ServiceContext
from chatd.services.pages import make_page, page_size
from chatd.store.queries import moderation
from protocol import commands as ask
from protocol.commands import Command
from protocol.model import Page

NO_ROW_YET = 2**62


def note(
    context: ServiceContext,
    action: str,
    *,
    conversation: int | None = None,
    user: int | None = None,
    detail: str | None = None,
) -> None:
    """Add an entry about something that the caller did."""
    moderation.add_audit(context.tx, context.actor.id, action, conversation, user, detail)


def note_command(context: ServiceContext, action: str, command: Command) -> None:
    """Add an entry about a command, with the conversation and the user that it names.

    The detail is the role that the command gives, or the name of the service that sent it.
    """
    conversation, user = getattr(command, "conversation", None), getattr(command, "user", None)
    if user is not None and user.number == context.actor.id:
        return  # a member who leaves
    note(
        context,
        action,
        conversation=None if conversation is None else conversation.number,
        user=None if user is None else user.number,
        detail=getattr(command, "role", None) or (None if context.actor.scopes is None else context.actor.name),
    )


def listing(context: ServiceContext, command: ask.ListAudit) -> Page:
    """List the entries, the newest first."""
    limit = page_size(context, command)
    before = command.before.number if command.before else NO_ROW_YET
    after = command.after.number if command.after else None
    rows = moderation.audit(context.tx, limit + 1, before=before, after=after)
    return make_page(context, command, limit, rows, ascending=False)
