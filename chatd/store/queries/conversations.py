"""Conversations and their members."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from chatd.store.compiled import conversations as sql
from chatd.store.compiled.users import USER_WIDTH
from chatd.store.queries.users import build_user
from chatd.store.sqlite.query_cache import CachedQuery
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.ids import Ref
from protocol.model import Ban, Conversation, Kind, Member, Role


class Membership(NamedTuple):
    """A user's role in a conversation, and the conversation's own fields."""

    conversation: Ref
    kind: Kind
    creator: Ref
    peer: Ref | None
    role: Role
    title: str | None
    created: int
    topic: str | None = None
    avatar: str | None = None
    public: bool = False
    blocked: bool = False


def _ref(id: int, created: int, subject: str | None = None) -> Ref:
    return Ref(id, created // 1000, subject)


def _membership(row: tuple[Any, ...]) -> Membership:
    """A membership from CONVERSATION_COLUMNS and the role."""
    return _build(row, row[sql.CONVERSATION_WIDTH])


def _build(row: tuple[Any, ...], role: Role) -> Membership:
    id, created, kind, c_id, c_created, c_subject, p_id, p_created, p_subject, title, topic, avatar, *flags = row[
        : sql.CONVERSATION_WIDTH
    ]
    peer = None if p_id is None else _ref(p_id, p_created, p_subject)
    creator = _ref(c_id, c_created, c_subject)
    return Membership(_ref(id, created), kind, creator, peer, role, title, created, topic, avatar, *map(bool, flags))


def _conversation(row: tuple[Any, ...], members: list[Ref]) -> Conversation:
    found = _build(row, "member")
    return Conversation(
        found.conversation,
        found.kind,
        found.title,
        found.creator,
        found.peer,
        tuple(members),
        found.created,
        topic=found.topic,
        avatar=found.avatar,
        public=found.public,
    )


_MEMBERSHIP = CachedQuery(sql.MEMBERSHIP, "conversation user", _membership)
_MEMBER_NAMES = CachedQuery(
    sql.MEMBER_NAMES,
    "conversation",
    lambda row: {name.lower(): id for name, id in json.loads(row[0]).items()},
    max_results=1_000,
)
_FIND_PRIVATE = CachedQuery(sql.FIND_PRIVATE, "low high", lambda row: int(row[0]))


def membership(tx: ReadTransaction, conversation: int, user: int) -> Membership | None:
    """A user's membership; None when the user is no member, or the conversation does not exist."""
    return tx.cached(_MEMBERSHIP, conversation, user)


def memberships(tx: ReadTransaction, user: int, conversations: list[int]) -> list[Membership]:
    """A user's memberships in some conversations."""
    return [_membership(row) for row in tx.all(sql.MEMBERSHIPS, user=user, ids=str(conversations))]


def is_member(tx: ReadTransaction, conversation: int, user: int) -> bool:
    row = tx.one(sql.IS_MEMBER, conversation=conversation, user=user)
    return bool(row and row[0])


def ref(tx: ReadTransaction, conversation: int) -> Ref | None:
    """A conversation's ref, also for users who are no members. A conversation without members does not exist."""
    row = tx.one(sql.REF, conversation=conversation)
    return _ref(*row) if row else None


def get(tx: ReadTransaction, conversation: int) -> Conversation | None:
    row = tx.one(sql.BY_ID, conversation=conversation)
    if row is None:
        return None
    return _conversation(row, member_refs(tx, [conversation])[conversation])


def find_private(tx: ReadTransaction, one: int, other: int) -> int | None:
    """The private conversation of two users."""
    return tx.cached(_FIND_PRIVATE, min(one, other), max(one, other))


def of_user(tx: ReadTransaction, user: int) -> list[int]:
    return [row[0] for row in tx.all(sql.OF_USER, user=user)]


def add(
    tx: Transaction,
    kind: Kind,
    title: str | None,
    creator: int,
    peer: int | None,
    *,
    topic: str | None = None,
    public: bool = False,
) -> int:
    id = tx.next_id("conversations")
    tx.run(
        sql.INSERT,
        id=id,
        kind=kind,
        title=title,
        creator=creator,
        peer=peer,
        created=tx.now,
        topic=topic,
        public=int(public),
    )
    return id


def set_details(
    tx: Transaction, conversation: int, title: str | None, topic: str | None, avatar: str | None, *, public: bool
) -> None:
    tx.run(sql.SET_DETAILS, conversation=conversation, title=title, topic=topic, avatar=avatar, public=int(public))


def add_member(tx: Transaction, conversation: int, user: int, role: Role, began: int) -> None:
    """Add a member who has read nothing. Messages up to `began` do not count as unread."""
    tx.run(sql.ADD_MEMBER, conversation=conversation, user=user, role=role, joined=tx.now, cursor=0, began=began)


def remove_member(tx: Transaction, conversation: int, user: int) -> None:
    tx.run(sql.DELETE_MARKS, conversation=conversation, user=user)
    tx.run(sql.REMOVE_MEMBER, conversation=conversation, user=user)


def set_role(tx: Transaction, conversation: int, user: int, role: Role) -> None:
    tx.run(sql.SET_ROLE, in_conversation=conversation, of_user=user, role=role)


def members_of(tx: ReadTransaction, conversation: int) -> list[Member]:
    """The members of a conversation, in the order in which they joined."""
    width = USER_WIDTH
    rows = tx.all(sql.MEMBERS, conversation=conversation)
    return [Member(build_user(row[:width]), row[width], row[width + 1]) for row in rows]


def member_names(tx: ReadTransaction, conversation: int) -> Mapping[str, int]:
    """The members of a conversation by their names in lower case."""
    return tx.cached(_MEMBER_NAMES, conversation) or {}


def count_members(tx: ReadTransaction, conversation: int) -> int:
    row = tx.one(sql.COUNT_MEMBERS, conversation=conversation)
    return int(row[0]) if row else 0


def member_refs(tx: ReadTransaction, of: list[int]) -> dict[int, list[Ref]]:
    """The members of some conversations, by conversation."""
    found: dict[int, list[Ref]] = {id: [] for id in of}
    for conversation, id, created, subject in tx.all(sql.MEMBER_REFS, conversations=str(of)):
        found[conversation].append(_ref(id, created, subject))
    return found


def find_group(tx: ReadTransaction, title: str) -> tuple[Ref, Ref] | None:
    """The oldest group with a title, and its owner. It reads every conversation: use it only for the shell."""
    row = tx.one(sql.FIND_GROUP, title=title)
    return None if row is None else (_ref(*row[:2]), _ref(*row[2:]))


def find_own(tx: ReadTransaction, user: int, title: str) -> int | None:
    """The oldest conversation of a user with a title."""
    row = tx.one(sql.FIND_OWN, user=user, title=title.lower())
    return row[0] if row else None


def list_newest(tx: ReadTransaction, user: int, limit: int, offset: int = 0) -> list[Membership]:
    return [_membership(row) for row in tx.all(sql.NEWEST, user=user, limit=limit, offset=offset)]


def list_beside(tx: ReadTransaction, user: int, limit: int, of: int, recency: int, *, newer: bool) -> list[Membership]:
    """The conversations before or after one in the list, newest first; `recency` is its last message's number."""
    rows = tx.all(sql.NEWER if newer else sql.OLDER, user=user, limit=limit, id=of, recency=recency)
    return [_membership(row) for row in (rows[::-1] if newer else rows)]


def count_of_user(tx: ReadTransaction, user: int) -> int:
    row = tx.one(sql.COUNT_OF_USER, user=user)
    return int(row[0]) if row else 0


# Public groups


def find_public(tx: ReadTransaction, query: str, limit: int, *, before: int) -> list[Conversation]:
    """Public groups whose title contains the text, the newest first."""
    rows = tx.all(sql.PUBLIC, query=query.lower(), before=before, limit=limit)
    members = member_refs(tx, [row[0] for row in rows])
    return [_conversation(row, members[row[0]]) for row in rows]


# Banned users


def ban(tx: Transaction, conversation: int, user: int, by: int) -> None:
    tx.run(sql.BAN, conversation=conversation, user=user, maker=by, at=tx.now)


def unban(tx: Transaction, conversation: int, user: int) -> bool:
    return bool(tx.run(sql.UNBAN, conversation=conversation, user=user).rowcount)


def is_banned(tx: ReadTransaction, conversation: int, user: int) -> bool:
    return tx.one(sql.IS_BANNED, conversation=conversation, user=user) is not None


def banned(tx: ReadTransaction, conversation: int) -> list[Ban]:
    return [
        Ban(build_user(row[:USER_WIDTH]), _ref(row[USER_WIDTH], row[USER_WIDTH + 1]), row[USER_WIDTH + 2])
        for row in tx.all(sql.BANNED, conversation=conversation)
    ]
