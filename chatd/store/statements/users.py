"""Users and their accounts (chatd/store/queries/users.py)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import FromClause, bindparam, func, insert, select, update

from chatd.store.dialect_functions import contains, json_integers
from chatd.store.tables import users


def user_columns(table: FromClause) -> list[Any]:
    """The columns that `build_user` needs, in its order."""
    c = table.c
    return [c.id, c.created, c.subject, c.name, c.display, c.email, c.avatar, c.status, c.admin, c.disabled]


USER_WIDTH = len(user_columns(users))
_ALL = select(*user_columns(users))
BY_ID = _ALL.where(users.c.id == bindparam("id"))
BY_IDS = _ALL.where(users.c.id.in_(json_integers("ids")))
BY_SUBJECT = _ALL.where(users.c.subject == bindparam("subject"))
_ACCOUNT = select(*user_columns(users), users.c.password, users.c.valid_from, users.c.local)
ACCOUNT_BY_ID = _ACCOUNT.where(users.c.id == bindparam("id"))
ACCOUNT_BY_NAME = _ACCOUNT.where(users.c.name == bindparam("name"))
ACCOUNT_BY_EMAIL = _ACCOUNT.where(users.c.email == bindparam("email"))
INSERT = insert(users)
_PAGE = (
    _ALL.where(users.c.disabled == 0)
    .where(contains(func.lower(users.c.name), bindparam("query")))
    .limit(bindparam("limit"))
)
AFTER = _PAGE.where(users.c.id > bindparam("id")).order_by(users.c.id)
BEFORE = _PAGE.where(users.c.id < bindparam("id")).order_by(users.c.id.desc())
IN_ORDER = _ALL.order_by(users.c.id)
COUNT = select(func.count()).select_from(users)
SET_PROFILE = (
    update(users)
    .where(users.c.id == bindparam("user"))
    .values(display=bindparam("display"), avatar=bindparam("avatar"), status=bindparam("status"))
)
SET_ACCOUNT = (
    update(users)
    .where(users.c.id == bindparam("user"))
    .values(
        password=bindparam("password"),
        email=bindparam("email"),
        admin=bindparam("admin"),
        disabled=bindparam("disabled"),
        valid_from=bindparam("valid_from"),
    )
)
