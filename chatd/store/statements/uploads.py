"""Uploads that may go on after a break (chatd/store/queries/uploads.py)."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, insert, select, update

from chatd.store.tables import uploads

_U = uploads.c
_COLUMNS = (_U.id, _U.owner, _U.name, _U.size, _U.expires, _U.file, _U.checked)
ADD = insert(uploads).values({name: bindparam(name) for name in ("id", "owner", "name", "size", "expires")})
BY_ID = select(*_COLUMNS).where(_U.id == bindparam("id"))
_this = _U.id == bindparam("upload")
SET_FILE = update(uploads).where(_this).values(file=bindparam("file"))
SET_CHECKED = update(uploads).where(_this).values(checked=bindparam("checked"))
DELETE = delete(uploads).where(_this)
EXPIRED = select(_U.id).where(_U.expires < bindparam("now")).limit(bindparam("limit"))
WAITING = select(func.count(), func.coalesce(func.sum(_U.size), 0)).where(
    _U.owner == bindparam("owner"), _U.file.is_(None)
)
