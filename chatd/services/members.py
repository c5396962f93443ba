"""Members of conversations: list, add, change the role, remove.

To leave, a member removes itself. When the owner leaves, the admin with the longest membership becomes the owner. In a
group without admins, the member with the longest membership does. When the last member leaves, the conversation is
deleted.
"""

from __future__ import annotations

from chatd.services import notifications
from chatd.services.context import ROLE_RANKS, ServiceContext
from chatd.services.conversations import load_own
from chatd.store.queries import attention, conversations, messages, preferences, removals, sessions
from chatd.store.queries.conversations import Membership
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, FORBIDDEN, Refusal
from protocol.events import ConversationCreated, ConversationDeleted, MemberAdded, MemberRemoved, MemberUpdated
from protocol.ids import Key, Ref
from protocol.model import Conversation, Member, Role, User


def listing(context: ServiceContext, command: ask.ListMembers) -> list[Member]:
    membership = context.membership(command, command.conversation)
    return conversations.members_of(context.tx, membership.conversation.number)


def add(context: ServiceContext, command: ask.AddMember) -> None:
    """Add a user to a group. If the user is a member already, change the role."""
    membership = group_membership(context, command, command.conversation)
    conversation = membership.conversation.number
    if command.role == "admin":
        context.require_role(membership, "owner")
    user = context.user(command.user)
    target = conversations.membership(context.tx, conversation, user.ref.number)
    if target is not None:
        _change_role(context, membership, target, command)
        return
    _add_new(context, membership.conversation, user, command.role or "member")
    notifications.notify_added(context, membership, user)


def _add_new(context: ServiceContext, conversation: Ref, user: User, role: Role) -> None:
    """Add a user who is not a member."""
    if conversations.is_banned(context.tx, conversation.number, user.ref.number):
        raise Refusal(FORBIDDEN, "That user is banned from this conversation", field="userId")
    max_members = context.rules.max_members
    if max_members and conversations.count_members(context.tx, conversation.number) >= max_members:
        raise Refusal(BAD_REQUEST, f"A conversation has at most {max_members} members", field="userId")
    history_start = messages.last_number(context.tx, conversation.number)
    conversations.add_member(context.tx, conversation.number, user.ref.number, role, history_start)
    context.publish(MemberAdded(conversation, user, history_start, role))
    loaded = conversations.get(context.tx, conversation.number)
    assert loaded is not None
    context.publish(ConversationCreated(loaded, user.ref))


def join_public(context: ServiceContext, command: ask.JoinPublicConversation) -> Conversation:
    """Make the caller a member of a public group. A member stays what it is."""
    key = command.conversation
    found = conversations.get(context.tx, key.number) if key.number else None
    if found is not None and found.public and found.members and key.matches(*found.ref[:2]):
        me = context.me()
        if not conversations.is_member(context.tx, found.ref.number, me.ref.number):
            _add_new(context, found.ref, me, "member")
    return load_own(context, context.membership(command, key))


def _change_role(context: ServiceContext, membership: Membership, target: Membership, command: ask.AddMember) -> None:
    if command.role is None or command.role == target.role:
        return
    context.require_role(membership, "owner")
    if target.role == "owner":
        raise Refusal(FORBIDDEN, "The owner of a conversation stays its owner")
    user = context.user(command.user)
    _set_role(context, membership.conversation, user, command.role)


def _set_role(context: ServiceContext, conversation: Ref, user: User, role: Role) -> None:
    conversations.set_role(context.tx, conversation.number, user.ref.number, role)
    context.publish(MemberUpdated(conversation, user, role))


def set_role(context: ServiceContext, command: ask.SetRole) -> None:
    """Change a member's role. The owner who makes another member the owner becomes an admin."""
    membership = group_membership(context, command, command.conversation)
    user = context.user(command.user)
    target = conversations.membership(context.tx, membership.conversation.number, user.ref.number)
    if target is None:
        raise Refusal(BAD_REQUEST, "That user is not a member of the conversation", field="userId")
    if target.role == command.role:
        return
    if target.role == "owner":
        raise Refusal(FORBIDDEN, "The owner of a conversation stays its owner until it has another one")
    if command.role == "owner":
        _set_role(context, membership.conversation, context.me(), "admin")
    _set_role(context, membership.conversation, user, command.role)


def leave(context: ServiceContext, command: ask.LeaveConversation) -> None:
    remove(context, ask.RemoveMember(conversation=command.conversation, user=Key(context.actor.id)))


def remove(context: ServiceContext, command: ask.RemoveMember) -> None:
    """Remove a member from a group. A member may also remove itself."""
    conversation = command.conversation
    own = context.membership(ask.GetConversation(conversation=conversation), conversation)
    user = context.user(command.user)
    leaving = user.ref.number == context.actor.id
    if not leaving:
        group_membership(context, command, conversation)
    elif own.kind == "private":
        raise _refuse_private()
    target = conversations.membership(context.tx, own.conversation.number, user.ref.number)
    if target is None:
        raise Refusal(BAD_REQUEST, "That user is not a member of the conversation", field="userId")
    if not leaving and ROLE_RANKS[target.role] >= ROLE_RANKS[own.role]:
        raise Refusal(FORBIDDEN, f"Only a member with a higher role than {target.role} may do that")
    if leaving and target.role == "owner" and not _appoint_owner(context, own):
        context.publish(ConversationDeleted(own.conversation, context.actor.ref, (context.actor.ref,)))
        notifications.conversation_deleted(context, own.conversation.number)
        removals.begin(context.tx, own.conversation.number)
        return
    conversations.remove_member(context.tx, own.conversation.number, user.ref.number)
    preferences.delete(context.tx, user.ref.number, own.conversation.number)
    attention.delete_thread_levels(context.tx, user.ref.number, own.conversation.number)
    notifications.member_removed(context, own.conversation.number, user.ref)
    context.publish(MemberRemoved(own.conversation, user.ref))
    sessions.evict(context.tx, own.conversation.number, user.ref.number)


def _appoint_owner(context: ServiceContext, membership: Membership) -> bool:
    """Give the group another owner. Return False if no other member is left."""
    others = [m for m in conversations.members_of(context.tx, membership.conversation.number) if m.role != "owner"]
    if not others:
        return False
    # members are in the order of joining, and max() returns the first of equals
    new_owner = max(others, key=lambda member: ROLE_RANKS[member.role])
    _set_role(context, membership.conversation, new_owner.user, "owner")
    return True


def group_membership(context: ServiceContext, command: ask.Command, key: Key) -> Membership:
    membership = context.membership(command, key)
    if membership.kind != "group":
        raise _refuse_private()
    return membership


def _refuse_private() -> Refusal:
    return Refusal(FORBIDDEN, "A private conversation always has its two members")
