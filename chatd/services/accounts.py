"""Accounts: names, login sessions, and the changes that administrators make.

These are plain functions that run in a transaction, like all services. chatd/core/accounts.py calls them and does the
slow work (passwords) outside the transaction.

A login session is one family of refresh tokens. One token of the family is valid at a time. An older token of the
family means that a token was stolen, so it ends this session and no other. An access token names its session by the
digest of the family (`sid`). It is invalid after the session has ended.

A sign-out advances `valid_from`. Access tokens of an earlier second are then invalid. Tokens carry whole seconds, so
`valid_from` advances to the next second, and by at least one second. A token that is issued afterwards carries that
second (`TokenGrant.issued`). So the server rejects an old token and accepts a new one of the same second.

A deleted user leaves an empty account, because messages keep their sender. The account has the name `deleted-7`, and
no password, address, subject or profile. A login to it is impossible. A token of another issuer with the same text
subject makes a new user. With the same numeric id, the user stays deleted. To keep a user out, disable the account.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import asdict

from chatd.services import audit
from chatd.services.context import ServiceContext
from chatd.store.queries import accounts, users
from chatd.store.queries.users import Account
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.errors import AUTH_INVALID, BAD_REQUEST, CONFLICT, NOT_FOUND, Refusal
from protocol.events import AccountChanged, AccountClosed, LoginSessionEnded
from protocol.model import User

MAX_NAME_CHARS, MAX_EMAIL_CHARS, MAX_DISPLAY_CHARS = 64, 254, 100
MAX_HANDLE_CHARS = 512  # of the name or address that a client sends to log in, before normalization
NAME_PATTERN = re.compile(r"[\w.@+-]+")
RESERVED_NAME_PATTERN = re.compile(r"[0-9]+|deleted(-[0-9]+)?", re.IGNORECASE)  # like an id or a deleted user
MAX_ID_DIGITS = 16
WITHOUT_JOINERS = {0x200C: None, 0x200D: None}
EMAIL_PATTERN = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]+(\.[\w-]+)*")


class NewAccount(Struct, frozen=True):
    """The checked fields of a new account. `password` is a hash; None makes a login by password impossible."""

    name: str
    email: str | None = None
    display: str | None = None
    password: str | None = None
    admin: bool = False


class RefreshRow(NamedTuple):
    """The digests of a refresh token, as the store keeps them. `family` is the `sid` of the session."""

    family: str
    hash: str
    lifetime_ms: int
    device: str | None = None


class TokenGrant(NamedTuple):
    """The user who gets an access token, and the second that the token carries."""

    user: User
    issued: int


class AccountUpdate(Struct, frozen=True):
    """The fields that an administrator changes. None keeps a field. An empty email or display removes it."""

    name: str | None = None
    email: str | None = None
    display: str | None = None
    admin: bool | None = None
    disabled: bool | None = None


# Checks


def check_name(name: str) -> str:
    """Check the name of an account, and return it normalized (NFKC), because the store compares names."""
    name = normalize_name(name) or ""
    if len(name) > MAX_NAME_CHARS or not NAME_PATTERN.fullmatch(name) or RESERVED_NAME_PATTERN.fullmatch(name):
        expected = f"1 to {MAX_NAME_CHARS} letters, digits or any of . @ + - _, and not digits only"
        raise Refusal(BAD_REQUEST, f"The name is not valid; expected {expected}", field="name")
    return name


def normalize_name(name: str) -> str | None:
    """Return the form of a name that is compared (NFKC), or None for a text that is too long.

    The cost of normalization is quadratic in the length of a run of combining marks. So the length is checked first.
    """
    return unicodedata.normalize("NFKC", name) if len(name) <= MAX_HANDLE_CHARS else None


def default_name(email: str | None) -> str:
    """Make the name of a new account from its email address."""
    if email is None:
        raise Refusal(BAD_REQUEST, "A username or an email is needed", field="name")
    try:
        return check_name(email)
    except Refusal:
        raise Refusal(
            BAD_REQUEST, "The address cannot serve as a name; send a username as well", field="name"
        ) from None


def check_email(email: str) -> str:
    if len(email) > MAX_EMAIL_CHARS or not EMAIL_PATTERN.fullmatch(email):
        raise Refusal(BAD_REQUEST, "The email address is not valid", field="email")
    return email


def check_display(display: str) -> str:
    return check_line(display, "display", MAX_DISPLAY_CHARS)


def check_line(text: str, field: str, max_chars: int) -> str:
    """Check a text of a profile: one line without control characters.

    Zero-width joiners are allowed, because emoji and Persian need them.
    """
    if len(text) > max_chars or not text.translate(WITHOUT_JOINERS).isprintable():
        raise Refusal(
            BAD_REQUEST, f"{field} must have at most {max_chars} characters, in one line without controls", field=field
        )
    return text


# Lookups


def find_account(tx: ReadTransaction, id_or_name: str) -> Account:
    """Find an account by id or name, for the shell. Deleted users are not found."""
    account = (
        users.find_account(tx, id=int(id_or_name))
        if id_or_name.isascii() and id_or_name.isdigit() and len(id_or_name) <= MAX_ID_DIGITS
        else None
    )
    account = account or _find_by_name(tx, id_or_name)
    if account is None or is_deleted(account.user):
        raise Refusal(NOT_FOUND, f"There is no user {id_or_name}")
    return account


def find_by_login(tx: ReadTransaction, name: str | None, email: str | None) -> Account | None:
    """Find the account of a login: by name, by email address, or by an address in the place of the name."""
    if name is not None:
        return _find_by_name(tx, name) or _find_by_email(tx, name)
    return _find_by_email(tx, email or "")


def _find_by_name(tx: ReadTransaction, name: str) -> Account | None:
    normalized = normalize_name(name)
    if normalized is None or not name.isprintable():  # SQLite fails on lone surrogates
        return None
    return users.find_account(tx, name=name) or users.find_account(tx, name=normalized)


def _find_by_email(tx: ReadTransaction, email: str) -> Account | None:
    usable = len(email) <= MAX_HANDLE_CHARS and "@" in email and email.isprintable()
    return users.find_account(tx, email=email) if usable else None


def list_users(tx: ReadTransaction) -> list[User]:
    """Return the users that are not deleted."""
    return [user for user in users.list_all(tx) if not is_deleted(user)]


def is_deleted(user: User) -> bool:
    return user.disabled and user.name == f"deleted-{user.ref.number}"


def _check_unused(tx: ReadTransaction, handle: str | None, noun: str, *, except_user: int = 0) -> None:
    """Check that no other account has this name or address.

    Names and addresses share one namespace. So a login finds at most one account.
    """
    if handle and any(user != except_user for user in accounts.ids_with_handle(tx, handle)):
        raise Refusal(CONFLICT, f"Another user has that {noun}", field="email" if noun == "address" else "name")


# Sessions


def register(
    context: ServiceContext,
    new_account: NewAccount,
    session: RefreshRow,
    place: str,
    *,
    above_foreign_ids: bool = False,
) -> TokenGrant:
    """Add an account and start a session. `place` is the digest of the address that the client calls from."""
    add(context, new_account, above_foreign_ids=above_foreign_ids)
    account = find_account(context.tx, new_account.name)
    return _start_session(context.tx, account, session, place)


def sign_in(
    context: ServiceContext, account: Account, session: RefreshRow, new_hash: str | None, place: str
) -> TokenGrant | None:
    """Start a session after the password was checked.

    Return None if the password was changed or the account was disabled during the check.
    """
    tx = context.tx
    current = users.find_account(tx, id=account.user.ref.number)
    if current is None or current.user.disabled or current.password != account.password:
        return None
    if new_hash is not None:
        accounts.set_password(tx, current.user.ref.number, new_hash)
    return _start_session(tx, current, session, place)


def renew(context: ServiceContext, presented: RefreshRow, replacement: RefreshRow) -> TokenGrant | None:
    """Replace a valid refresh token. An invalid token ends its session; so this function raises no Refusal."""
    tx = context.tx
    session = accounts.find_login_session(tx, presented.family)
    if session is None:
        return None
    account = users.find_account(tx, id=session.user)
    if session.hash != presented.hash or session.expires <= tx.now or account is None or account.user.disabled:
        sign_out(context, presented.family)
        return None
    accounts.renew_login_session(tx, presented.family, replacement.hash, tx.now + replacement.lifetime_ms)
    return make_grant(tx, account)


def sign_out(context: ServiceContext, family: str) -> None:
    """End a session, if it exists."""
    if accounts.delete_login_session(context.tx, family):
        context.publish(LoginSessionEnded(family))


def make_grant(tx: ReadTransaction, account: Account) -> TokenGrant:
    """Make the grant of an access token that is valid from now on."""
    return TokenGrant(account.user, max(tx.now // 1000, account.valid_from // 1000))


def _start_session(tx: Transaction, account: Account, session: RefreshRow, place: str) -> TokenGrant:
    id = account.user.ref.number
    accounts.add_login_session(tx, session.family, session.hash, id, tx.now + session.lifetime_ms, session.device)
    accounts.add_known_place(tx, id, place)
    return make_grant(tx, account)


# Changes by administrators


def add(context: ServiceContext, new_account: NewAccount, *, above_foreign_ids: bool = False) -> User:
    """Add a local user. With `above_foreign_ids`, the id is from the range that another issuer's ids do not use."""
    check_available(context.tx, new_account)
    user = users.add(
        context.tx,
        name=new_account.name,
        email=new_account.email,
        display=new_account.display,
        password=new_account.password,
        admin=new_account.admin,
        above_foreign_ids=above_foreign_ids,
    )
    _note(context, "user.add", user)
    return user


def check_available(tx: ReadTransaction, new_account: NewAccount) -> None:
    _check_unused(tx, new_account.name, "name")
    _check_unused(tx, new_account.email, "address")


def update(context: ServiceContext, id_or_name: str, changes: AccountUpdate) -> User:
    """Change an account.

    Disabling an account signs the user out. Removing administrator rights does too, but the sessions stay.
    """
    tx = context.tx
    account = find_account(tx, id_or_name)
    user, id = account.user, account.user.ref.number
    _check_unused(tx, changes.name, "name", except_user=id)
    _check_unused(tx, changes.email, "address", except_user=id)
    admin = user.admin if changes.admin is None else changes.admin
    disabled = user.disabled if changes.disabled is None else changes.disabled
    signs_out = (disabled and not user.disabled) or (user.admin and not admin)
    if changes.name is not None:
        accounts.set_name(tx, id, changes.name)
    if changes.display is not None:
        users.set_profile(tx, id, changes.display or None, user.avatar, user.status)
    if disabled:
        accounts.delete_all_login_sessions(tx, id)
    users.set_account(
        tx,
        id,
        password=account.password,
        email=user.email if changes.email is None else changes.email or None,
        admin=admin,
        disabled=disabled,
        valid_from=_next_valid_from(tx, account) if signs_out else account.valid_from,
    )
    _note(context, "user.update", user, changes)
    _publish_change(context, user, signed_out=signs_out)
    return _read_user(tx, id)


def set_password(context: ServiceContext, id_or_name: str, password: str) -> User:
    """Set a password, end each session of the user, and forget the addresses of earlier logins."""
    tx = context.tx
    account = find_account(tx, id_or_name)
    user, id = account.user, account.user.ref.number
    accounts.delete_all_login_sessions(tx, id)
    accounts.delete_known_places(tx, id)
    users.set_account(
        tx,
        id,
        password=password,
        email=user.email,
        admin=user.admin,
        disabled=user.disabled,
        valid_from=_next_valid_from(tx, account),
    )
    _note(context, "user.password", user)
    _publish_change(context, user, signed_out=True)
    return _read_user(tx, id)


def delete(context: ServiceContext, id_or_name: str) -> User:
    """Empty the account (see the module's docstring). Return the user as it was before."""
    tx = context.tx
    account = find_account(tx, id_or_name)
    id = account.user.ref.number
    accounts.delete_all_login_sessions(tx, id)
    accounts.delete_known_places(tx, id)
    users.set_profile(tx, id, None, None, None)
    accounts.set_name(tx, id, f"deleted-{id}")
    accounts.clear_subject(tx, id)
    users.set_account(
        tx, id, password=None, email=None, admin=False, disabled=True, valid_from=_next_valid_from(tx, account)
    )
    _note(context, "user.delete", account.user)
    _publish_change(context, account.user, signed_out=True)
    return account.user


def _note(context: ServiceContext, action: str, user: User, changes: AccountUpdate | None = None) -> None:
    """Record what an administrator did, with the names of the changed fields."""
    if context.actor.admin:
        names = [] if changes is None else [name for name, value in asdict(changes).items() if value is not None]
        audit.note(context, action, user=user.ref.number, detail=", ".join(names) or None)


def _publish_change(context: ServiceContext, user: User, *, signed_out: bool) -> None:
    context.publish(AccountChanged(user.ref))
    if signed_out:
        context.publish(AccountClosed(user.ref))


def grant_token(tx: ReadTransaction, id_or_name: str) -> TokenGrant:
    """Grant a token to a user, for the shell."""
    account = find_account(tx, id_or_name)
    if account.user.disabled:
        raise Refusal(AUTH_INVALID, f"The account {account.user.name} is disabled")
    return make_grant(tx, account)


def _next_valid_from(tx: Transaction, account: Account) -> int:
    return max((tx.now // 1000 + 1) * 1000, account.valid_from + 1000)


def _read_user(tx: ReadTransaction, id: int) -> User:
    user = users.by_id(tx, id)
    assert user is not None
    return user
