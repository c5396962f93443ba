"""Members: who is in a conversation, and who comes and goes.

Leaving is removing oneself. An owner who leaves hands the conversation to the longest-serving admin, else to the
longest-serving member; the last one to leave takes it along.
"""

from __future__ import annotations

from chatd.services import notifications
from chatd.services.context import RANK, ServiceContext
from chatd.store.queries import conversations, messages, removals, sessions
from chatd.store.queries.conversations import Membership
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, FORBIDDEN, Refusal
from protocol.events import ConversationCreated, ConversationDeleted, MemberAdded, MemberRemoved
from protocol.ids import Key
from protocol.model import Member


def listing(work: ServiceContext, command: ask.ListMembers) -> list[Member]:
    place = work.membership(command, command.conversation)
    return conversations.members_of(work.tx, place.conversation.number)


def add(work: ServiceContext, command: ask.AddMember) -> None:
    """Add somebody to a group; or give somebody who is in it another role."""
    place = _group(work, command, command.conversation)
    conversation = place.conversation.number
    if command.role == "admin":
        work.require_role(place, "owner")
    user = work.user(command.user)
    read_state = conversations.membership(work.tx, conversation, user.ref.number)
    if read_state is not None:
        _change_role(work, place, read_state, command)
        return
    most = work.rules.members
    if most and conversations.count_members(work.tx, conversation) >= most:
        raise Refusal(BAD_REQUEST, f"A conversation has at most {most} members", field="userId")
    began = messages.last_number(work.tx, conversation)
    conversations.add_member(work.tx, conversation, user.ref.number, command.role or "member", began)
    work.publish(MemberAdded(place.conversation, user, began))
    whole = conversations.get(work.tx, conversation)
    assert whole is not None
    work.publish(ConversationCreated(whole, user.ref))
    notifications.invite(work, place, user)


def _change_role(work: ServiceContext, place: Membership, read_state: Membership, command: ask.AddMember) -> None:
    if command.role is None or command.role == read_state.role:
        return
    work.require_role(place, "owner")
    if read_state.role == "owner":
        raise Refusal(FORBIDDEN, "The owner of a conversation stays its owner")
    user = work.user(command.user)
    conversations.set_role(work.tx, place.conversation.number, user.ref.number, command.role)


def remove(work: ServiceContext, command: ask.RemoveMember) -> None:
    """Remove somebody from a group, or leave it."""
    conversation = command.conversation
    own = work.membership(ask.GetConversation(conversation=conversation), conversation)
    user = work.user(command.user)
    leaving = user.ref.number == work.actor.id
    if not leaving:
        _group(work, command, conversation)
    elif own.kind == "private":
        raise _pair()
    read_state = conversations.membership(work.tx, own.conversation.number, user.ref.number)
    if read_state is None:
        raise Refusal(BAD_REQUEST, "That user is not a member of the conversation", field="userId")
    if not leaving and RANK[read_state.role] >= RANK[own.role]:
        raise Refusal(FORBIDDEN, f"Only somebody above the {read_state.role} may do that")
    if leaving and read_state.role == "owner" and not _hand_over(work, own):
        work.publish(ConversationDeleted(own.conversation, work.actor.ref, (work.actor.ref,)))
        notifications.conversation_gone(work, own.conversation.number)
        removals.begin(work.tx, own.conversation.number)
        return
    conversations.remove_member(work.tx, own.conversation.number, user.ref.number)
    notifications.member_gone(work, own.conversation.number, user.ref)
    work.publish(MemberRemoved(own.conversation, user.ref))
    sessions.evict(work.tx, own.conversation.number, user.ref.number)


def _hand_over(work: ServiceContext, place: Membership) -> bool:
    """Give the group another owner; False when nobody is left."""
    others = [m for m in conversations.members_of(work.tx, place.conversation.number) if m.role != "owner"]
    if not others:
        return False
    heir = max(others, key=lambda member: RANK[member.role])  # the first of the highest role: the longest there
    conversations.set_role(work.tx, place.conversation.number, heir.user.ref.number, "owner")
    return True


def _group(work: ServiceContext, command: ask.Command, key: Key) -> Membership:
    place = work.membership(command, key)
    if place.kind != "group":
        raise _pair()
    return place


def _pair() -> Refusal:
    return Refusal(FORBIDDEN, "A private conversation always has its two members")
