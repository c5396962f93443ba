"""Users and their accounts. The functions return `User`, `Account` and `Ref`, made from rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from chatd.store.compiled import users as sql
from chatd.store.sqlite.query_cache import CachedQuery
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.ids import Ref
from protocol.model import User


def build_user(row: tuple[Any, ...]) -> User:
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
    """A user with the fields that only signing in needs. They are never sent to a client."""

    user: User
    password: str | None
    valid_from: int
    local: int


FIRST_LOCAL_ID = 2**52
"""The first id that chatd gives out on a server that trusts another issuer. The issuer's integers are below it."""

_BY_ID = CachedQuery(sql.BY_ID, "id", build_user)


def by_id(tx: ReadTransaction, id: int) -> User | None:
    return tx.cached(_BY_ID, id)


def many(tx: ReadTransaction, ids: Iterable[int]) -> dict[int, User]:
    """Users by id."""
    return {row[0]: build_user(row) for row in tx.all(sql.BY_IDS, ids=str(list(ids)))}


def by_subject(tx: ReadTransaction, subject: str) -> User | None:
    row = tx.one(sql.BY_SUBJECT, subject=subject)
    return build_user(row) if row else None


def find_account(
    tx: ReadTransaction, *, id: int | None = None, name: str | None = None, email: str | None = None
) -> Account | None:
    """The account with an id, a name or an email address; only the first of the arguments is used."""
    if id is not None:
        row = tx.one(sql.ACCOUNT_BY_ID, id=id)
    elif name is not None:
        row = tx.one(sql.ACCOUNT_BY_NAME, name=name)
    else:
        row = tx.one(sql.ACCOUNT_BY_EMAIL, email=email)
    return Account(build_user(row[: sql.USER_WIDTH]), *row[sql.USER_WIDTH :]) if row else None


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
    above_foreign_ids: bool = False,
) -> User:
    """Add a user; with `id`, the user that a foreign token names.

    `above_foreign_ids` takes an id from the range that no issuer uses (FIRST_LOCAL_ID and above).
    """
    if id is None:
        if above_foreign_ids:
            tx.sequences["users"] = max(tx.sequences["users"], FIRST_LOCAL_ID - 1)
        id = tx.next_id("users")
    else:
        tx.sequences["users"] = max(tx.sequences["users"], id)
    tx.run(
        sql.INSERT,
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
    """Users with `query` in their name, in the order of their ids."""
    if before is not None:
        rows = tx.all(sql.BEFORE, query=query.lower(), limit=limit, id=before)[::-1]
    else:
        rows = tx.all(sql.AFTER, query=query.lower(), limit=limit, id=after)
    return [build_user(row) for row in rows]


def list_all(tx: ReadTransaction) -> list[User]:
    return [build_user(row) for row in tx.all(sql.IN_ORDER)]


def count(tx: ReadTransaction) -> int:
    row = tx.one(sql.COUNT)
    return int(row[0]) if row else 0


def set_profile(tx: Transaction, user: int, display: str | None, avatar: str | None, status: str | None) -> None:
    tx.run(sql.SET_PROFILE, user=user, display=display, avatar=avatar, status=status)


def set_account(
    tx: Transaction,
    user: int,
    *,
    password: str | None,
    email: str | None,
    admin: bool,
    disabled: bool,
    valid_from: int,
) -> None:
    """Set an account's credentials and rights; tokens issued before `valid_from` are not valid."""
    tx.run(
        sql.SET_ACCOUNT,
        user=user,
        password=password,
        email=email,
        admin=int(admin),
        disabled=int(disabled),
        valid_from=valid_from,
    )
