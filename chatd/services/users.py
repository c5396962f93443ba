"""Users: list and get them, and change the own profile."""

from __future__ import annotations

from msgspec import UnsetType
from msgspec.structs import replace

from chatd.services.accounts import MAX_DISPLAY_CHARS, check_line
from chatd.services.context import ServiceContext
from chatd.services.pages import make_page, page_size
from chatd.store.queries import read_states, users
from protocol import commands as ask
from protocol.events import Unread, UnreadChanged
from protocol.ids import Key
from protocol.model import Page, User

MAX_PROFILE_CHARS = {"display": MAX_DISPLAY_CHARS, "avatar": 2048, "status": 200}


def listing(context: ServiceContext, command: ask.ListUsers) -> Page:
    """List the users whose name matches the query, in the order of their ids."""
    limit = page_size(context, command)
    found = users.page(
        context.tx,
        command.query or "",
        limit + 1,
        after=command.after.number if command.after else 0,
        before=command.before.number if command.before else None,
    )
    forward = replace(command, after=command.after or Key(0)) if command.before is None else command
    return make_page(context, forward, limit, found, ascending=True)


def get(context: ServiceContext, command: ask.GetUser) -> User:
    return context.user(command.user)


def get_me(context: ServiceContext, command: ask.GetMe) -> User:
    return context.me()


def update_me(context: ServiceContext, command: ask.UpdateMe) -> User:
    me = context.me()

    def changed(field: str, old: str | None) -> str | None:
        new: str | UnsetType | None = getattr(command, field)
        if isinstance(new, UnsetType):
            return old
        return None if new is None else check_line(new, field, MAX_PROFILE_CHARS[field])

    display, avatar, status = (changed(f, getattr(me, f)) for f in MAX_PROFILE_CHARS)
    users.set_profile(context.tx, me.ref.number, display, avatar, status)
    return context.me()


def unread(context: ServiceContext, command: ask.GetUnread) -> UnreadChanged:
    """Count the caller's unread messages, in total and for each conversation."""
    mentions = read_states.unread_mentions(context.tx, context.actor.id)
    counts = tuple(
        Unread(ref, count, len(mentions.get(ref.number, ())))
        for ref, count in read_states.unread_counts(context.tx, context.actor.id)
    )
    return UnreadChanged(context.actor.ref, sum(one.count for one in counts), counts)
