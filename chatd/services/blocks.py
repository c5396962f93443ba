"""Blocks: users from whom the caller receives no private messages.

A block marks the private conversation of the two, if there is one. So a send in a conversation without a mark need not
look. In groups a blocked user's messages still arrive; clients fold them.
"""

from __future__ import annotations

from chatd.services.context import ServiceContext
from chatd.store.queries import conversations, moderation
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, FORBIDDEN, Refusal
from protocol.ids import Ref
from protocol.model import Block


def block(context: ServiceContext, command: ask.BlockUser) -> None:
    """Block a user. A second block changes nothing."""
    user = context.user(command.user).ref
    me = context.actor.id
    if user.number == me:
        raise Refusal(BAD_REQUEST, "You cannot block yourself", field="userId")
    if not moderation.is_blocked(context.tx, me, user.number):
        moderation.block(context.tx, me, user.number)
        _mark_conversation(context, user)


def unblock(context: ServiceContext, command: ask.UnblockUser) -> None:
    user = context.user(command.user).ref
    moderation.unblock(context.tx, context.actor.id, user.number)
    _mark_conversation(context, user)


def listing(context: ServiceContext, command: ask.ListBlocks) -> list[Block]:
    return moderation.blocked(context.tx, context.actor.id)


def _mark_conversation(context: ServiceContext, user: Ref) -> None:
    """Mark the private conversation with a user if one of the two blocks the other, else remove the mark."""
    private = conversations.find_private(context.tx, context.actor.id, user.number)
    if private is not None:
        me = context.actor.id
        blocked = moderation.is_blocked(context.tx, me, user.number) or moderation.is_blocked(
            context.tx, user.number, me
        )
        moderation.set_conversation_blocked(context.tx, private, on=blocked)


def check_not_blocked(context: ServiceContext, other: Ref | None) -> None:
    """Refuse a message to a user who has blocked the caller, or whom the caller has blocked."""
    if other is None:
        return
    me = context.actor.id
    if moderation.is_blocked(context.tx, me, other.number):
        raise Refusal(FORBIDDEN, "You have blocked this user")
    if moderation.is_blocked(context.tx, other.number, me):
        raise Refusal(FORBIDDEN, "This user receives no messages from you")
