"""A write that shows whether the database can be written to (chatd/store/sqlite/probe.py)."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert

from chatd.store.tables import meta

ADD = insert(meta)
REMOVE = delete(meta).where(meta.c.key == bindparam("of"))
