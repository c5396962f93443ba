"""Users: who there is. Rows in, `User` and `Ref` out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import FromClause, bindparam, func, insert, select, update

from chatd.store.sqlite.prepared import Prepared, listed
from chatd.store.sqlite.query_cache import CachedQuery
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import members, refresh_tokens, users
from protocol.ids import Ref
from protocol.model import User


def columns(table: FromClause) -> list[Any]:
    """The columns that `user` reads, in its order."""
    c = table.c
    return [c.id, c.created, c.subject, c.name, c.display, c.email, c.avatar, c.status, c.admin, c.disabled]


WIDTH = len(columns(users))


def user(row: tuple[Any, ...]) -> User:
    id, created, subject, name, display, email, avatar, status, admin, disabled = row
    return User(
        Ref(id, created // 1000, subject),
        name,
        display,
        email,
        avatar,
        status,
        created,
        bool(admin),
        bool(disabled),
    )


class Account(NamedTuple):
    """What signing in needs, and nobody is told."""

    user: User
    password: str | None
    valid_from: int
    local: int


FIRST_OWN_ID = 2**52
"""Where the ids that chatd gives out begin on a server that trusts another issuer: that issuer's integers are below."""

_ALL = select(*columns(users))
_BY_ID = CachedQuery(_ALL.where(users.c.id == bindparam("id")), "id", user)
_BY_IDS = Prepared(_ALL.where(users.c.id.in_(listed("ids"))))
_BY_SUBJECT = Prepared(_ALL.where(users.c.subject == bindparam("subject")))
_SECRETS = select(*columns(users), users.c.password, users.c.valid_from, users.c.local)
_ACCOUNT_BY_ID = Prepared(_SECRETS.where(users.c.id == bindparam("id")))
_ACCOUNT_BY_NAME = Prepared(_SECRETS.where(users.c.name == bindparam("name")))
_ACCOUNT_BY_EMAIL = Prepared(_SECRETS.where(users.c.email == bindparam("email")))
_INSERT = Prepared(insert(users))
_PAGE = (
    _ALL.where(users.c.disabled == 0)
    .where(func.instr(func.lower(users.c.name), bindparam("query")) > 0)
    .limit(bindparam("limit"))
)
_AFTER = Prepared(_PAGE.where(users.c.id > bindparam("id")).order_by(users.c.id))
_BEFORE = Prepared(_PAGE.where(users.c.id < bindparam("id")).order_by(users.c.id.desc()))
_EVERYBODY = Prepared(_ALL.order_by(users.c.id))
_COUNT = Prepared(select(func.count()).select_from(users))
_PROFILE = Prepared(
    update(users)
    .where(users.c.id == bindparam("user"))
    .values(display=bindparam("display"), avatar=bindparam("avatar"), status=bindparam("status"))
)
_STANDING = Prepared(
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
_SHARE = Prepared(
    select(members.c.user)
    .where(
        members.c.user == bindparam("other"),
        members.c.conversation.in_(select(members.c.conversation).where(members.c.user == bindparam("user"))),
    )
    .limit(1)
)
_FORGET_TOKENS = Prepared(refresh_tokens.delete().where(refresh_tokens.c.user == bindparam("user")))


def by_id(tx: ReadTransaction, id: int) -> User | None:
    return tx.cached(_BY_ID, id)


def many(tx: ReadTransaction, ids: Iterable[int]) -> dict[int, User]:
    """Users by id."""
    return {row[0]: user(row) for row in tx.all(_BY_IDS, ids=str(list(ids)))}


def by_subject(tx: ReadTransaction, subject: str) -> User | None:
    row = tx.one(_BY_SUBJECT, subject=subject)
    return user(row) if row else None


def account(
    tx: ReadTransaction, *, id: int | None = None, name: str | None = None, email: str | None = None
) -> Account | None:
    """The account with that id, name or email: the first that is asked for."""
    if id is not None:
        row = tx.one(_ACCOUNT_BY_ID, id=id)
    elif name is not None:
        row = tx.one(_ACCOUNT_BY_NAME, name=name)
    else:
        row = tx.one(_ACCOUNT_BY_EMAIL, email=email)
    return Account(user(row[:WIDTH]), *row[WIDTH:]) if row else None


def add(
    tx: Transaction,
    *,
    name: str,
    id: int | None = None,
    subject: str | None = None,
    email: str | None = None,
    display: str | None = None,
    password: str | None = None,
    admin: bool = False,
    local: bool = True,
    apart: bool = False,
) -> User:
    """A new user; with `id`, the one that a foreign token names. `apart` gives an id that no issuer has for another."""
    if id is None:
        if apart:
            tx.sequences["users"] = max(tx.sequences["users"], FIRST_OWN_ID - 1)
        id = tx.next_id("users")
    else:
        tx.sequences["users"] = max(tx.sequences["users"], id)
    tx.run(
        _INSERT,
        id=id,
        name=name,
        subject=subject,
        email=email,
        display=display,
        avatar=None,
        status=None,
        password=password,
        admin=int(admin),
        disabled=0,
        valid_from=0,
        created=tx.now,
        local=int(local),
    )
    return User(Ref(id, tx.now // 1000, subject), name, display, email, None, None, tx.now, admin)


def page(tx: ReadTransaction, query: str, limit: int, *, after: int = 0, before: int | None = None) -> list[User]:
    """Users whose name has `query` in it, in the order of their ids."""
    if before is not None:
        rows = tx.all(_BEFORE, query=query.lower(), limit=limit, id=before)[::-1]
    else:
        rows = tx.all(_AFTER, query=query.lower(), limit=limit, id=after)
    return [user(row) for row in rows]


def everybody(tx: ReadTransaction) -> list[User]:
    return [user(row) for row in tx.all(_EVERYBODY)]


def count(tx: ReadTransaction) -> int:
    row = tx.one(_COUNT)
    return int(row[0]) if row else 0


def share_a_conversation(tx: ReadTransaction, user: int, other: int) -> bool:
    return tx.one(_SHARE, user=user, other=other) is not None


def set_profile(tx: Transaction, user: int, display: str | None, avatar: str | None, status: str | None) -> None:
    tx.run(_PROFILE, user=user, display=display, avatar=avatar, status=status)


def set_standing(
    tx: Transaction,
    user: int,
    *,
    password: str | None,
    email: str | None,
    admin: bool,
    disabled: bool,
    valid_from: int,
) -> None:
    """What an account may do; tokens issued before `valid_from` are worth nothing."""
    tx.run(
        _STANDING,
        user=user,
        password=password,
        email=email,
        admin=int(admin),
        disabled=int(disabled),
        valid_from=valid_from,
    )


def forget_tokens(tx: Transaction, user: int) -> None:
    tx.run(_FORGET_TOKENS, user=user)
