"""Files (chatd/store/queries/files.py)."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, delete, exists, func, insert, or_, select, update

from chatd.store.dialect_functions import json_integers, upsert
from chatd.store.tables import attachments, file_unlocks, files, members, messages, unused_contents, upload_hours, users

_F = files.c
FILE_COLUMNS = (
    _F.id,
    _F.owner,
    _F.name,
    _F.type,
    _F.size,
    _F.digest,
    _F.created,
    _F.width,
    _F.height,
    _F.locked,
    _F.price,
)
_one = select(*FILE_COLUMNS)
BY_ID = _one.where(_F.id == bindparam("id"))
BY_IDS = _one.where(_F.id.in_(json_integers("ids")))
_own = _one.where(_F.owner == bindparam("owner"))
NEWEST = _own.where(_F.id < bindparam("before")).order_by(_F.id.desc()).limit(bindparam("limit"))
NEXT = _own.where(_F.id > bindparam("after")).order_by(_F.id).limit(bindparam("limit"))
ADD = insert(files).values(
    {
        name: bindparam(name)
        for name in ("id", "owner", "digest", "name", "type", "size", "width", "height", "locked", "price", "created")
    }
    | {"attached": 0}
)
SET_ATTACHED = update(files).where(_F.id == bindparam("file")).values(attached=1)
DELETE = delete(files).where(_F.id == bindparam("file"))
_size = func.coalesce(func.sum(_F.size), 0)
SIZE_OF_USER = select(_size).where(_F.owner == bindparam("owner"))
_H = upload_hours.c
SIZE_SINCE = select(func.coalesce(func.sum(_H.size), 0)).where(
    _H.owner == bindparam("owner"), _H.hour > bindparam("hour")
)
_uploaded = upsert(upload_hours).values({name: bindparam(name) for name in ("owner", "hour", "size")})
COUNT_UPLOAD = _uploaded.on_conflict_do_update(
    index_elements=[_H.owner, _H.hour], set_={"size": _H.size + _uploaded.excluded.size}
)
FORGET_HOURS = delete(upload_hours).where(_H.owner == bindparam("owner"), _H.hour <= bindparam("hour"))
SIZE_OF_ALL = select(_size)
IS_VISIBLE = (
    select(1)
    .select_from(
        attachments.join(messages, messages.c.id == attachments.c.message).join(
            members, and_(members.c.conversation == messages.c.conversation, members.c.user == bindparam("user"))
        )
    )
    .where(attachments.c.file == bindparam("file"), messages.c.deleted.is_(None))
    .limit(1)
)
IS_IN = (
    select(1)
    .select_from(attachments.join(messages, messages.c.id == attachments.c.message))
    .where(
        attachments.c.file == bindparam("file"),
        messages.c.conversation == bindparam("conversation"),
        messages.c.deleted.is_(None),
    )
    .limit(1)
)
UNLOCK = (
    upsert(file_unlocks).values({name: bindparam(name) for name in ("file", "user", "at")}).on_conflict_do_nothing()
)
IS_UNLOCKED = select(1).where(file_unlocks.c.file == bindparam("file"), file_unlocks.c.user.in_((0, bindparam("user"))))
_has_message = exists().where(attachments.c.file == _F.id)
HAS_MESSAGE = select(1).where(_F.id == bindparam("file"), _has_message)
OF_MESSAGE = select(attachments.c.file).where(
    attachments.c.message == bindparam("message"), attachments.c.file.is_not(None)
)
UNUSED = (
    select(_F.id, _F.digest, _has_message, (_F.attached == 1) | (_F.created < bindparam("before")))
    .where(_F.id > bindparam("after"))
    .order_by(_F.id)
    .limit(bindparam("limit"))
)
_P = bindparam
LISTED = (
    select(_F.id, _F.name, _F.type, _F.size, _F.digest, _F.width, _F.created, _has_message, users.c.id, users.c.name)
    .select_from(files.join(users, users.c.id == _F.owner))
    .where(
        _F.id > _P("after"),
        or_(_P("owner") == 0, _F.owner == _P("owner")),
        _F.created < _P("before"),
        _F.size >= _P("larger"),
        or_(_P("drafts") == 0, ~_has_message),
    )
    .order_by(_F.id)
    .limit(_P("limit"))
)
ADD_UNUSED = upsert(unused_contents).values(digest=bindparam("digest")).on_conflict_do_nothing()
UNUSED_CONTENTS = select(unused_contents.c.digest).limit(bindparam("limit"))
DELETE_UNUSED = delete(unused_contents).where(unused_contents.c.digest == bindparam("digest"))
HAS_CONTENT = select(1).where(_F.digest == bindparam("digest")).limit(1)
