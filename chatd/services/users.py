"""Users as others see them, and one's own profile."""

from __future__ import annotations

from msgspec import UnsetType
from msgspec.structs import replace

from chatd.services.accounts import LONGEST_DISPLAY, check_line
from chatd.services.context import ServiceContext
from chatd.services.pages import cut, page_size
from chatd.store.queries import messages, users
from protocol import commands as ask
from protocol.events import Unread, UnreadChanged
from protocol.ids import Key
from protocol.model import Page, User

PROFILE = {"display": LONGEST_DISPLAY, "avatar": 2048, "status": 200}  # the most characters of each


def listing(work: ServiceContext, command: ask.ListUsers) -> Page:
    """Everybody with an account, as far as the name matches; in the order of their ids."""
    limit = page_size(work, command)
    found = users.page(
        work.tx,
        command.query or "",
        limit + 1,
        after=command.after.number if command.after else 0,
        before=command.before.number if command.before else None,
    )
    forward = replace(command, after=command.after or Key(0)) if command.before is None else command
    return cut(work, forward, limit, found, ascending=True)


def get(work: ServiceContext, command: ask.GetUser) -> User:
    return work.user(command.user)


def get_me(work: ServiceContext, command: ask.GetMe) -> User:
    return work.me()


def update_me(work: ServiceContext, command: ask.UpdateMe) -> User:
    me = work.me()

    def changed(field: str, old: str | None) -> str | None:
        new: str | UnsetType | None = getattr(command, field)
        if isinstance(new, UnsetType):
            return old
        return None if new is None else check_line(new, field, PROFILE[field])

    display, avatar, status = (changed(f, getattr(me, f)) for f in PROFILE)
    users.set_profile(work.tx, me.ref.number, display, avatar, status)
    return work.me()


def unread(work: ServiceContext, command: ask.GetUnread) -> UnreadChanged:
    """What one has not read, in all and for each conversation."""
    counts = tuple(
        Unread(one.conversation, one.unread) for one in messages.read_states(work.tx, work.actor.id) if one.unread
    )
    return UnreadChanged(work.actor.ref, sum(one.count for one in counts), counts)
