"""Tokens of services (chatd/store/queries/service_tokens.py)."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from chatd.store.tables import service_tokens

_T = service_tokens.c
ADD = insert(service_tokens)
BY_HASH = select(_T.name, _T.scopes, _T.created).where(_T.hash == bindparam("hash"))
BY_NAME = select(_T.name, _T.scopes, _T.created).where(_T.name == bindparam("name"))
ALL = select(_T.name, _T.scopes, _T.created).order_by(_T.name)
REMOVE = delete(service_tokens).where(_T.name == bindparam("name"))
