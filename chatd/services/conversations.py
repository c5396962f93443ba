"""Conversations: create, list, get, join, leave, delete."""

from __future__ import annotations

from msgspec import UnsetType

from chatd.services import notifications
from chatd.services.blocks import check_not_blocked
from chatd.services.context import ServiceContext
from chatd.services.pages import make_page, page_offset, page_size
from chatd.store.queries import conversations, messages, preferences, read_states, removals, sessions, users
from chatd.store.queries.conversations import Membership
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, FORBIDDEN, Refusal
from protocol.events import ConversationCreated, ConversationDeleted, ConversationUpdated
from protocol.ids import Key, Ref
from protocol.model import Conversation, OwnState, Page, User

MAX_TITLE_CHARS = 200
MAX_DETAIL_CHARS = {"topic": 1000, "avatar": 2048}


def create(context: ServiceContext, command: ask.CreateConversation) -> Conversation:
    """Create a conversation. Each pair of users has at most one private conversation."""
    me = context.me()
    others = _other_members(context, command, me)
    if command.kind == "private":
        return open_private(context, me, others)
    if context.rules.max_members and len(others) + 1 > context.rules.max_members:
        raise Refusal(
            BAD_REQUEST, f"A conversation has at most {context.rules.max_members} members", field="participants"
        )
    id = conversations.add(
        context.tx,
        "group",
        _check_title(command.title),
        me.ref.number,
        None,
        topic=_check_detail("topic", command.topic),
        public=command.visibility == "public",
    )
    conversations.add_member(context.tx, id, me.ref.number, "owner", 0)
    for user in others:
        conversations.add_member(context.tx, id, user.ref.number, "member", 0)
    return _publish_created(context, id)


def _other_members(context: ServiceContext, command: ask.CreateConversation, me: User) -> list[User]:
    """Return the members that the command names, without the caller and without duplicates."""
    found = {user.ref.number: user for user in map(context.user, command.members)}
    found.pop(me.ref.number, None)
    return list(found.values())


def _check_title(title: str | None) -> str | None:
    if title is not None and not 0 < len(title.strip()) <= MAX_TITLE_CHARS:
        raise Refusal(BAD_REQUEST, f"title must have 1 to {MAX_TITLE_CHARS} characters", field="title")
    return title


def _check_detail(name: str, value: str | None) -> str | None:
    if value is not None and not 0 < len(value.strip()) <= MAX_DETAIL_CHARS[name]:
        raise Refusal(BAD_REQUEST, f"{name} must have 1 to {MAX_DETAIL_CHARS[name]} characters", field=name)
    return value


def update(context: ServiceContext, command: ask.UpdateConversation) -> Conversation:
    """Change the title, the topic, the picture or the visibility of a group. The same values publish nothing."""
    membership = context.membership(command, command.conversation)
    if membership.kind != "group":
        raise Refusal(FORBIDDEN, "Only a group has a title, a topic, a picture and a visibility")
    old = (membership.title, membership.topic, membership.avatar, membership.public)
    title = _changed(command.title, membership.title)
    new = (
        _check_title(title),
        _check_detail("topic", _changed(command.topic, membership.topic)),
        _check_detail("avatar", _changed(command.avatar, membership.avatar)),
        _changed(command.visibility, "public" if membership.public else "private") == "public",
    )
    number = membership.conversation.number
    if new != old:
        conversations.set_details(context.tx, number, *new[:3], public=new[3])
        changed = conversations.get(context.tx, number)
        assert changed is not None
        context.publish(ConversationUpdated(changed, context.actor.ref))
    return _load(context, number)


def _changed(new: str | UnsetType | None, old: str | None) -> str | None:
    return old if isinstance(new, UnsetType) else new


def list_public(context: ServiceContext, command: ask.ListPublicConversations) -> Page:
    """List the public groups whose title contains the query, the newest group first."""
    limit = page_size(context, command)
    before = command.before.number if command.before else 2**62
    rows = conversations.find_public(context.tx, command.query or "", limit + 1, before=before)
    return make_page(context, command, limit, rows, ascending=False)


def open_private(context: ServiceContext, me: User, others: list[User]) -> Conversation:
    """Return the private conversation of two users. Create it if it does not exist."""
    if len(others) != 1:
        raise Refusal(BAD_REQUEST, "A private conversation has exactly one other participant", field="participants")
    other = others[0].ref.number
    existing = conversations.find_private(context.tx, me.ref.number, other)
    if existing is not None:
        return _load(context, existing)
    check_not_blocked(context, others[0].ref)
    id = conversations.add(context.tx, "private", None, me.ref.number, other)
    conversations.add_member(context.tx, id, me.ref.number, "owner", 0)
    conversations.add_member(context.tx, id, other, "member", 0)
    return _publish_created(context, id)


def _publish_created(context: ServiceContext, id: int) -> Conversation:
    conversation = _load(context, id)
    context.publish(ConversationCreated(conversation))
    return conversation


def _load(context: ServiceContext, id: int) -> Conversation:
    membership = conversations.membership(context.tx, id, context.actor.id)
    assert membership is not None  # the creator is a member
    return load_own(context, membership)


def get(context: ServiceContext, command: ask.GetConversation) -> Conversation:
    return load_own(context, context.membership(command, command.conversation))


def listing(context: ServiceContext, command: ask.ListConversations) -> Page:
    """List the caller's conversations. The conversation with the newest message is first."""
    limit = page_size(context, command)
    me, is_numbered = context.actor.id, command.page is not None
    if is_numbered or not (command.before or command.after):
        memberships = conversations.list_newest(context.tx, me, limit + 1, page_offset(command, limit))
    else:
        cursor = (command.before or command.after or (0,))[0]
        if not conversations.is_member(context.tx, cursor, me):
            raise context.refusal_without_membership(
                Key(cursor)
            )  # deleted since the previous page; an empty page would look like the end
        recency = messages.last_number(context.tx, cursor)
        memberships = conversations.list_beside(
            context.tx, me, limit + 1, cursor, recency, newer=command.before is None
        )
    total = conversations.count_of_user(context.tx, me) if is_numbered else None
    return make_page(context, command, limit, load_details(context, memberships), ascending=False, total=total)


def load_details(context: ServiceContext, memberships: list[Membership]) -> list[Conversation]:
    """Return conversations as the actor sees them: with members, last message and unread count."""
    ids = [membership.conversation.number for membership in memberships]
    members = conversations.member_refs(context.tx, ids)
    last = messages.last_of(context.tx, ids)
    me = context.actor.id
    counts = read_states.unread_among(context.tx, me, ids)
    preferred = preferences.of_conversations(context.tx, me, ids)
    own = read_states.own_read_states(context.tx, me, ids)
    return [
        Conversation(
            membership.conversation,
            membership.kind,
            membership.title,
            membership.creator,
            membership.peer,
            tuple(members[id]),
            membership.created,
            counts[id],
            last.get(id),
            _load_peer(context, membership),
            membership.topic,
            membership.avatar,
            membership.public,
            OwnState(
                membership.role,
                counts[id],
                len(own[id].mentions),
                own[id].read_to,
                preferred.get(id, preferences.DEFAULT),
            ),
        )
        for id, membership in zip(ids, memberships, strict=True)
    ]


def load_own(context: ServiceContext, membership: Membership) -> Conversation:
    """Return a conversation as the actor sees it."""
    return load_details(context, [membership])[0]


def _load_peer(context: ServiceContext, membership: Membership) -> User | None:
    """Return the other member of a private conversation; None for a group."""
    other = messages.receiver(membership.creator, membership.peer, context.actor.id)
    return None if other is None else users.by_id(context.tx, other.number)


def join(context: ServiceContext, command: ask.Join) -> Membership:
    membership = context.membership(command, command.conversation)
    if command.session is not None:
        sessions.open(context.tx, command.session, context.actor.id)
        sessions.join(context.tx, command.session, membership.conversation.number)
    return membership


def leave(context: ServiceContext, command: ask.Leave) -> ask.Leave:
    """Forget the room of a session, so that a reconnect does not restore it."""
    if command.must_be_member:
        context.membership(command, command.conversation)
    if command.session is not None:
        sessions.leave(context.tx, command.session, command.conversation.number)
    return command


def delete(context: ServiceContext, command: ask.DeleteConversation) -> None:
    """Delete a conversation for all members.

    Users don't see it after the commit. Later, chatd/core/removal.py removes its content in small steps.
    """
    membership = context.membership(command, command.conversation)
    members: tuple[Ref, ...] = tuple(
        conversations.member_refs(context.tx, [membership.conversation.number])[membership.conversation.number]
    )
    context.publish(ConversationDeleted(membership.conversation, context.actor.ref, members))
    notifications.conversation_deleted(context, membership.conversation.number)
    removals.begin(context.tx, membership.conversation.number)
