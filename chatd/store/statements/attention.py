"""When users want no alerts, and which threads they follow or mute (chatd/store/queries/attention.py)."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from chatd.store.dialect_functions import json_integers, upsert
from chatd.store.tables import attention, conversations, thread_levels

_A, _T = attention.c, thread_levels.c
_FIELDS = ("quiet_from", "quiet_until", "time_zone", "do_not_disturb_until")
AMONG = select(_A.user, *(getattr(_A, name) for name in _FIELDS)).where(_A.user.in_(json_integers("users")))
_new = upsert(attention).values({name: bindparam(name) for name in ("user", *_FIELDS)})
SET = _new.on_conflict_do_update(index_elements=["user"], set_={name: getattr(_new.excluded, name) for name in _FIELDS})
DELETE = delete(attention).where(_A.user == bindparam("of_user"))

THREADS = (
    select(_T.conversation, conversations.c.created, _T.thread, _T.level)
    .join(conversations, conversations.c.id == _T.conversation)
    .where(_T.user == bindparam("user"))
    .order_by(_T.conversation, _T.thread)
)
THREAD = (
    select(_T.level)
    .where(_T.user == bindparam("user"), _T.conversation == bindparam("conversation"))
    .where(_T.thread == bindparam("thread"))
)
_new_level = upsert(thread_levels).values(
    {name: bindparam(name) for name in ("user", "conversation", "thread", "level")}
)
SET_THREAD = _new_level.on_conflict_do_update(
    index_elements=["user", "conversation", "thread"], set_={"level": _new_level.excluded.level}
)
_IN = (_T.user == bindparam("of_user")) & (_T.conversation == bindparam("in_conversation"))
DELETE_THREAD = delete(thread_levels).where(_IN, _T.thread == bindparam("of_thread"))
DELETE_THREADS = delete(thread_levels).where(_IN)
