"""Users, invites and access tokens for the shell: from a running server, or on its data when no server runs.

    user.add      name, password, email, display, admin,       → user
                  subject: the name of the user in tokens of
                  another issuer; then there is no password
    user.list                                                  → [user]
    user.set      user, and the new values of                  → user
                  name, email, display, admin, disabled
    user.passwd   user, password                               → user
    user.delete   user                                         → user, as it was before
    invite.make   admin, uses, ttl                             → {id, token, link, expires}; token is shown only here
    invite.list                                                → [{id, admin, uses, expires, maker, created}]
    invite.revoke id
    token.make    user, ttl, admin                             → {token, expires}
    token.check   token                                        → {user, name, admin, expires}

chatd/admin/notifications.py adds its calls; beside a running server, so does chatd/admin/chat.py.

Arguments are checked against the structs below. A user is named by id or by name. There is no authorisation: the owner
of the socket may do everything. A user whom a call signs out is disconnected in the step after its commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from chatd.admin import notifications
from chatd.admin.arguments import Arguments, NoArguments, call_with
from chatd.admin.chat import ChatAdmin
from chatd.admin.control_socket import Handler
from chatd.auth.claims import read_subject
from chatd.auth.verifier import bearer
from chatd.core.accounts import Accounts
from chatd.core.app import App
from chatd.services import accounts as services
from chatd.services import admission, invites
from chatd.services.accounts import AccountUpdate
from chatd.services.context import SHELL, Commit
from chatd.store.queries import invites as stored_invites
from protocol.errors import BAD_REQUEST, Refusal
from protocol.model import User

MAX_TOKEN_SECONDS = 10 * 365 * 86400.0


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
    """The calls. `commit` commits the services; beside a running server it also publishes their events."""

    def __init__(self, accounts: Accounts, commit: Commit, address: str = "") -> None:
        self._accounts = accounts
        self._address = address
        self._database = accounts.database
        self._commit = commit
        self.handlers: Mapping[str, Handler] = {
            "user.add": partial(call_with, AddUser, self.add),
            "user.list": partial(call_with, NoArguments, self.list_users),
            "user.set": partial(call_with, ChangeUser, self.change),
            "user.passwd": partial(call_with, ChangePassword, self.set_password),
            "user.delete": partial(call_with, NamedUser, self.delete),
            "invite.make": partial(call_with, MakeInvite, self.make_invite),
            "invite.list": partial(call_with, NoArguments, self.invites),
            "invite.revoke": partial(call_with, Revoke, self.revoke_invite),
            "token.make": partial(call_with, MakeToken, self.make_token),
            "token.check": partial(call_with, CheckToken, self.check_token),
        }

    async def add(self, arguments: AddUser) -> dict[str, Any]:
        account = await self._accounts.new_account(
            arguments.name, arguments.email, arguments.display, arguments.password, admin=arguments.admin
        )
        if arguments.subject is not None:
            if arguments.password is not None:
                raise Refusal(BAD_REQUEST, "A user of another issuer has no password here", field="password")
            subject = read_subject({"subject": arguments.subject}, ("subject",))
            return describe(await self._commit(lambda context: admission.add_foreign(context.tx, subject, account)))
        apart = self._accounts.identity.foreign
        return describe(await self._commit(lambda context: services.add(context, account, above_foreign_ids=apart)))

    async def list_users(self, arguments: NoArguments) -> list[dict[str, Any]]:
        return [describe(user) for user in await self._database.read(services.list_users)]

    async def change(self, arguments: ChangeUser) -> dict[str, Any]:
        changes = AccountUpdate(
            services.check_name(arguments.name) if arguments.name is not None else None,
            services.check_email(arguments.email) if arguments.email else arguments.email,
            services.check_display(arguments.display) if arguments.display else arguments.display,
            arguments.admin,
            arguments.disabled,
        )
        return describe(await self._commit(lambda context: services.update(context, arguments.user, changes)))

    async def set_password(self, arguments: ChangePassword) -> dict[str, Any]:
        hashed = await self._accounts.passwords.hash(arguments.password)
        return describe(await self._commit(lambda context: services.set_password(context, arguments.user, hashed)))

    async def delete(self, arguments: NamedUser) -> dict[str, Any]:
        return describe(await self._commit(lambda context: services.delete(context, arguments.user)))

    async def make_invite(self, arguments: MakeInvite) -> dict[str, Any]:
        token = invites.generate()
        invite = await self._commit(
            lambda context: invites.make(
                context.tx, token, admin=arguments.admin, uses=arguments.uses, ttl=arguments.ttl
            )
        )
        return {
            "id": invite.id,
            "token": token,
            "link": self._accounts.link("invite", token, self._address),
            "expires": invite.expires,
        }

    async def invites(self, arguments: NoArguments) -> list[dict[str, Any]]:
        found = await self._database.read(stored_invites.list_usable)
        return [invite._asdict() | {"admin": bool(invite.admin)} for invite in found]

    async def revoke_invite(self, arguments: Revoke) -> None:
        await self._commit(lambda context: invites.revoke(context.tx, arguments.id))

    async def make_token(self, arguments: MakeToken) -> dict[str, Any]:
        ttl = arguments.ttl if arguments.ttl is not None else self._accounts.config.auth.access_ttl
        if not 0 < ttl <= MAX_TOKEN_SECONDS:
            raise Refusal(BAD_REQUEST, "A token lasts more than nothing and at most ten years", field="ttl")
        grant = await self._database.read(lambda tx: services.grant_token(tx, arguments.user))
        token = self._accounts.access(grant, ttl, admin=arguments.admin)
        claims = await self._accounts.identity.verifier.verify_or_fetch_keys(token)
        return {"token": token, "expires": claims.expires}

    async def check_token(self, arguments: CheckToken) -> dict[str, Any]:
        """The user that a token authenticates. The text of a Refusal is the reason why it authenticates none."""
        claims = await self._accounts.identity.verifier.verify_or_fetch_keys(bearer(arguments.token))
        actor = await self._database.read(lambda tx: admission.find_actor(tx, claims))
        if actor is not None:
            return {"user": actor.id, "name": actor.name, "admin": actor.admin, "expires": claims.expires}
        if not (claims.foreign and self._accounts.identity.provision):
            raise admission.unknown_user()
        return {"user": claims.subject, "name": claims.name, "admin": claims.admin, "expires": claims.expires}


def describe(user: User) -> dict[str, Any]:
    """A user, as the shell shows it."""
    return {
        "id": user.ref.number,
        "name": user.name,
        "display": user.display,
        "email": user.email,
        "admin": user.admin,
        "disabled": user.disabled,
        "created": user.created,
    }


def handlers(app: App, accounts: Accounts, address: str = "") -> Mapping[str, Handler]:
    """The handlers of a running server, for its control socket. `address` is where the server listens."""
    account_admin = AccountAdmin(accounts, partial(app.dispatch.commit, SHELL), address)
    return {
        **account_admin.handlers,
        **notifications.server_handlers(app),
        **ChatAdmin(app, accounts, address).handlers,
    }
