"""Own accounts: making one, signing in, staying signed in, signing out. One method for each command.

    Register   name or address, password   → an account and a session     FORBIDDEN, CONFLICT, RATE_LIMITED
    Login      name or address, password   → a session                    AUTH_INVALID, RATE_LIMITED
    Refresh    a refresh token             → the next one of its session  AUTH_INVALID
    Logout     a refresh token             → nothing; ends its session, if there is one

Who may register is `auth.registration`; the token of an invite makes an account where it is "invite" or "open", with
the rights that the invite gives (chatd/services/invites.py).

A wrong password, an unknown name and a closed account are answered alike, after the same work. Guesses are counted and
delayed by chatd/auth/logins.py; passwords are hashed in threads by chatd/auth/passwords.py; what is written is in
chatd/services/accounts.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import trio

from chatd.auth.identity import Identity
from chatd.auth.logins import LoginLimiter, account_key
from chatd.auth.passwords import Passwords
from chatd.auth.tokens import RefreshToken, digest, make_refresh_token, parse_refresh_token
from chatd.config.settings import Config, LimitSettings, ServerSettings
from chatd.net.proxies import address_block
from chatd.rate_limit import Buckets, Rate
from chatd.services import accounts as services
from chatd.services import invites
from chatd.services.accounts import NewAccount, RefreshRow, TokenGrant
from chatd.store.queries import accounts as stored
from chatd.store.queries.users import Account
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.telemetry.metrics import LOGINS_FAILED
from protocol import commands as ask
from protocol.commands import Command
from protocol.errors import AUTH_INVALID, BAD_REQUEST, FORBIDDEN, RATE_LIMITED, Refusal
from protocol.model import Tokens

T = TypeVar("T")

CLOSED = "This server makes no accounts for strangers; ask its administrator for one"
INVITE_NEEDED = "An invite is needed to make an account here; ask the server's administrator for one"
EVERYWHERE = (("0.0.0.0:", "127.0.0.1:"), ("[::]:", "[::1]:"))
TOO_MANY = "Too many attempts to make an account from this address"


class AccountsApp(Protocol):
    """The house, as far as it matters here. The configuration may change while it runs."""

    @property
    def config(self) -> Config: ...
    @property
    def database(self) -> Database: ...


class Accounts:
    """See above. `ended` hears of each session that ends, on the Trio thread, as soon as that is committed.

    `address` is where the server listens, for links; empty on data that no server runs on.
    """

    def __init__(
        self,
        home: AccountsApp,
        identity: Identity,
        *,
        passwords: Passwords | None = None,
        logins: LoginLimiter | None = None,
    ) -> None:
        limits = home.config.limits
        self.app = home
        self.identity = identity
        self.passwords = passwords or Passwords()
        self.logins = logins or LoginLimiter(*login_rates(limits))
        self.registrations: Buckets[str] = Buckets(registration_rate(limits))
        self.renewals: Buckets[str] = Buckets(renewal_rate(limits))
        self.ended: Callable[[str], None] = lambda sid: None
        self.address = ""
        self._setup: str | None = None
        self._methods: dict[type[Command], Callable[[Any, str], Awaitable[Tokens | None]]] = {
            ask.Register: self._register,
            ask.Login: self._login,
            ask.Refresh: self._refresh,
            ask.Logout: self._logout,
        }

    def adopt(self, limits: LimitSettings) -> None:
        """Take up other limits; what was counted stays."""
        self.logins.adopt(*login_rates(limits))
        self.registrations.adopt(registration_rate(limits))
        self.renewals.adopt(renewal_rate(limits))

    async def perform(self, command: Command, address: str) -> Tokens | None:
        """Carry out one of the four, asked from this address."""
        return await self._methods[type(command)](command, address_block(address))

    # Making an account

    async def _register(self, command: ask.Register, address: str) -> Tokens:
        charge(self.registrations, address, TOO_MANY)
        registration, token, setup = self.app.config.auth.registration, command.invite, self._setup
        if registration == "closed":
            raise Refusal(FORBIDDEN, CLOSED)
        if token is not None:  # before a password is hashed for it
            await self.app.database.read(lambda tx: invites.check(tx, token, setup))
        elif registration != "open":
            raise Refusal(FORBIDDEN, INVITE_NEEDED)
        person = await self.new_account(command.name, command.email, command.display, command.password)
        fresh = make_refresh_token()

        def unit(tx: Transaction) -> TokenGrant:
            admin = token is not None and invites.use(tx, token, setup).admin
            admitted = NewAccount(person.name, person.email, person.display, person.password, admin)
            return services.register(
                tx,
                admitted,
                self._refresh_row(fresh),
                self.identity.address_digest(address),
                above_foreign_ids=self.identity.foreign,
            )

        entrant = await self.app.database.write(unit)
        self._setup = None  # there is a user
        return self._tokens(entrant, fresh)

    def open_setup(self) -> str:
        """A token that makes the first administrator, as long as there is no user. The one before is void."""
        token = invites.generate()
        self._setup = digest(token)
        return token

    def link(self, kind: str, token: str) -> str:
        """Where a browser shows the token to this server. It is in the fragment, which no server and no log gets."""
        server = self.app.config.server
        address = server.public_url or self.address or configured_address(server)
        for everywhere, here in EVERYWHERE:
            address = address.replace(f"//{everywhere}", f"//{here}")
        return f"{address.rstrip('/')}/#{kind}={token}"

    async def new_account(
        self, name: str | None, email: str | None, display: str | None, password: str | None, *, admin: bool = False
    ) -> NewAccount:
        """Somebody new, checked. Without a name they are called by their address."""
        if email is not None:
            email = services.check_email(email)
        name = services.check_name(name) if name is not None else services.default_name(email)
        display = services.check_display(display) if display else None
        hashed = await self.passwords.hash(password) if password is not None else None
        return NewAccount(name, email, display, hashed, admin)

    # Sessions

    async def _login(self, command: ask.Login, address: str) -> Tokens:
        handle = command.name if command.name is not None else command.email
        if handle is None:
            raise Refusal(BAD_REQUEST, "A username or an email is needed", field="username")
        place = self.identity.address_digest(address)
        account, familiar = await self.app.database.read(lambda tx: _claimant(tx, command, place))
        attempt = self.logins.request_attempt(account_key(handle), address, trio.current_time(), familiar=familiar)
        await trio.sleep(attempt.wait_seconds)
        stored = account.password if account else None
        right = await self.passwords.verify(stored, command.password)
        entrant, fresh = None, make_refresh_token()
        if account and stored and right and not account.user.disabled:
            stale = self.passwords.needs_rehash(stored)
            rehashed = await self.passwords.hash(command.password) if stale else None
            session = self._refresh_row(fresh)
            entrant = await self.app.database.write(lambda tx: services.sign_in(tx, account, session, rehashed, place))
        if entrant is None:
            LOGINS_FAILED.add()
            raise self.logins.failed(attempt, trio.current_time())
        self.logins.succeeded(attempt)
        return self._tokens(entrant, fresh)

    async def _refresh(self, command: ask.Refresh, address: str) -> Tokens:
        charge(self.renewals, address)
        shown = parse_refresh_token(command.refresh)
        fresh = shown.rotate()
        sid = shown.family_digest
        renewal = await self._end_with(
            lambda tx: services.renew(tx, self._refresh_row(shown), self._refresh_row(fresh)),
            lambda renewal: sid if renewal.session_ended else None,
        )
        if renewal.grant is None:
            raise Refusal(AUTH_INVALID, "The refresh token is not valid any more")
        return self._tokens(renewal.grant, fresh)

    async def _logout(self, command: ask.Logout, address: str) -> None:
        charge(self.renewals, address)
        if command.refresh is not None:
            sid = parse_refresh_token(command.refresh).family_digest
            await self._end_with(lambda tx: services.sign_out(tx, sid), lambda ended: sid if ended else None)

    async def _end_with(self, unit: Callable[[Transaction], T], ends: Callable[[T], str | None]) -> T:
        """Commit a unit that may end a session, and which one. Submitted, not awaited: what is published next must not
        reach what the session's tokens opened.
        """

        def on_commit(result: T) -> None:
            sid = ends(result)
            if sid is not None:
                self.ended(sid)

        return await self.app.database.submit_and_wait(unit, on_commit)

    def _refresh_row(self, token: RefreshToken) -> RefreshRow:
        return RefreshRow(token.family_digest, token.digest, int(self.app.config.auth.refresh_ttl * 1000))

    def _tokens(self, entrant: TokenGrant, fresh: RefreshToken) -> Tokens:
        ttl = self.app.config.auth.access_ttl
        return Tokens(entrant.user, self.access(entrant, ttl, sid=fresh.family_digest), fresh.text, int(ttl))

    def access(self, entrant: TokenGrant, ttl: float, *, admin: bool = False, sid: str | None = None) -> str:
        """An access token."""
        user, issued = entrant
        admin = admin or user.admin
        return self.identity.issuer.access(
            user.ref.number, ttl=ttl, name=user.name, admin=admin, issued=issued, sid=sid
        )


def _claimant(tx: ReadTransaction, command: ask.Login, place: str) -> tuple[Account | None, bool]:
    """Who means to sign in, and whether they have from there before. The same questions for a name that nobody has."""
    account = services.find_by_login(tx, command.name, command.email)
    return account, stored.is_known_place(tx, account.user.ref.number if account else 0, place)


def configured_address(server: ServerSettings) -> str:
    """Where a server of this configuration listens."""
    scheme = "https" if server.tls_certificate else "http"
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{scheme}://{host}:{server.port}"


def charge(buckets: Buckets[str], address: str, why: str = "You are asking too fast") -> None:
    """Take one from the address's bucket, or refuse."""
    now = trio.current_time()
    if not buckets.take(address, now):
        raise Refusal(RATE_LIMITED, why, retry_after=max(1.0, buckets.retry_after(address, now)))


def login_rates(limits: LimitSettings) -> tuple[Rate, Rate]:
    """Failed logins: of one account, of one address."""
    return (
        Rate(limits.logins_per_account, limits.logins_per_account_burst),
        Rate(limits.logins_per_address, limits.logins_per_address_burst),
    )


def registration_rate(limits: LimitSettings) -> Rate:
    return Rate(limits.registrations_per_address, limits.registrations_per_address_burst)


def renewal_rate(limits: LimitSettings) -> Rate:
    return Rate(limits.renewals_per_address, limits.renewals_per_address_burst)


def first_steps(accounts: Accounts, count: int, command: str) -> str | None:
    """The line that says how to make the first user of a server that has none, where no other issuer makes them.

    `command` makes an administrator in a shell. The link's token is shown here only.
    """
    if count or accounts.identity.foreign:
        return None
    if accounts.app.config.auth.registration == "closed":
        return f"there is no user yet; make the first administrator with: {command}"
    link = accounts.link("setup", accounts.open_setup())
    return f"there is no user yet; make the first administrator at {link} (once) or with: {command}"
