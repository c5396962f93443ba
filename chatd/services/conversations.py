"""Conversations: made, listed, joined, deleted."""

from __future__ import annotations

from chatd.services import notifications
from chatd.services.context import ServiceContext
from chatd.services.pages import cut, offset, page_size
from chatd.store.queries import conversations, messages, removals, sessions, users
from chatd.store.queries.conversations import Membership
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, Refusal
from protocol.events import ConversationCreated, ConversationDeleted
from protocol.ids import Key, Ref
from protocol.model import Conversation, Page, User


def create(work: ServiceContext, command: ask.CreateConversation) -> Conversation:
    """Make a conversation; a private one only once for each pair."""
    me = work.me()
    others = _others(work, command, me)
    if command.kind == "private":
        return open_private(work, me, others)
    if work.rules.members and len(others) + 1 > work.rules.members:
        raise Refusal(BAD_REQUEST, f"A conversation has at most {work.rules.members} members", field="participants")
    id = conversations.add(work.tx, "group", _title(command.title), me.ref.number, None)
    conversations.add_member(work.tx, id, me.ref.number, "owner", 0)
    for user in others:
        conversations.add_member(work.tx, id, user.ref.number, "member", 0)
    return _made(work, id)


def _others(work: ServiceContext, command: ask.CreateConversation, me: User) -> list[User]:
    """Everybody but the asker, each once."""
    found = {user.ref.number: user for user in map(work.user, command.members)}
    found.pop(me.ref.number, None)
    return list(found.values())


def _title(title: str | None) -> str | None:
    if title is not None and not 0 < len(title.strip()) <= 200:
        raise Refusal(BAD_REQUEST, "title must have 1 to 200 characters", field="title")
    return title


def open_private(work: ServiceContext, me: User, others: list[User]) -> Conversation:
    """The conversation of two, which is made when there is none."""
    if len(others) != 1:
        raise Refusal(BAD_REQUEST, "A private conversation has exactly one other participant", field="participants")
    other = others[0].ref.number
    known = conversations.find_private(work.tx, me.ref.number, other)
    if known is not None:
        return _whole(work, known)
    id = conversations.add(work.tx, "private", None, me.ref.number, other)
    conversations.add_member(work.tx, id, me.ref.number, "owner", 0)
    conversations.add_member(work.tx, id, other, "member", 0)
    return _made(work, id)


def _made(work: ServiceContext, id: int) -> Conversation:
    conversation = _whole(work, id)
    work.publish(ConversationCreated(conversation))
    return conversation


def _whole(work: ServiceContext, id: int) -> Conversation:
    place = conversations.membership(work.tx, id, work.actor.id)
    assert place is not None  # whoever made it is in it
    return _with_state(work, [place])[0]


def get(work: ServiceContext, command: ask.GetConversation) -> Conversation:
    return _with_state(work, [work.membership(command, command.conversation)])[0]


def listing(work: ServiceContext, command: ask.ListConversations) -> Page:
    """One's conversations, the one with the newest message first."""
    limit = page_size(work, command)
    me, numbered = work.actor.id, command.page is not None
    if numbered or not (command.before or command.after):
        places = conversations.list_newest(work.tx, me, limit + 1, offset(command, limit))
    else:
        of = (command.before or command.after or (0,))[0]
        if not conversations.is_member(work.tx, of, me):
            raise work.unseen(Key(of))  # gone since the page before: an empty page would look like the end
        recency = messages.last_number(work.tx, of)
        places = conversations.list_beside(work.tx, me, limit + 1, of, recency, newer=command.before is None)
    total = conversations.count_of_user(work.tx, me) if numbered else None
    return cut(work, command, limit, _with_state(work, places), ascending=False, total=total)


def _with_state(work: ServiceContext, places: list[Membership]) -> list[Conversation]:
    """Conversations as the actor sees them: with members, the last message, and what is unread."""
    ids = [place.conversation.number for place in places]
    members = conversations.member_refs(work.tx, ids)
    last = messages.last_of(work.tx, ids)
    return [
        Conversation(
            place.conversation,
            place.kind,
            place.title,
            place.creator,
            place.peer,
            tuple(members[id]),
            place.created,
            messages.count_unread(work.tx, id, work.actor.id),
            last.get(id),
            _other(work, place),
        )
        for id, place in zip(ids, places, strict=True)
    ]


def _other(work: ServiceContext, place: Membership) -> User | None:
    """The other one of a private conversation, as the actor sees it."""
    other = messages.receiver(place.creator, place.peer, work.actor.id)
    return None if other is None else users.by_id(work.tx, other.number)


def join(work: ServiceContext, command: ask.Join) -> Membership:
    place = work.membership(command, command.conversation)
    if command.session is not None:
        sessions.open(work.tx, command.session, work.actor.id)
        sessions.join(work.tx, command.session, place.conversation.number)
    return place


def leave(work: ServiceContext, command: ask.Leave) -> Membership:
    """Leaving a room changes nothing in the store; it is asked whether the conversation is the asker's."""
    return work.membership(command, command.conversation)


def delete(work: ServiceContext, command: ask.DeleteConversation) -> None:
    """Delete a conversation for everybody. Nobody sees it from now on; its content is removed in small steps."""
    place = work.membership(command, command.conversation)
    members: tuple[Ref, ...] = tuple(
        conversations.member_refs(work.tx, [place.conversation.number])[place.conversation.number]
    )
    work.publish(ConversationDeleted(place.conversation, work.actor.ref, members))
    notifications.conversation_gone(work, place.conversation.number)
    removals.begin(work.tx, place.conversation.number)
