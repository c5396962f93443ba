"""Uploads that may go on after a break: begun, looked up and ended by their owner."""

from __future__ import annotations

from chatd.services.context import ServiceContext, missing
from chatd.services.files import check_upload
from chatd.store.queries import uploads
from protocol import commands as ask
from protocol.errors import QUOTA_EXCEEDED, Refusal
from protocol.model import Upload


def begin(context: ServiceContext, command: ask.BeginUpload) -> Upload:
    """Begin an upload. Those that are not complete count as if they were: they may be completed at any time."""
    waiting = uploads.waiting(context.tx, context.actor.id)
    limit = context.rules.max_uploads
    if waiting.uploads >= limit > 0:
        raise Refusal(QUOTA_EXCEEDED, f"You have {limit} uploads that are not complete; end some first")
    check_upload(context, ask.CheckUpload(size=waiting.size + command.size))
    expires = context.tx.now + context.rules.upload_milliseconds
    made = Upload(command.id, context.actor.id, command.name, command.size, expires)
    uploads.add(context.tx, made)
    return made


def get(context: ServiceContext, command: ask.GetUpload) -> Upload:
    found = uploads.get(context.tx, command.id)
    if found is None or found.owner != context.actor.id or found.expires < context.tx.now:
        raise missing("Upload")
    return found


def begin_checked_piece(context: ServiceContext, command: ask.BeginCheckedPiece) -> None:
    uploads.set_checked(context.tx, get(context, ask.GetUpload(id=command.id)).id, command.offset)


def end(context: ServiceContext, command: ask.EndUpload) -> None:
    uploads.delete(context.tx, get(context, ask.GetUpload(id=command.id)).id)
