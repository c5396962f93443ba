"""Own accounts: register, log in, stay logged in, log out. Each command is a service that runs in a task.

    Register   name or address, password   → an account and a session     FORBIDDEN, CONFLICT, RATE_LIMITED
    Login      name or address, password   → a session                    AUTH_INVALID, RATE_LIMITED
    Refresh    a refresh token             → the next one of its session  AUTH_INVALID
    Logout     a refresh token             → nothing; ends its session, if there is one

Who may register is `auth.registration`; the token of an invite makes an account where it is "invite" or "open", with
the rights that the invite gives (chatd/services/invites.py).

A wrong password, an unknown name and a closed account get the same answer, after the same work. chatd/auth/logins.py
counts and delays guesses; chatd/auth/passwords.py hashes passwords in threads; chatd/services/accounts.py writes. The
callers have no token: their actor has only an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import trio

from chatd.auth.identity import Identity
from chatd.auth.logins import LoginLimiter, account_key
from chatd.auth.passwords import Passwords
from chatd.auth.tokens import RefreshToken, digest, make_refresh_token, parse_refresh_token
from chatd.config.settings import Config, LimitSettings, ServerSettings
from chatd.rate_limit import Rate
from chatd.services import accounts as services
from chatd.services import devices, invites
from chatd.services.accounts import NewAccount, RefreshRow, TokenGrant
from chatd.services.context import Actor, Commit, ServiceContext, TaskService
from chatd.store.queries import accounts as stored
from chatd.store.queries.users import Account
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import ReadTransaction
from chatd.telemetry.metrics import LOGINS_FAILED
from protocol import commands as ask
from protocol.commands import Command
from protocol.errors import AUTH_INVALID, BAD_REQUEST, FORBIDDEN, Refusal
from protocol.model import Tokens

REGISTRATION_CLOSED = "Registration is closed on this server; ask its administrator for an account"
INVITE_NEEDED = "An invite is needed to register on this server; ask its administrator for one"
ANY_ADDRESS = (("0.0.0.0:", "127.0.0.1:"), ("[::]:", "[::1]:"))


class Accounts:
    """The services of the four commands, in the table `services`; and what administrators need to make accounts."""

    def __init__(
        self,
        config: Config,
        database: Database,
        identity: Identity,
        *,
        passwords: Passwords | None = None,
        logins: LoginLimiter | None = None,
    ) -> None:
        limits = config.limits
        self.config = config
        self.database = database
        self.identity = identity
        self.passwords = passwords or Passwords()
        self.logins = logins or LoginLimiter(*login_rates(limits))
        self._setup: str | None = None
        self.services: Mapping[type[Command], TaskService] = {
            ask.Register: self._register,
            ask.Login: self._login,
            ask.Refresh: self._refresh,
            ask.Logout: self._logout,
            ask.ChangeOwnPassword: self._change_password,
        }

    def adopt(self, config: Config) -> None:
        """Use other settings from now on. What was counted stays counted."""
        self.config = config
        self.logins.adopt(*login_rates(config.limits))

    # Registration

    async def _register(self, actor: Actor, command: ask.Register, commit: Commit) -> Tokens:
        registration, token, setup = self.config.auth.registration, command.invite, self._setup
        if registration == "closed":
            raise Refusal(FORBIDDEN, REGISTRATION_CLOSED)
        if token is not None:  # check it before the work of hashing a password
            await self.database.read(lambda tx: invites.check(tx, token, setup))
        elif registration != "open":
            raise Refusal(FORBIDDEN, INVITE_NEEDED)
        account = await self.new_account(command.name, command.email, command.display, command.password)
        fresh = make_refresh_token()

        def unit(context: ServiceContext) -> TokenGrant:
            admin = token is not None and invites.use(context.tx, token, setup).admin
            new_account = NewAccount(account.name, account.email, account.display, account.password, admin)
            return services.register(
                context,
                new_account,
                self._refresh_row(fresh, actor.device),
                self._place(actor),
                above_foreign_ids=self.identity.foreign,
            )

        grant = await commit(unit)
        self._setup = None  # a user exists now, so the setup token is void
        return self._tokens(grant, fresh)

    def open_setup(self) -> str:
        """A token that makes the first administrator, as long as no user exists. The token before it is void."""
        token = invites.generate()
        self._setup = digest(token)
        return token

    def link(self, kind: str, token: str, address: str = "") -> str:
        """The address at which a browser shows the token to this server.

        `address` is where the server listens; empty without a running server. The token is in the fragment, which
        browsers send to no server, so it appears in no log.
        """
        server = self.config.server
        address = server.public_url or address or configured_address(server)
        for any_address, loopback in ANY_ADDRESS:
            address = address.replace(f"//{any_address}", f"//{loopback}")
        return f"{address.rstrip('/')}/#{kind}={token}"

    async def new_account(
        self, name: str | None, email: str | None, display: str | None, password: str | None, *, admin: bool = False
    ) -> NewAccount:
        """A new account, checked. Without a name, the address gives one."""
        if email is not None:
            email = services.check_email(email)
        name = services.check_name(name) if name is not None else services.default_name(email)
        display = services.check_display(display) if display else None
        hashed = await self.passwords.hash(password) if password is not None else None
        return NewAccount(name, email, display, hashed, admin)

    # Login sessions

    async def _login(self, actor: Actor, command: ask.Login, commit: Commit) -> Tokens:
        handle = command.name if command.name is not None else command.email
        if handle is None:
            raise Refusal(BAD_REQUEST, "A username or an email is needed", field="username")
        place, address = self._place(actor), actor.address or ""
        account, familiar = await self.database.read(lambda tx: _claimant(tx, command, place))
        attempt = self.logins.request_attempt(account_key(handle), address, trio.current_time(), familiar=familiar)
        await trio.sleep(attempt.wait_seconds)
        stored = account.password if account else None
        right = await self.passwords.verify(stored, command.password)
        grant, fresh = None, make_refresh_token()
        if account and stored and right and not account.user.disabled:
            stale = self.passwords.needs_rehash(stored)
            rehashed = await self.passwords.hash(command.password) if stale else None
            session = self._refresh_row(fresh, actor.device)
            grant = await commit(
                partial(services.sign_in, account=account, session=session, new_hash=rehashed, place=place)
            )
        if grant is None:
            LOGINS_FAILED.add()
            raise self.logins.failed(attempt, trio.current_time())
        self.logins.succeeded(attempt)
        return self._tokens(grant, fresh)

    async def _refresh(self, actor: Actor, command: ask.Refresh, commit: Commit) -> Tokens:
        presented = parse_refresh_token(command.refresh)
        fresh = presented.rotate()
        renew = partial(services.renew, presented=self._refresh_row(presented), replacement=self._refresh_row(fresh))
        grant = await commit(renew)
        if grant is None:
            raise Refusal(AUTH_INVALID, "The refresh token is not valid any more")
        return self._tokens(grant, fresh)

    async def _logout(self, actor: Actor, command: ask.Logout, commit: Commit) -> None:
        if command.refresh is not None:
            await commit(partial(services.sign_out, family=parse_refresh_token(command.refresh).family_digest))

    async def _change_password(self, actor: Actor, command: ask.ChangeOwnPassword, commit: Commit) -> None:
        """Check the old password, as a login does, and set the new one. All other devices are signed out."""
        attempt = self.logins.request_attempt(account_key(actor.name), "", trio.current_time(), familiar=True)
        await trio.sleep(attempt.wait_seconds)
        current = await self.database.read(partial(stored.password_of, user=actor.id))
        if current is None:
            raise Refusal(FORBIDDEN, "This account has no password here")
        right = await self.passwords.verify(current, command.old)
        new_hash = await self.passwords.hash(command.new) if right else ""
        if not right or not await commit(partial(devices.change_password, stored=current, new_hash=new_hash)):
            refused = self.logins.failed(attempt, trio.current_time())
            if refused.code is AUTH_INVALID:  # that would say that the caller's token is not valid
                refused = Refusal(FORBIDDEN, "The password is wrong", field="password")
            raise refused
        self.logins.succeeded(attempt)

    def _place(self, actor: Actor) -> str:
        """The digest of the address that a client without a token calls from."""
        return self.identity.address_digest(actor.address or "")

    def _refresh_row(self, token: RefreshToken, device: str | None = None) -> RefreshRow:
        return RefreshRow(token.family_digest, token.digest, int(self.config.auth.refresh_ttl * 1000), device)

    def _tokens(self, grant: TokenGrant, fresh: RefreshToken) -> Tokens:
        ttl = self.config.auth.access_ttl
        return Tokens(grant.user, self.access(grant, ttl, sid=fresh.family_digest), fresh.text, int(ttl))

    def access(self, grant: TokenGrant, ttl: float, *, admin: bool = False, sid: str | None = None) -> str:
        """An access token."""
        user, issued = grant
        admin = admin or user.admin
        return self.identity.issuer.access(
            user.ref.number, ttl=ttl, name=user.name, admin=admin, issued=issued, sid=sid
        )


def _claimant(tx: ReadTransaction, command: ask.Login, place: str) -> tuple[Account | None, bool]:
    """The account that a login names, and whether it has logged in from that place before.

    An unknown name costs the same work.
    """
    account = services.find_by_login(tx, command.name, command.email)
    return account, stored.is_known_place(tx, account.user.ref.number if account else 0, place)


def configured_address(server: ServerSettings) -> str:
    """The address at which a server of this configuration listens."""
    scheme = "https" if server.tls_certificate else "http"
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{scheme}://{host}:{server.port}"


def login_rates(limits: LimitSettings) -> tuple[Rate, Rate]:
    """How often logins may fail: for one account, and from one address."""
    return (
        Rate(limits.logins_per_account, limits.logins_per_account_burst),
        Rate(limits.logins_per_address, limits.logins_per_address_burst),
    )


def first_steps(accounts: Accounts, count: int, command: str, address: str = "") -> str | None:
    """The line that says how to make the first user of a server that has none, where no other issuer makes them.

    `command` makes an administrator in a shell; `address` is where the server listens. The token of the link is shown
    nowhere else.
    """
    if count or accounts.identity.foreign:
        return None
    if accounts.config.auth.registration == "closed":
        return f"there is no user yet; make the first administrator with: {command}"
    link = accounts.link("setup", accounts.open_setup(), address)
    return f"there is no user yet; make the first administrator at {link} (once) or with: {command}"
