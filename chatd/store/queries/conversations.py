"""Conversations and their members."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, delete, exists, func, insert, literal, or_, select, update

from chatd.store.dialect_functions import greatest, json_integers, least
from chatd.store.queries.users import USER_WIDTH, build_user, user_columns
from chatd.store.sqlite.prepared import Prepared
from chatd.store.sqlite.query_cache import CachedQuery
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import conversations, members, messages, read_marks, users
from protocol.ids import Ref
from protocol.model import Conversation, Kind, Member, Role


class Membership(NamedTuple):
    """A user's role in a conversation, and the conversation's own fields."""

    conversation: Ref
    kind: Kind
    creator: Ref
    peer: Ref | None
    role: Role
    title: str | None
    created: int


_creator = users.alias("creator")
_peer = users.alias("peer")

CONVERSATION_COLUMNS = [
    conversations.c.id,
    conversations.c.created,
    conversations.c.kind,
    conversations.c.creator,
    _creator.c.created,
    _creator.c.subject,
    conversations.c.peer,
    _peer.c.created,
    _peer.c.subject,
    conversations.c.title,
]
CONVERSATION_WITH_USERS = conversations.join(_creator, _creator.c.id == conversations.c.creator).outerjoin(
    _peer, _peer.c.id == conversations.c.peer
)

_BY_ID = Prepared(
    select(*CONVERSATION_COLUMNS)
    .select_from(CONVERSATION_WITH_USERS)
    .where(conversations.c.id == bindparam("conversation"))
)
_REF = Prepared(
    select(conversations.c.id, conversations.c.created).where(
        conversations.c.id == bindparam("conversation"), exists().where(members.c.conversation == conversations.c.id)
    )
)
_FIND_PRIVATE = CachedQuery(
    select(conversations.c.id).where(
        conversations.c.peer.is_not(None),
        least(conversations.c.creator, conversations.c.peer) == bindparam("low"),
        greatest(conversations.c.creator, conversations.c.peer) == bindparam("high"),
    ),
    "low high",
    lambda row: int(row[0]),
)
_INSERT = Prepared(insert(conversations))
_ADD_MEMBER = Prepared(insert(members))
_REMOVE_MEMBER = Prepared(
    delete(members).where(members.c.conversation == bindparam("conversation"), members.c.user == bindparam("user"))
)
_DELETE_MARKS = Prepared(
    delete(read_marks).where(
        read_marks.c.conversation == bindparam("conversation"), read_marks.c.user == bindparam("user")
    )
)
_SET_ROLE = Prepared(
    update(members)
    .where(members.c.conversation == bindparam("in_conversation"), members.c.user == bindparam("of_user"))
    .values(role=bindparam("role"))
)
_MEMBERS = Prepared(
    select(*user_columns(users), members.c.role, members.c.joined)
    .select_from(members.join(users, users.c.id == members.c.user))
    .where(members.c.conversation == bindparam("conversation"))
    .order_by(members.c.joined, members.c.user)
)
_MEMBER_REFS = Prepared(
    select(members.c.conversation, users.c.id, users.c.created, users.c.subject)
    .select_from(members.join(users, users.c.id == members.c.user))
    .where(members.c.conversation.in_(json_integers("conversations")))
    .order_by(members.c.conversation, members.c.joined, members.c.user)
)
_COUNT_MEMBERS = Prepared(select(func.count()).where(members.c.conversation == bindparam("conversation")))
_OF_USER = Prepared(select(members.c.conversation).where(members.c.user == bindparam("user")))

_last = (
    select(func.max(messages.c.id))
    .where(messages.c.conversation == members.c.conversation)
    .correlate(members)
    .scalar_subquery()
)
_recency = func.coalesce(_last, literal(0))
_LISTED = (
    select(*CONVERSATION_COLUMNS, members.c.role, _recency.label("recency"))
    .select_from(CONVERSATION_WITH_USERS.join(members, members.c.conversation == conversations.c.id))
    .where(members.c.user == bindparam("user"))
)
_NEWEST = Prepared(
    _LISTED.order_by(_recency.desc(), conversations.c.id.desc()).limit(bindparam("limit")).offset(bindparam("offset"))
)
_OLDER = Prepared(
    _LISTED.where(
        or_(
            _recency < bindparam("recency"),
            and_(_recency == bindparam("recency"), conversations.c.id < bindparam("id")),
        )
    )
    .order_by(_recency.desc(), conversations.c.id.desc())
    .limit(bindparam("limit"))
)
_NEWER = Prepared(
    _LISTED.where(
        or_(
            _recency > bindparam("recency"),
            and_(_recency == bindparam("recency"), conversations.c.id > bindparam("id")),
        )
    )
    .order_by(_recency, conversations.c.id)
    .limit(bindparam("limit"))
)
_COUNT_OF_USER = Prepared(select(func.count()).where(members.c.user == bindparam("user")))
_FIND_GROUP = Prepared(
    select(
        conversations.c.id,
        conversations.c.created,
        users.c.id,
        users.c.created,
        users.c.subject,
    )
    .select_from(
        conversations.join(members, members.c.conversation == conversations.c.id).join(
            users, users.c.id == members.c.user
        )
    )
    .where(
        conversations.c.kind == "group",
        conversations.c.title == bindparam("title"),
        members.c.role == "owner",
    )
    .order_by(conversations.c.id)
    .limit(1)
)
_IS_MEMBER = Prepared(
    select(exists().where(members.c.conversation == bindparam("conversation"), members.c.user == bindparam("user")))
)


def _ref(id: int, created: int, subject: str | None = None) -> Ref:
    return Ref(id, created // 1000, subject)


def _build_conversation(row: tuple[Any, ...]) -> tuple[Ref, Kind, Ref, Ref | None, str | None, int]:
    id, created, kind, c_id, c_created, c_subject, p_id, p_created, p_subject, title = row[:10]
    peer = None if p_id is None else _ref(p_id, p_created, p_subject)
    return _ref(id, created), kind, _ref(c_id, c_created, c_subject), peer, title, created


def _membership(row: tuple[Any, ...]) -> Membership:
    ref, kind, creator, peer, title, created = _build_conversation(row)
    return Membership(ref, kind, creator, peer, row[10], title, created)


_MEMBERSHIP = CachedQuery(
    select(*CONVERSATION_COLUMNS, members.c.role)
    .select_from(CONVERSATION_WITH_USERS.join(members, members.c.conversation == conversations.c.id))
    .where(conversations.c.id == bindparam("conversation"), members.c.user == bindparam("user")),
    "conversation user",
    _membership,
)


def membership(tx: ReadTransaction, conversation: int, user: int) -> Membership | None:
    """A user's membership; None when the user is no member, or the conversation does not exist."""
    return tx.cached(_MEMBERSHIP, conversation, user)


def is_member(tx: ReadTransaction, conversation: int, user: int) -> bool:
    row = tx.one(_IS_MEMBER, conversation=conversation, user=user)
    return bool(row and row[0])


def ref(tx: ReadTransaction, conversation: int) -> Ref | None:
    """A conversation's ref, also for users who are no members. A conversation without members does not exist."""
    row = tx.one(_REF, conversation=conversation)
    return _ref(*row) if row else None


def get(tx: ReadTransaction, conversation: int) -> Conversation | None:
    row = tx.one(_BY_ID, conversation=conversation)
    if row is None:
        return None
    ref, kind, creator, peer, title, created = _build_conversation(row)
    return Conversation(ref, kind, title, creator, peer, tuple(member_refs(tx, [conversation])[conversation]), created)


def find_private(tx: ReadTransaction, one: int, other: int) -> int | None:
    """The private conversation of two users."""
    return tx.cached(_FIND_PRIVATE, min(one, other), max(one, other))


def of_user(tx: ReadTransaction, user: int) -> list[int]:
    return [row[0] for row in tx.all(_OF_USER, user=user)]


def add(tx: Transaction, kind: Kind, title: str | None, creator: int, peer: int | None) -> int:
    id = tx.next_id("conversations")
    tx.run(_INSERT, id=id, kind=kind, title=title, creator=creator, peer=peer, created=tx.now)
    return id


def add_member(tx: Transaction, conversation: int, user: int, role: Role, began: int) -> None:
    """Add a member who has read nothing. Messages up to `began` do not count as unread."""
    tx.run(_ADD_MEMBER, conversation=conversation, user=user, role=role, joined=tx.now, cursor=0, began=began)


def remove_member(tx: Transaction, conversation: int, user: int) -> None:
    tx.run(_DELETE_MARKS, conversation=conversation, user=user)
    tx.run(_REMOVE_MEMBER, conversation=conversation, user=user)


def set_role(tx: Transaction, conversation: int, user: int, role: Role) -> None:
    tx.run(_SET_ROLE, in_conversation=conversation, of_user=user, role=role)


def members_of(tx: ReadTransaction, conversation: int) -> list[Member]:
    """The members of a conversation, in the order in which they joined."""
    width = USER_WIDTH
    rows = tx.all(_MEMBERS, conversation=conversation)
    return [Member(build_user(row[:width]), row[width], row[width + 1]) for row in rows]


def count_members(tx: ReadTransaction, conversation: int) -> int:
    row = tx.one(_COUNT_MEMBERS, conversation=conversation)
    return int(row[0]) if row else 0


def member_refs(tx: ReadTransaction, of: list[int]) -> dict[int, list[Ref]]:
    """The members of some conversations, by conversation."""
    found: dict[int, list[Ref]] = {id: [] for id in of}
    for conversation, id, created, subject in tx.all(_MEMBER_REFS, conversations=str(of)):
        found[conversation].append(_ref(id, created, subject))
    return found


def find_group(tx: ReadTransaction, title: str) -> tuple[Ref, Ref] | None:
    """The oldest group with a title, and its owner. It reads every conversation: use it only for the shell."""
    row = tx.one(_FIND_GROUP, title=title)
    return None if row is None else (_ref(*row[:2]), _ref(*row[2:]))


def list_newest(tx: ReadTransaction, user: int, limit: int, offset: int = 0) -> list[Membership]:
    return [_membership(row) for row in tx.all(_NEWEST, user=user, limit=limit, offset=offset)]


def list_beside(tx: ReadTransaction, user: int, limit: int, of: int, recency: int, *, newer: bool) -> list[Membership]:
    """The conversations before or after one in the list, newest first; `recency` is its last message's number."""
    rows = tx.all(_NEWER if newer else _OLDER, user=user, limit=limit, id=of, recency=recency)
    return [_membership(row) for row in (rows[::-1] if newer else rows)]


def count_of_user(tx: ReadTransaction, user: int) -> int:
    row = tx.one(_COUNT_OF_USER, user=user)
    return int(row[0]) if row else 0
