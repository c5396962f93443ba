"""The steward: what the shell asks for, done by a running server or on the data itself.

    user.add      name, password, email, display, admin,       → user
                  subject: what another issuer's tokens call
                  them, and then no password
    user.list                                                  → [user]
    user.set      user, and what shall change of               → user
                  name, email, display, admin, disabled
    user.passwd   user, password                               → user
    user.delete   user                                         → user, as they were
    invite.make   admin, uses, ttl                             → {id, token, link, expires}, the token shown this once
    invite.list                                                → [{id, admin, uses, expires, maker, created}]
    invite.revoke id
    token.make    user, ttl, admin                             → {token, expires}
    token.check   token                                        → {user, name, admin, expires}

and what chatd/admin/notifications.py adds; beside a running server, what chatd/admin/chat.py adds as well.

Arguments are held to the structs below. A user is named by id or by name; there is no asking who may: the socket's
owner may. Whoever is signed out by it is gone at once, in the same step in which the change is known to be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import outcome
import trio
from msgspec import Struct

from chatd.admin import notifications
from chatd.admin.arguments import Arguments, Nothing, called
from chatd.admin.chat import ChatAdmin
from chatd.admin.control_socket import Handler
from chatd.auth.claims import read_subject
from chatd.auth.identity import open_identity
from chatd.auth.verifier import bearer
from chatd.config.load import ConfigError
from chatd.config.settings import Config
from chatd.core.accounts import Accounts
from chatd.core.app import App
from chatd.services import accounts as services
from chatd.services import admission, invites
from chatd.services.accounts import Changed, Changes
from chatd.store.queries import invites as stored_invites
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.schema import Schema
from chatd.store.sqlite.transaction import Transaction
from chatd.store.tables import metadata
from protocol.errors import BAD_REQUEST, Refusal
from protocol.events import AccountClosed
from protocol.model import User

DATABASE_NAME = "chatd.db"
LONGEST_TTL = 10 * 365 * 86400.0
Tell = Callable[[Changed], None]


class AddUser(Arguments, frozen=True, kw_only=True):
    name: str
    password: str | None = None
    email: str | None = None
    display: str | None = None
    admin: bool = False
    subject: str | None = None


class MakeInvite(Arguments, frozen=True, kw_only=True):
    admin: bool = False
    uses: int = 1
    ttl: float


class Revoke(Arguments, frozen=True, kw_only=True):
    id: int


class NamedUser(Arguments, frozen=True, kw_only=True):
    user: str


class ChangeUser(NamedUser, frozen=True, kw_only=True):
    name: str | None = None
    email: str | None = None
    display: str | None = None
    admin: bool | None = None
    disabled: bool | None = None


class ChangePassword(NamedUser, frozen=True, kw_only=True):
    password: str


class MakeToken(NamedUser, frozen=True, kw_only=True):
    ttl: float | None = None
    admin: bool = False


class CheckToken(Arguments, frozen=True, kw_only=True):
    token: str


class AccountAdmin:
    """Does it. `tell` hears of every change to a user, on the Trio thread, as soon as it is kept."""

    def __init__(self, accounts: Accounts, tell: Tell) -> None:
        self._accounts = accounts
        self._database = accounts.app.database
        self._tell = tell
        self.handlers: Mapping[str, Handler] = {
            "user.add": partial(called, AddUser, self.add),
            "user.list": partial(called, Nothing, self.everybody),
            "user.set": partial(called, ChangeUser, self.change),
            "user.passwd": partial(called, ChangePassword, self.set_password),
            "user.delete": partial(called, NamedUser, self.delete),
            "invite.make": partial(called, MakeInvite, self.make_invite),
            "invite.list": partial(called, Nothing, self.invites),
            "invite.revoke": partial(called, Revoke, self.revoke_invite),
            "token.make": partial(called, MakeToken, self.make_token),
            "token.check": partial(called, CheckToken, self.check_token),
        }

    async def add(self, asked: AddUser) -> dict[str, Any]:
        person = await self._accounts.new_account(
            asked.name, asked.email, asked.display, asked.password, admin=asked.admin
        )
        if asked.subject is not None:
            if asked.password is not None:
                raise Refusal(BAD_REQUEST, "A user of another issuer has no password here", field="password")
            subject = read_subject({"subject": asked.subject}, ("subject",))
            return shown(await self._database.write(lambda tx: admission.add_foreign(tx, subject, person)))
        apart = self._accounts.identity.foreign
        return shown(await self._database.write(lambda tx: services.add(tx, person, apart=apart)))

    async def everybody(self, asked: Nothing) -> list[dict[str, Any]]:
        return [shown(user) for user in await self._database.read(services.listing)]

    async def change(self, asked: ChangeUser) -> dict[str, Any]:
        changes = Changes(
            services.check_name(asked.name) if asked.name is not None else None,
            services.check_email(asked.email) if asked.email else asked.email,
            services.check_display(asked.display) if asked.display else asked.display,
            asked.admin,
            asked.disabled,
        )
        return await self._carry_out(lambda tx: services.change(tx, asked.user, changes))

    async def set_password(self, asked: ChangePassword) -> dict[str, Any]:
        hashed = await self._accounts.passwords.hash(asked.password)
        return await self._carry_out(lambda tx: services.set_password(tx, asked.user, hashed))

    async def delete(self, asked: NamedUser) -> dict[str, Any]:
        return await self._carry_out(lambda tx: services.delete(tx, asked.user))

    async def make_invite(self, asked: MakeInvite) -> dict[str, Any]:
        token = invites.generate()
        made = await self._database.write(
            lambda tx: invites.make(tx, token, admin=asked.admin, uses=asked.uses, ttl=asked.ttl)
        )
        return {
            "id": made.id,
            "token": token,
            "link": self._accounts.link("invite", token),
            "expires": made.expires,
        }

    async def invites(self, asked: Nothing) -> list[dict[str, Any]]:
        found = await self._database.read(stored_invites.everyone)
        return [one._asdict() | {"admin": bool(one.admin)} for one in found]

    async def revoke_invite(self, asked: Revoke) -> None:
        await self._database.write(lambda tx: invites.revoke(tx, asked.id))

    async def make_token(self, asked: MakeToken) -> dict[str, Any]:
        ttl = asked.ttl if asked.ttl is not None else self._accounts.app.config.auth.access_ttl
        if not 0 < ttl <= LONGEST_TTL:
            raise Refusal(BAD_REQUEST, "A token lasts more than nothing and at most ten years", field="ttl")
        entrant = await self._database.read(lambda tx: services.may_have_token(tx, asked.user))
        token = self._accounts.access(entrant, ttl, admin=asked.admin)
        claims = await self._accounts.identity.verifier.verify_or_fetch_keys(token)
        return {"token": token, "expires": claims.expires}

    async def check_token(self, asked: CheckToken) -> dict[str, Any]:
        """Who comes in with it; a Refusal says why nobody does."""
        claims = await self._accounts.identity.verifier.verify_or_fetch_keys(bearer(asked.token))
        actor = await self._database.read(lambda tx: admission.find_actor(tx, claims))
        if actor is not None:
            return {"user": actor.id, "name": actor.name, "admin": actor.admin, "expires": claims.expires}
        if not (claims.foreign and self._accounts.identity.provision):
            raise admission.unknown_user()
        return {"user": claims.subject, "name": claims.name, "admin": claims.admin, "expires": claims.expires}

    async def _carry_out(self, unit: Callable[[Transaction], Changed]) -> dict[str, Any]:
        """Submitted, not awaited: what is published next must not reach whoever is signed out by this."""
        changed = await self._database.submit_and_wait(unit, self._tell)
        return shown(changed.user)


def shown(user: User) -> dict[str, Any]:
    """A user, for the shell."""
    return {
        "id": user.ref.number,
        "name": user.name,
        "display": user.display,
        "email": user.email,
        "admin": user.admin,
        "disabled": user.disabled,
        "created": user.created,
    }


# Beside a running server


def handlers(app: App, accounts: Accounts) -> Mapping[str, Handler]:
    """For the control socket."""
    account_admin = AccountAdmin(accounts, partial(tell, app))
    return {**account_admin.handlers, **notifications.beside(app), **ChatAdmin(app, accounts).handlers}


def tell(app: App, changed: Changed) -> None:
    """What is remembered of a user is forgotten, and their sockets close if they are signed out."""
    app.authenticator.invalidate(changed.user.ref.number)
    if changed.signed_out:
        app.dispatch.publish(AccountClosed(changed.user.ref), None)


# Without one


class OfflineApp(Struct, frozen=True):
    """A house with nobody in it."""

    config: Config
    database: Database


def operate(config: Config, call: str, arguments: dict[str, Any]) -> Any:
    """Do one call on the data that no server runs on. Refusals, StoreProblems and ConfigErrors come out as they are."""
    return trio.run(_operate, config, call, arguments)


def has_data(config: Config) -> bool:
    """Whether the data directory has a database."""
    return (Path(config.data.directory) / DATABASE_NAME).exists()


def make_data(config: Config) -> bool:
    """Make the data directory, its secret and an empty database; False when there is a database already."""
    if has_data(config):
        return False
    make_folder(config)
    trio.run(_make_data, config)
    return True


def make_folder(config: Config) -> None:
    """The data directory, which only its owner may enter; a ConfigError says why it can't be."""
    folder = config.data.directory
    try:
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        reason = "it is a file" if isinstance(problem, FileExistsError) else problem.strerror
        raise ConfigError(f"data.directory: {folder} cannot be made ({reason})") from None


async def _make_data(config: Config) -> None:
    folder = Path(config.data.directory)
    open_identity(config, folder)
    async with Database.open(folder / DATABASE_NAME, Schema.of(metadata), busy_seconds=config.data.busy_timeout):
        pass


async def _operate(config: Config, call: str, arguments: dict[str, Any]) -> Any:
    folder = Path(config.data.directory)
    async with Database.open(
        folder / DATABASE_NAME, Schema.of(metadata), busy_seconds=config.data.busy_timeout
    ) as store:
        identity = open_identity(config, folder)
        account_admin = AccountAdmin(Accounts(OfflineApp(config, store), identity), lambda changed: None)
        known = {**account_admin.handlers, **notifications.alone(store)}
        if identity.source is None:
            return await known[call](arguments)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(identity.source.run)
            answer = await outcome.acapture(known[call], arguments)
            nursery.cancel_scope.cancel()
        return answer.unwrap()
