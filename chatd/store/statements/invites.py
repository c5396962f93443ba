"""Invites to make an account (chatd/store/queries/invites.py)."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, or_, select, update

from chatd.store.tables import invites

_I = invites.c
_COLUMNS = (_I.id, _I.admin, _I.uses, _I.expires, _I.maker, _I.created)
_USABLE = (_I.uses > 0, _I.expires > bindparam("now"))
ADD = insert(invites)
BY_HASH = select(*_COLUMNS).where(_I.hash == bindparam("hash"), *_USABLE)
ALL = select(*_COLUMNS).where(*_USABLE).order_by(_I.id)
USE = update(invites).where(_I.hash == bindparam("digest"), *_USABLE).values(uses=_I.uses - 1)
REMOVE = delete(invites).where(_I.id == bindparam("id"))
DELETE_UNUSABLE = delete(invites).where(or_(_I.uses <= 0, _I.expires <= bindparam("now")))
