"""Sync: what a client needs to draw itself, read in one transaction; or what has changed since a position.

The answer names its position. A client applies the events after it, and ignores events up to it. A page of the answer
has a position of its own: the client applies events from the first page's position on, because each event has the whole
new state of what it is about.

Changes are found in the event log. If the log no longer has them, or if they are too many for one page, the answer is
complete: it begins the whole state, in pages. chatd/core/memory_services.py adds who is online.
"""

from __future__ import annotations

from chatd.services.context import ServiceContext
from chatd.services.conversations import listing, load_details
from chatd.services.pages import page_size
from chatd.services.replay import find_gap
from chatd.store.queries import attention, conversations, event_log, notifications
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, Refusal
from protocol.model import Conversation, MemberList, Page, SyncState

MAX_EVENTS = 10_000  # that are looked through for changes
MAX_MEMBER_LISTS = 20


def sync(context: ServiceContext, command: ask.Sync) -> SyncState:
    if len(command.members_of) > MAX_MEMBER_LISTS:
        raise Refusal(BAD_REQUEST, f"membersOf has at most {MAX_MEMBER_LISTS} ids", field="membersOf")
    me, position = context.me(), event_log.last(context.tx)
    epoch = event_log.epoch(context.tx)
    changed = _read_changed(context, command, epoch, position)
    removed: list[int] = []
    if changed is None:
        page = listing(context, ask.ListConversations(limit=command.limit, before=command.before, after=command.after))
    else:
        page = Page(tuple(changed), page_size(context, command))
        removed = _read_removed(context, command, position)
    return SyncState(
        epoch,
        position,
        changed is None,
        me,
        page,
        tuple(removed),
        tuple(_read_members(context, command)),
        notifications.count(context.tx, me.ref.number),
        attention.get(context.tx, me.ref.number),
    )


def _read_changed(context: ServiceContext, command: ask.Sync, epoch: str, position: int) -> list[Conversation] | None:
    """Return the conversations that have changed since the client's position; None if all must be sent."""
    if command.since is None:
        return None
    gap = find_gap(context.tx, command.epoch or epoch, command.since, current_epoch=epoch, newest=position)
    if gap is not None or position - command.since > MAX_EVENTS:
        return None
    ids = event_log.changed_conversations(context.tx, command.since, position)
    memberships = conversations.memberships(context.tx, context.actor.id, ids)
    if len(memberships) > (context.rules.max_page_rows or len(memberships)):
        return None
    return load_details(context, memberships)


def _read_removed(context: ServiceContext, command: ask.Sync, position: int) -> list[int]:
    """Return the conversations that the client may know, and that the user is no longer a member of."""
    assert command.since is not None
    ended = event_log.ended_conversations(context.tx, context.actor.id, command.since, position)
    return [id for id in ended if not conversations.is_member(context.tx, id, context.actor.id)]


def _read_members(context: ServiceContext, command: ask.Sync) -> list[MemberList]:
    """Return the members of the conversations that the client has open, without those of which it is no member."""
    found = []
    for key in command.members_of:
        membership = conversations.membership(context.tx, key.number, context.actor.id)
        if membership is not None:
            members = conversations.members_of(context.tx, key.number)
            found.append(MemberList(membership.conversation, tuple(members)))
    return found
