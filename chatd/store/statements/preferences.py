"""What the members of a conversation prefer (chatd/store/queries/preferences.py)."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from chatd.store.dialect_functions import json_integers, upsert
from chatd.store.tables import preferences

_P = preferences.c
_ROW = select(_P.conversation, _P.level, _P.muted_until, _P.archived, _P.draft).where(_P.user == bindparam("user"))
OF_CONVERSATIONS = _ROW.where(_P.conversation.in_(json_integers("ids")))
_ALL = ("level", "muted_until", "archived", "draft")
_new = upsert(preferences).values(
    {name: bindparam(name) for name in ("user", "conversation", *_ALL)},
)
SET = _new.on_conflict_do_update(
    index_elements=["user", "conversation"], set_={name: getattr(_new.excluded, name) for name in _ALL}
)
DELETE = delete(preferences).where(_P.user == bindparam("of_user"), _P.conversation == bindparam("in_conversation"))
