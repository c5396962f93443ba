"""Replies, threads, reactions, mentions and pins (chatd/store/queries/features.py)."""

from __future__ import annotations

from sqlalchemy import BindParameter, bindparam, delete, func, insert, select, update

from chatd.store.dialect_functions import json_integers
from chatd.store.statements.rows import Rows
from chatd.store.statements.users import user_columns
from chatd.store.tables import mentions, messages, pins, reactions, users

_MESSAGE: BindParameter[int] = bindparam("of_message")
SET_FEATURES = update(messages).where(messages.c.id == _MESSAGE).values(features=bindparam("set_features"))
FEATURES = select(messages.c.features).where(messages.c.id == _MESSAGE)
QUOTES = (
    select(messages.c.id, messages.c.created, messages.c.content, messages.c.deleted, *user_columns(users))
    .select_from(messages.join(users, users.c.id == messages.c.sender))
    .where(messages.c.id.in_(json_integers("ids")))
)
THREADS = (
    select(messages.c.thread, func.count(), func.max(messages.c.created))
    .where(messages.c.thread.in_(json_integers("ids")), messages.c.deleted.is_(None))
    .group_by(messages.c.thread)
)
THREAD_IDS = (
    select(messages.c.id)
    .where(
        messages.c.thread == bindparam("of_thread"),
        messages.c.deleted.is_(None),
        messages.c.id > bindparam("after"),
        messages.c.id < bindparam("before"),
    )
    .limit(bindparam("limit"))
)
THREAD_OLDEST = THREAD_IDS.order_by(messages.c.id)
THREAD_NEWEST = THREAD_IDS.order_by(messages.c.id.desc())
REACTIONS = (
    select(reactions.c.message, reactions.c.emoji, users.c.id, users.c.created, users.c.subject)
    .select_from(reactions.join(users, users.c.id == reactions.c.user))
    .where(reactions.c.message.in_(json_integers("ids")))
    .order_by(reactions.c.message, reactions.c.at, reactions.c.emoji, reactions.c.user)
)
ADD_REACTION = insert(reactions)
REMOVE_REACTION = delete(reactions).where(
    reactions.c.message == _MESSAGE,
    reactions.c.user == bindparam("by_user"),
    reactions.c.emoji == bindparam("with_emoji"),
)
REMOVE_REACTIONS = delete(reactions).where(reactions.c.message == _MESSAGE)
MENTIONS = (
    select(mentions.c.message, mentions.c.text, users.c.id, users.c.created, users.c.subject)
    .select_from(mentions.outerjoin(users, users.c.id == mentions.c.user))
    .where(mentions.c.message.in_(json_integers("ids")))
    .order_by(mentions.c.message, mentions.c.user)
)
ADD_MENTION = Rows(mentions, "message user conversation text")
REMOVE_MENTIONS = delete(mentions).where(mentions.c.message == _MESSAGE)
PIN = insert(pins)
UNPIN = delete(pins).where(pins.c.message == _MESSAGE)
COUNT_PINS = select(func.count()).where(pins.c.conversation == bindparam("conversation"))
PINNED = (
    select(pins.c.message)
    .where(pins.c.conversation == bindparam("conversation"))
    .order_by(pins.c.at.desc(), pins.c.message.desc())
)
