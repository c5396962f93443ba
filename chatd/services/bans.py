"""Bans: users who may not be members of a group."""

from __future__ import annotations

from chatd.services.context import ROLE_RANKS, ServiceContext
from chatd.services.members import group_membership, remove
from chatd.store.queries import conversations
from protocol import commands as ask
from protocol.errors import FORBIDDEN, NOT_FOUND, Refusal
from protocol.ids import Key
from protocol.model import Ban


def ban(context: ServiceContext, command: ask.BanMember) -> None:
    """Ban a user, and remove the user from the group first. A second ban changes nothing."""
    own = group_membership(context, command, command.conversation)
    conversation = own.conversation.number
    user = context.user(command.user)
    target = conversations.membership(context.tx, conversation, user.ref.number)
    if target is not None:
        if ROLE_RANKS[target.role] >= ROLE_RANKS[own.role]:
            raise Refusal(FORBIDDEN, f"Only a member with a higher role than {target.role} may do that")
        remove(context, ask.RemoveMember(conversation=command.conversation, user=Key(user.ref.number)))
    if not conversations.is_banned(context.tx, conversation, user.ref.number):
        conversations.ban(context.tx, conversation, user.ref.number, context.actor.id)


def unban(context: ServiceContext, command: ask.UnbanMember) -> None:
    own = group_membership(context, command, command.conversation)
    user = context.user(command.user)
    if not conversations.unban(context.tx, own.conversation.number, user.ref.number):
        raise Refusal(NOT_FOUND, "That user is not banned", field="userId")


def listing(context: ServiceContext, command: ask.ListBans) -> list[Ban]:
    """List the banned users of a group, in the order of the bans."""
    own = group_membership(context, command, command.conversation)
    return conversations.banned(context.tx, own.conversation.number)
