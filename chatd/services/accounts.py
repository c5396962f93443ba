"""Accounts: who may be called what, sessions, and what an administrator does to people. Plain functions of a
transaction, like all services; chatd/core/accounts.py does what takes time (passwords) around them.

A session is one family of refresh tokens, of which one is good at a time. Whoever shows an older one of the family has
it from a thief or is the thief: the session ends, and no other. Access tokens name the session that they were given out
for by its digest (`sid`), and are worth nothing once it has ended.

Signing somebody out moves `valid_from` on: access tokens of an earlier second are worth nothing. Tokens name whole
seconds, so it moves to the next one, and one further than it was; a token that is given out afterwards is dated to
that second (`Entrant.issued`). So of two tokens of the same second the old one is refused and the new one is not.

A user who is deleted leaves a shell: nobody can sign in to it, it has no password, address, subject or profile, and
is called `deleted-7`, for the messages stay with their sender. Whoever comes with another issuer's token for the same
text subject is a new user here; for the same numeric id they stay deleted. Disable those who shall stay outside.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from msgspec import Struct

from chatd.store.queries import accounts, users
from chatd.store.queries.users import Account
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol.errors import AUTH_INVALID, BAD_REQUEST, CONFLICT, NOT_FOUND, Refusal
from protocol.model import User

LONGEST_NAME, LONGEST_EMAIL, LONGEST_DISPLAY = 64, 254, 100
LONGEST_HANDLE = 512  # characters of a name that is still to be composed, or of whatever else a client signs in with
NAME = re.compile(r"[\w.@+-]+")
NOBODYS = re.compile(r"[0-9]+|deleted(-[0-9]+)?", re.IGNORECASE)  # would be taken for an id, or for who is gone
JOINERS = {0x200C: None, 0x200D: None}
EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]+(\.[\w-]+)*")


class NewAccount(Struct, frozen=True):
    """What a new account is made of: checked, and with a hash for a password (None: nobody signs in with one)."""

    name: str
    email: str | None = None
    display: str | None = None
    password: str | None = None
    admin: bool = False


class RefreshRow(NamedTuple):
    """A refresh token as the store may know it, and how many milliseconds it shall be good for. `family` is the sid."""

    family: str
    hash: str
    lasts: int


class TokenGrant(NamedTuple):
    """Who may have an access token, dated to which second."""

    user: User
    issued: int


class Renewal(NamedTuple):
    """What came of a refresh token: who has the next one, if it was good; and whether its session has ended."""

    entrant: TokenGrant | None = None
    ended: bool = False


class Changed(NamedTuple):
    """A user as changed, and whether whoever was signed in is not any more."""

    user: User
    signed_out: bool = False


class Changes(Struct, frozen=True):
    """What an administrator changes; None leaves it. An empty email or display takes it away."""

    name: str | None = None
    email: str | None = None
    display: str | None = None
    admin: bool | None = None
    disabled: bool | None = None


# Words


def check_name(name: str) -> str:
    """A name that somebody may have. Composed alike (NFKC), since names are compared."""
    name = composed(name) or ""
    if len(name) > LONGEST_NAME or not NAME.fullmatch(name) or NOBODYS.fullmatch(name):
        expected = f"1 to {LONGEST_NAME} letters, digits or any of . @ + - _, and not digits only"
        raise Refusal(BAD_REQUEST, f"That is no name; expected {expected}", field="name")
    return name


def composed(name: str) -> str | None:
    """A name as names are compared (NFKC); None for what is too long for one.

    Composing costs time quadratic in the length of a run of combining marks, so the length is judged first.
    """
    return unicodedata.normalize("NFKC", name) if len(name) <= LONGEST_HANDLE else None


def name_from(email: str | None) -> str:
    """What somebody is called who gives no name."""
    if email is None:
        raise Refusal(BAD_REQUEST, "A username or an email is needed", field="name")
    try:
        return check_name(email)
    except Refusal:
        raise Refusal(BAD_REQUEST, "This address makes no name; give a username as well", field="name") from None


def check_email(email: str) -> str:
    if len(email) > LONGEST_EMAIL or not EMAIL.fullmatch(email):
        raise Refusal(BAD_REQUEST, "That is no email address", field="email")
    return email


def check_display(display: str) -> str:
    return check_line(display, "display", LONGEST_DISPLAY)


def check_line(text: str, field: str, most: int) -> str:
    """A text of a profile: one line, no control characters. Joiners may stand in it, for emoji and for Persian."""
    if len(text) > most or not text.translate(JOINERS).isprintable():
        raise Refusal(
            BAD_REQUEST, f"{field} must have at most {most} characters, in one line without controls", field=field
        )
    return text


# Finding


def find(tx: ReadTransaction, who: str) -> Account:
    """By id or by name, for the shell."""
    found = users.find_account(tx, id=int(who)) if who.isascii() and who.isdigit() and len(who) < 17 else None
    found = found or _named(tx, who)
    if found is None or is_deleted(found.user):
        raise Refusal(NOT_FOUND, f"There is no user {who}")
    return found


def claimant(tx: ReadTransaction, name: str | None, email: str | None) -> Account | None:
    """Whoever means to sign in: by name, by address, or by an address where a name is asked for."""
    if name is not None:
        return _named(tx, name) or _addressed(tx, name)
    return _addressed(tx, email or "")


def _named(tx: ReadTransaction, name: str) -> Account | None:
    alike = composed(name)
    if alike is None or not name.isprintable():  # and SQLite would choke on lone surrogates
        return None
    return users.find_account(tx, name=name) or users.find_account(tx, name=alike)


def _addressed(tx: ReadTransaction, email: str) -> Account | None:
    fit = len(email) <= LONGEST_HANDLE and "@" in email and email.isprintable()
    return users.find_account(tx, email=email) if fit else None


def listing(tx: ReadTransaction) -> list[User]:
    """Everybody who is not deleted."""
    return [user for user in users.list_all(tx) if not is_deleted(user)]


def is_deleted(user: User) -> bool:
    return user.disabled and user.name == f"deleted-{user.ref.number}"


def _reserve(tx: ReadTransaction, handle: str | None, noun: str, *, but: int = 0) -> None:
    """Nobody's name may be somebody else's address, or people could not say who they are."""
    if handle and any(user != but for user in accounts.ids_with_handle(tx, handle)):
        raise Refusal(CONFLICT, f"Somebody else has that {noun}", field="email" if noun == "address" else "name")


# Sessions


def register(
    tx: Transaction, person: NewAccount, session: RefreshRow, place: str, *, apart: bool = False
) -> TokenGrant:
    add(tx, person, apart=apart)
    account = find(tx, person.name)
    return _open(tx, account, session, place)


def sign_in(
    tx: Transaction, account: Account, session: RefreshRow, rehashed: str | None, place: str
) -> TokenGrant | None:
    """A session for whoever had the right password; None when that was changed, or the account closed, meanwhile."""
    now = users.find_account(tx, id=account.user.ref.number)
    if now is None or now.user.disabled or now.password != account.password:
        return None
    if rehashed is not None:
        accounts.set_password(tx, now.user.ref.number, rehashed)
    return _open(tx, now, session, place)


def renew(tx: Transaction, shown: RefreshRow, fresh: RefreshRow) -> Renewal:
    """Another token for the one that is good. An old one ends its session, so nothing is raised."""
    session = accounts.find_login_session(tx, shown.family)
    if session is None:
        return Renewal()
    account = users.find_account(tx, id=session.user)
    if session.hash != shown.hash or session.expires <= tx.now or account is None or account.user.disabled:
        return Renewal(ended=accounts.delete_login_session(tx, shown.family))
    accounts.renew_login_session(tx, shown.family, fresh.hash, tx.now + fresh.lasts)
    return Renewal(entrant(tx, account))


def sign_out(tx: Transaction, family: str) -> bool:
    """Whether there was such a session."""
    return accounts.delete_login_session(tx, family)


def entrant(tx: ReadTransaction, account: Account) -> TokenGrant:
    """A token that the account may have as of now."""
    return TokenGrant(account.user, max(tx.now // 1000, account.valid_from // 1000))


def _open(tx: Transaction, account: Account, session: RefreshRow, place: str) -> TokenGrant:
    id = account.user.ref.number
    accounts.add_login_session(tx, session.family, session.hash, id, tx.now + session.lasts)
    accounts.add_known_place(tx, id, place)
    return entrant(tx, account)


# What administrators do


def add(tx: Transaction, person: NewAccount, *, apart: bool = False) -> User:
    """A local user. `apart`: another issuer makes users too, so the id is from the range that is not theirs."""
    name_is_free(tx, person)
    return users.add(
        tx,
        name=person.name,
        email=person.email,
        display=person.display,
        password=person.password,
        admin=person.admin,
        above_foreign_ids=apart,
    )


def name_is_free(tx: ReadTransaction, person: NewAccount) -> None:
    _reserve(tx, person.name, "name")
    _reserve(tx, person.email, "address")


def change(tx: Transaction, who: str, changes: Changes) -> Changed:
    """Closing an account signs out; so does taking the rights of an administrator, though its sessions stay."""
    account = find(tx, who)
    user, id = account.user, account.user.ref.number
    _reserve(tx, changes.name, "name", but=id)
    _reserve(tx, changes.email, "address", but=id)
    admin = user.admin if changes.admin is None else changes.admin
    disabled = user.disabled if changes.disabled is None else changes.disabled
    out = (disabled and not user.disabled) or (user.admin and not admin)
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
        valid_from=_later(tx, account) if out else account.valid_from,
    )
    return Changed(_again(tx, id), out)


def set_password(tx: Transaction, who: str, password: str) -> Changed:
    """Ends every session. No place is known any more."""
    account = find(tx, who)
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
        valid_from=_later(tx, account),
    )
    return Changed(_again(tx, id), signed_out=True)


def delete(tx: Transaction, who: str) -> Changed:
    """See above; the user as they were."""
    account = find(tx, who)
    id = account.user.ref.number
    accounts.delete_all_login_sessions(tx, id)
    accounts.delete_known_places(tx, id)
    users.set_profile(tx, id, None, None, None)
    accounts.set_name(tx, id, f"deleted-{id}")
    accounts.clear_subject(tx, id)
    users.set_account(tx, id, password=None, email=None, admin=False, disabled=True, valid_from=_later(tx, account))
    return Changed(account.user, signed_out=True)


def may_have_token(tx: ReadTransaction, who: str) -> TokenGrant:
    """A user for whom somebody at the shell wants a token."""
    account = find(tx, who)
    if account.user.disabled:
        raise Refusal(AUTH_INVALID, f"The account {account.user.name} is closed")
    return entrant(tx, account)


def _later(tx: Transaction, account: Account) -> int:
    return max((tx.now // 1000 + 1) * 1000, account.valid_from + 1000)


def _again(tx: ReadTransaction, id: int) -> User:
    user = users.by_id(tx, id)
    assert user is not None
    return user
