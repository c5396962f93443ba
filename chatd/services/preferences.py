"""Preferences: of which messages a member is notified, whether a conversation is archived, and the draft.

    level      no mute         until the end of a mute
    all        every message   none
    mentions   mentions        mentions
    none       none            none

Unread counts and mentions are counted in any case. A change of the level or of the mute dismisses the present
notification of the conversation: it applies to later messages.
"""

from __future__ import annotations

from msgspec import UnsetType

from chatd.services import notifications
from chatd.services.context import ServiceContext
from chatd.store.queries import preferences
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, Refusal
from protocol.events import PreferencesChanged
from protocol.model import Preferences


def change(context: ServiceContext, command: ask.SetPreferences) -> Preferences:
    """Change the fields that the command names. The same values publish nothing."""
    membership = context.membership(command, command.conversation)
    conversation, me = membership.conversation.number, context.actor.ref
    old = preferences.get(context.tx, me.number, conversation)
    new = Preferences(
        old.level if isinstance(command.level, UnsetType) else command.level,
        old.muted_until if isinstance(command.muted_until, UnsetType) else _check_mute(context, command.muted_until),
        old.archived if isinstance(command.archived, UnsetType) else command.archived,
        old.draft if isinstance(command.draft, UnsetType) else _check_draft(context, command.draft),
    )
    if new == old:
        return new
    if (new.level, new.muted_until) != (old.level, old.muted_until):
        notifications.dismiss(context, conversation)
    preferences.put(context.tx, me.number, conversation, new)
    context.publish(PreferencesChanged(membership.conversation, me, new))
    return new


def _check_mute(context: ServiceContext, until: int | None) -> int | None:
    if until is not None and until <= context.tx.now:
        raise Refusal(BAD_REQUEST, "mutedUntil must be a time in the future, or null", field="mutedUntil")
    return until


def _check_draft(context: ServiceContext, draft: str | None) -> str:
    max_chars = context.rules.max_text_chars
    if draft and max_chars and len(draft) > max_chars:
        raise Refusal(BAD_REQUEST, f"draft must have at most {max_chars} characters", field="draft")
    return draft or ""
