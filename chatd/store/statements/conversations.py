"""Conversations and their members (chatd/store/queries/conversations.py)."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, delete, exists, func, insert, literal, or_, select, update

from chatd.store.dialect_functions import contains, greatest, json_integers, json_object, least
from chatd.store.statements.users import user_columns
from chatd.store.tables import bans, conversations, members, messages, read_marks, users

_creator = users.alias("creator")
_peer = users.alias("peer")
_maker = users.alias("maker")
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
    conversations.c.topic,
    conversations.c.avatar,
    conversations.c.public,
    conversations.c.blocked,
]
CONVERSATION_WIDTH = len(CONVERSATION_COLUMNS)
CONVERSATION_WITH_USERS = conversations.join(_creator, _creator.c.id == conversations.c.creator).outerjoin(
    _peer, _peer.c.id == conversations.c.peer
)
BY_ID = (
    select(*CONVERSATION_COLUMNS)
    .select_from(CONVERSATION_WITH_USERS)
    .where(conversations.c.id == bindparam("conversation"))
)
REF = select(conversations.c.id, conversations.c.created).where(
    conversations.c.id == bindparam("conversation"), exists().where(members.c.conversation == conversations.c.id)
)
FIND_PRIVATE = select(conversations.c.id).where(
    conversations.c.peer.is_not(None),
    least(conversations.c.creator, conversations.c.peer) == bindparam("low"),
    greatest(conversations.c.creator, conversations.c.peer) == bindparam("high"),
)
INSERT = insert(conversations).values(
    {name: bindparam(name) for name in ("id", "kind", "title", "creator", "peer", "created", "topic", "public")}
)
ADD_MEMBER = insert(members).values(
    {name: bindparam(name) for name in ("conversation", "user", "role", "joined", "cursor", "began")}
)
SET_DETAILS = (
    update(conversations)
    .where(conversations.c.id == bindparam("conversation"))
    .values({name: bindparam(name) for name in ("title", "topic", "avatar", "public")})
)
BAN = insert(bans)
UNBAN = delete(bans).where(bans.c.conversation == bindparam("conversation"), bans.c.user == bindparam("user"))
IS_BANNED = select(bans.c.at).where(bans.c.conversation == bindparam("conversation"), bans.c.user == bindparam("user"))
BANNED = (
    select(*user_columns(users), _maker.c.id, _maker.c.created, bans.c.at)
    .select_from(bans.join(users, users.c.id == bans.c.user).join(_maker, _maker.c.id == bans.c.maker))
    .where(bans.c.conversation == bindparam("conversation"))
    .order_by(bans.c.at, bans.c.user)
)
PUBLIC = (
    select(*CONVERSATION_COLUMNS)
    .select_from(CONVERSATION_WITH_USERS)
    .where(
        conversations.c.public == 1,
        conversations.c.id < bindparam("before"),
        contains(func.lower(func.coalesce(conversations.c.title, "")), bindparam("query")),
        exists().where(members.c.conversation == conversations.c.id),
    )
    .order_by(conversations.c.id.desc())
    .limit(bindparam("limit"))
)
REMOVE_MEMBER = delete(members).where(
    members.c.conversation == bindparam("conversation"), members.c.user == bindparam("user")
)
DELETE_MARKS = delete(read_marks).where(
    read_marks.c.conversation == bindparam("conversation"), read_marks.c.user == bindparam("user")
)
SET_ROLE = (
    update(members)
    .where(members.c.conversation == bindparam("in_conversation"), members.c.user == bindparam("of_user"))
    .values(role=bindparam("role"))
)
MEMBERS = (
    select(*user_columns(users), members.c.role, members.c.joined)
    .select_from(members.join(users, users.c.id == members.c.user))
    .where(members.c.conversation == bindparam("conversation"))
    .order_by(members.c.joined, members.c.user)
)
MEMBER_NAMES = (
    select(json_object(users.c.name, users.c.id))
    .select_from(users.join(members, members.c.user == users.c.id))
    .where(members.c.conversation == bindparam("conversation"))
)
MEMBER_REFS = (
    select(members.c.conversation, users.c.id, users.c.created, users.c.subject)
    .select_from(members.join(users, users.c.id == members.c.user))
    .where(members.c.conversation.in_(json_integers("conversations")))
    .order_by(members.c.conversation, members.c.joined, members.c.user)
)
COUNT_MEMBERS = select(func.count()).where(members.c.conversation == bindparam("conversation"))
OF_USER = select(members.c.conversation).where(members.c.user == bindparam("user"))
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
NEWEST = (
    _LISTED.order_by(_recency.desc(), conversations.c.id.desc()).limit(bindparam("limit")).offset(bindparam("offset"))
)
OLDER = (
    _LISTED.where(
        or_(
            _recency < bindparam("recency"),
            and_(_recency == bindparam("recency"), conversations.c.id < bindparam("id")),
        )
    )
    .order_by(_recency.desc(), conversations.c.id.desc())
    .limit(bindparam("limit"))
)
NEWER = (
    _LISTED.where(
        or_(
            _recency > bindparam("recency"),
            and_(_recency == bindparam("recency"), conversations.c.id > bindparam("id")),
        )
    )
    .order_by(_recency, conversations.c.id)
    .limit(bindparam("limit"))
)
COUNT_OF_USER = select(func.count()).where(members.c.user == bindparam("user"))
FIND_OWN = (
    select(conversations.c.id)
    .select_from(conversations.join(members, members.c.conversation == conversations.c.id))
    .where(members.c.user == bindparam("user"), func.lower(conversations.c.title) == bindparam("title"))
    .order_by(conversations.c.id)
    .limit(1)
)
FIND_GROUP = (
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
IS_MEMBER = select(
    exists().where(members.c.conversation == bindparam("conversation"), members.c.user == bindparam("user"))
)
MEMBERSHIPS = (
    select(*CONVERSATION_COLUMNS, members.c.role)
    .select_from(CONVERSATION_WITH_USERS.join(members, members.c.conversation == conversations.c.id))
    .where(members.c.user == bindparam("user"), conversations.c.id.in_(json_integers("ids")))
    .order_by(conversations.c.id.desc())
)
MEMBERSHIP = (
    select(*CONVERSATION_COLUMNS, members.c.role)
    .select_from(CONVERSATION_WITH_USERS.join(members, members.c.conversation == conversations.c.id))
    .where(conversations.c.id == bindparam("conversation"), members.c.user == bindparam("user"))
)
