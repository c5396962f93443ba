"""Conversations and their members."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, delete, exists, func, insert, literal, or_, select, update

from chatd.store.queries import users as people
from chatd.store.sqlite.prepared import Prepared, listed
from chatd.store.sqlite.query_cache import CachedQuery
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import conversations, members, messages, read_marks, users
from protocol.ids import Ref
from protocol.model import Conversation, Kind, Member, Role


class Membership(NamedTuple):
    """A user's standing in a conversation, with what never changes of the conversation itself."""

    conversation: Ref
    kind: Kind
    creator: Ref
    peer: Ref | None
    role: Role
    title: str | None
    created: int


_creator = users.alias("creator")
_peer = users.alias("peer")

HEAD = [
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
HEADED = conversations.join(_creator, _creator.c.id == conversations.c.creator).outerjoin(
    _peer, _peer.c.id == conversations.c.peer
)

_HEAD = Prepared(select(*HEAD).select_from(HEADED).where(conversations.c.id == bindparam("conversation")))
_REF = Prepared(
    select(conversations.c.id, conversations.c.created).where(
        conversations.c.id == bindparam("conversation"), exists().where(members.c.conversation == conversations.c.id)
    )
)
_PAIR = CachedQuery(
    select(conversations.c.id).where(
        conversations.c.peer.is_not(None),
        func.min(conversations.c.creator, conversations.c.peer) == bindparam("low"),
        func.max(conversations.c.creator, conversations.c.peer) == bindparam("high"),
    ),
    "low high",
    lambda row: int(row[0]),
)
_INSERT = Prepared(insert(conversations))
_JOIN = Prepared(insert(members))
_PART = Prepared(
    delete(members).where(members.c.conversation == bindparam("conversation"), members.c.user == bindparam("user"))
)
_FORGET_MARKS = Prepared(
    delete(read_marks).where(
        read_marks.c.conversation == bindparam("conversation"), read_marks.c.user == bindparam("user")
    )
)
_ROLE = Prepared(
    update(members)
    .where(members.c.conversation == bindparam("in_conversation"), members.c.user == bindparam("of_user"))
    .values(role=bindparam("role"))
)
_MEMBERS = Prepared(
    select(*people.columns(users), members.c.role, members.c.joined)
    .select_from(members.join(users, users.c.id == members.c.user))
    .where(members.c.conversation == bindparam("conversation"))
    .order_by(members.c.joined, members.c.user)
)
_REFS = Prepared(
    select(members.c.conversation, users.c.id, users.c.created, users.c.subject)
    .select_from(members.join(users, users.c.id == members.c.user))
    .where(members.c.conversation.in_(listed("conversations")))
    .order_by(members.c.conversation, members.c.joined, members.c.user)
)
_COUNT = Prepared(select(func.count()).where(members.c.conversation == bindparam("conversation")))
_OF_USER = Prepared(select(members.c.conversation).where(members.c.user == bindparam("user")))

_last = (
    select(func.max(messages.c.id))
    .where(messages.c.conversation == members.c.conversation)
    .correlate(members)
    .scalar_subquery()
)
_recency = func.coalesce(_last, literal(0))
_LISTED = (
    select(*HEAD, members.c.role, _recency.label("recency"))
    .select_from(HEADED.join(members, members.c.conversation == conversations.c.id))
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
_HOW_MANY = Prepared(select(func.count()).where(members.c.user == bindparam("user")))
_GROUP_TITLED = Prepared(
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


def _head(row: tuple[Any, ...]) -> tuple[Ref, Kind, Ref, Ref | None, str | None, int]:
    id, created, kind, c_id, c_created, c_subject, p_id, p_created, p_subject, title = row[:10]
    peer = None if p_id is None else _ref(p_id, p_created, p_subject)
    return _ref(id, created), kind, _ref(c_id, c_created, c_subject), peer, title, created


def _place(row: tuple[Any, ...]) -> Membership:
    ref, kind, creator, peer, title, created = _head(row)
    return Membership(ref, kind, creator, peer, row[10], title, created)


_PLACE = CachedQuery(
    select(*HEAD, members.c.role)
    .select_from(HEADED.join(members, members.c.conversation == conversations.c.id))
    .where(conversations.c.id == bindparam("conversation"), members.c.user == bindparam("user")),
    "conversation user",
    _place,
)


def membership(tx: ReadTransaction, conversation: int, user: int) -> Membership | None:
    """Where a user stands in a conversation; None for whoever is no member, or where there is none."""
    return tx.cached(_PLACE, conversation, user)


def exists_with(tx: ReadTransaction, conversation: int, user: int) -> bool:
    row = tx.one(_IS_MEMBER, conversation=conversation, user=user)
    return bool(row and row[0])


def ref(tx: ReadTransaction, conversation: int) -> Ref | None:
    """A conversation that exists, for those too who are not in it. One without any members does not."""
    row = tx.one(_REF, conversation=conversation)
    return _ref(*row) if row else None


def get(tx: ReadTransaction, conversation: int) -> Conversation | None:
    row = tx.one(_HEAD, conversation=conversation)
    if row is None:
        return None
    ref, kind, creator, peer, title, created = _head(row)
    return Conversation(ref, kind, title, creator, peer, tuple(refs(tx, [conversation])[conversation]), created)


def of_pair(tx: ReadTransaction, one: int, other: int) -> int | None:
    return tx.cached(_PAIR, min(one, other), max(one, other))


def of_user(tx: ReadTransaction, user: int) -> list[int]:
    return [row[0] for row in tx.all(_OF_USER, user=user)]


def add(tx: Transaction, kind: Kind, title: str | None, creator: int, peer: int | None) -> int:
    id = tx.next_id("conversations")
    tx.run(_INSERT, id=id, kind=kind, title=title, creator=creator, peer=peer, created=tx.now)
    return id


def add_member(tx: Transaction, conversation: int, user: int, role: Role, began: int) -> None:
    """A new member, who has read nothing. What was there before (up to `began`) does not count as unread."""
    tx.run(_JOIN, conversation=conversation, user=user, role=role, joined=tx.now, cursor=0, began=began)


def remove_member(tx: Transaction, conversation: int, user: int) -> None:
    tx.run(_FORGET_MARKS, conversation=conversation, user=user)
    tx.run(_PART, conversation=conversation, user=user)


def set_role(tx: Transaction, conversation: int, user: int, role: Role) -> None:
    tx.run(_ROLE, in_conversation=conversation, of_user=user, role=role)


def members_of(tx: ReadTransaction, conversation: int) -> list[Member]:
    """Everybody in a conversation, the longest there first."""
    width = people.WIDTH
    rows = tx.all(_MEMBERS, conversation=conversation)
    return [Member(people.user(row[:width]), row[width], row[width + 1]) for row in rows]


def how_many_members(tx: ReadTransaction, conversation: int) -> int:
    row = tx.one(_COUNT, conversation=conversation)
    return int(row[0]) if row else 0


def refs(tx: ReadTransaction, of: list[int]) -> dict[int, list[Ref]]:
    """Who is in each of some conversations."""
    found: dict[int, list[Ref]] = {id: [] for id in of}
    for conversation, id, created, subject in tx.all(_REFS, conversations=str(of)):
        found[conversation].append(_ref(id, created, subject))
    return found


def group_titled(tx: ReadTransaction, title: str) -> tuple[Ref, Ref] | None:
    """The oldest group of that title, and its owner. It looks at every conversation: for the shell only."""
    row = tx.one(_GROUP_TITLED, title=title)
    return None if row is None else (_ref(*row[:2]), _ref(*row[2:]))


def newest(tx: ReadTransaction, user: int, limit: int, offset: int = 0) -> list[Membership]:
    return [_place(row) for row in tx.all(_NEWEST, user=user, limit=limit, offset=offset)]


def beside(tx: ReadTransaction, user: int, limit: int, of: int, recency: int, *, newer: bool) -> list[Membership]:
    """The conversations next to one in the list, newest first; `recency` is the number of its last message."""
    rows = tx.all(_NEWER if newer else _OLDER, user=user, limit=limit, id=of, recency=recency)
    return [_place(row) for row in (rows[::-1] if newer else rows)]


def how_many(tx: ReadTransaction, user: int) -> int:
    row = tx.one(_HOW_MANY, user=user)
    return int(row[0]) if row else 0
