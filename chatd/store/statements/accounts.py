"""Login sessions, names, passwords and known places (chatd/store/queries/accounts.py)."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from chatd.store.dialect_functions import upsert
from chatd.store.tables import known_places, refresh_tokens, users

MAX_KNOWN_PLACES = 32
"""How many places are kept of a user: the latest ones."""

_T = refresh_tokens.c
ADD = insert(refresh_tokens).values(
    {name: bindparam(name) for name in ("family", "hash", "user", "created", "expires", "used", "device")}
)
FIND = select(_T.hash, _T.user, _T.expires).where(_T.family == bindparam("family"))
RENEW = (
    update(refresh_tokens)
    .where(_T.family == bindparam("session"))
    .values(hash=bindparam("hash"), expires=bindparam("expires"), used=bindparam("used"))
)
OF_USER = (
    select(_T.family, _T.device, _T.created, _T.used, _T.expires)
    .where(_T.user == bindparam("user"), _T.expires > bindparam("now"))
    .order_by(func.coalesce(_T.used, _T.created).desc(), _T.family)
)
PASSWORD_OF = select(users.c.password).where(users.c.id == bindparam("user"))
DELETE = delete(refresh_tokens).where(_T.family == bindparam("family"))
DELETE_OF_USER = delete(refresh_tokens).where(_T.user == bindparam("user"))
DELETE_EXPIRED = delete(refresh_tokens).where(_T.expires <= bindparam("now"))
IDS_WITH_HANDLE = select(users.c.id).where(
    or_(users.c.name == bindparam("handle"), users.c.email == bindparam("handle"))
)
SET_NAME = update(users).where(users.c.id == bindparam("user")).values(name=bindparam("name"))
CLEAR_SUBJECT = update(users).where(users.c.id == bindparam("user")).values(subject=None)
SET_PASSWORD = update(users).where(users.c.id == bindparam("user")).values(password=bindparam("password"))
_P = known_places.c
IS_KNOWN = select(_P.at).where(_P.user == bindparam("user"), _P.place == bindparam("place"))
_put = upsert(known_places)
ADD_PLACE = _put.on_conflict_do_update(index_elements=[_P.user, _P.place], set_={"at": _put.excluded.at})
_OLDER = select(_P.place).where(_P.user == bindparam("user")).order_by(_P.at.desc(), _P.place).offset(MAX_KNOWN_PLACES)
DELETE_OLDER = delete(known_places).where(_P.user == bindparam("user"), _P.place.in_(_OLDER))
DELETE_PLACES = delete(known_places).where(_P.user == bindparam("user"))
