"""Members: who is in a conversation, and who comes and goes.

Leaving is removing oneself. An owner who leaves hands the conversation to the longest-serving admin, else to the
longest-serving member; the last one to leave takes it along.
"""

from __future__ import annotations

from chatd.services import notifications
from chatd.services.context import RANK, Work
from chatd.store.queries import conversations, messages, removals, sessions
from chatd.store.queries.conversations import Place
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, FORBIDDEN, Refusal
from protocol.events import ConversationCreated, ConversationDeleted, MemberAdded, MemberRemoved
from protocol.ids import Key
from protocol.model import Member


def listing(work: Work, command: ask.ListMembers) -> list[Member]:
    place = work.place(command, command.conversation)
    return conversations.members_of(work.tx, place.conversation.number)


def add(work: Work, command: ask.AddMember) -> None:
    """Add somebody to a group; or give somebody who is in it another role."""
    place = _group(work, command, command.conversation)
    conversation = place.conversation.number
    if command.role == "admin":
        work.demand(place, "owner")
    user = work.user(command.user)
    standing = conversations.place(work.tx, conversation, user.ref.number)
    if standing is not None:
        _change_role(work, place, standing, command)
        return
    most = work.rules.members
    if most and conversations.how_many_members(work.tx, conversation) >= most:
        raise Refusal(BAD_REQUEST, f"A conversation has at most {most} members", field="userId")
    began = messages.newest(work.tx, conversation)
    conversations.add_member(work.tx, conversation, user.ref.number, command.role or "member", began)
    work.tell(MemberAdded(place.conversation, user, began))
    whole = conversations.get(work.tx, conversation)
    assert whole is not None
    work.tell(ConversationCreated(whole, user.ref))
    notifications.invite(work, place, user)


def _change_role(work: Work, place: Place, standing: Place, command: ask.AddMember) -> None:
    if command.role is None or command.role == standing.role:
        return
    work.demand(place, "owner")
    if standing.role == "owner":
        raise Refusal(FORBIDDEN, "The owner of a conversation stays its owner")
    user = work.user(command.user)
    conversations.set_role(work.tx, place.conversation.number, user.ref.number, command.role)


def remove(work: Work, command: ask.RemoveMember) -> None:
    """Remove somebody from a group, or leave it."""
    conversation = command.conversation
    own = work.place(ask.GetConversation(conversation=conversation), conversation)
    user = work.user(command.user)
    leaving = user.ref.number == work.actor.id
    if not leaving:
        _group(work, command, conversation)
    elif own.kind == "private":
        raise _pair()
    standing = conversations.place(work.tx, own.conversation.number, user.ref.number)
    if standing is None:
        raise Refusal(BAD_REQUEST, "That user is not a member of the conversation", field="userId")
    if not leaving and RANK[standing.role] >= RANK[own.role]:
        raise Refusal(FORBIDDEN, f"Only somebody above the {standing.role} may do that")
    if leaving and standing.role == "owner" and not _hand_over(work, own):
        work.tell(ConversationDeleted(own.conversation, work.actor.ref, (work.actor.ref,)))
        notifications.conversation_gone(work, own.conversation.number)
        removals.begin(work.tx, own.conversation.number)
        return
    conversations.remove_member(work.tx, own.conversation.number, user.ref.number)
    notifications.member_gone(work, own.conversation.number, user.ref)
    work.tell(MemberRemoved(own.conversation, user.ref))
    sessions.evict(work.tx, own.conversation.number, user.ref.number)


def _hand_over(work: Work, place: Place) -> bool:
    """Give the group another owner; False when nobody is left."""
    others = [m for m in conversations.members_of(work.tx, place.conversation.number) if m.role != "owner"]
    if not others:
        return False
    heir = max(others, key=lambda member: RANK[member.role])  # the first of the highest role: the longest there
    conversations.set_role(work.tx, place.conversation.number, heir.user.ref.number, "owner")
    return True


def _group(work: Work, command: ask.Command, key: Key) -> Place:
    place = work.place(command, key)
    if place.kind != "group":
        raise _pair()
    return place


def _pair() -> Refusal:
    return Refusal(FORBIDDEN, "A private conversation always has its two members")
