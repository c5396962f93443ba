"""Own accounts: making one, signing in, staying signed in, signing out. One method for each command.

    Register   name or address, password   → an account and a session     FORBIDDEN, CONFLICT
    Login      name or address, password   → a session                    AUTH_INVALID, RATE_LIMITED
    Refresh    a refresh token             → the next one of its session  AUTH_INVALID
    Logout     a refresh token             → nothing; ends its session, if there is one

A wrong password, an unknown name and a closed account are answered alike, after the same work. Guesses are counted and
delayed by chatd/auth/logins.py; passwords are hashed in threads by chatd/auth/passwords.py; what is written is in
chatd/services/accounts.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import trio

from chatd.auth.identity import Identity, registration_open
from chatd.auth.logins import Logins
from chatd.auth.passwords import Passwords
from chatd.auth.tokens import RefreshToken, make_refresh, read_refresh
from chatd.cli.program import program_name
from chatd.limiter import Rate
from chatd.metrics import LOGINS_FAILED
from chatd.net.proxies import block
from chatd.services import accounts as services
from chatd.services.accounts import Entrant, Pass, Person
from chatd.settings import Config, Limits
from chatd.store.database import Database
from protocol import commands as ask
from protocol.commands import Command
from protocol.errors import AUTH_INVALID, BAD_REQUEST, FORBIDDEN, Refusal
from protocol.model import Tokens

LONGEST_HANDLE = 254


class Home(Protocol):
    """The house, as far as it matters here. The configuration may change while it runs."""

    @property
    def config(self) -> Config: ...
    @property
    def database(self) -> Database: ...


class Accounts:
    """See above."""

    def __init__(
        self, home: Home, identity: Identity, *, passwords: Passwords | None = None, logins: Logins | None = None
    ) -> None:
        self.home = home
        self.identity = identity
        self.passwords = passwords or Passwords()
        self.logins = logins or make_logins(home.config.limits)
        self.address = ""
        self._methods: dict[type[Command], Callable[[Any, str], Awaitable[Tokens | None]]] = {
            ask.Register: self._register,
            ask.Login: self._login,
            ask.Refresh: self._refresh,
            ask.Logout: self._logout,
        }

    async def perform(self, command: Command, address: str) -> Tokens | None:
        """Carry out one of the four, asked from this address."""
        return await self._methods[type(command)](command, block(address))

    async def _register(self, command: ask.Register, address: str) -> Tokens:
        if not registration_open(self.home.config):
            raise Refusal(FORBIDDEN, "This server makes no accounts for strangers; ask its administrator for one")
        person = await self.person(command.name, command.email, command.display, command.password)
        fresh = make_refresh()
        entrant = await self.home.database.write(lambda tx: services.register(tx, person, self._pass(fresh)))
        self.logins.recognise(key_of(entrant.user.ref.number), address)
        return self._tokens(entrant, fresh)

    async def person(
        self, name: str | None, email: str | None, display: str | None, password: str | None, *, admin: bool = False
    ) -> Person:
        """Somebody new, checked. Without a name they are called by their address."""
        if email is not None:
            email = services.check_email(email)
        name = services.check_name(name) if name is not None else services.name_from(email)
        display = services.check_display(display) if display else None
        hashed = await self.passwords.hash(password) if password is not None else None
        return Person(name, email, display, hashed, admin)

    async def _login(self, command: ask.Login, address: str) -> Tokens:
        handle = command.name if command.name is not None else command.email
        if handle is None:
            raise Refusal(BAD_REQUEST, "A username or an email is needed", field="username")
        account = await self.home.database.read(lambda tx: services.claimant(tx, command.name, command.email))
        key = key_of(account.user.ref.number) if account else handle[:LONGEST_HANDLE].lower()
        attempt = self.logins.ask(key, address, trio.current_time())
        await trio.sleep(attempt.wait)
        stored = account.password if account else None
        right = await self.passwords.verify(stored, command.password)
        entrant, fresh = None, make_refresh()
        if account and stored and right and not account.user.disabled:
            stale = self.passwords.needs_rehash(stored)
            rehashed = await self.passwords.hash(command.password) if stale else None
            session = self._pass(fresh)
            entrant = await self.home.database.write(lambda tx: services.sign_in(tx, account, session, rehashed))
        if entrant is None:
            LOGINS_FAILED.add()
            raise self.logins.failed(attempt, trio.current_time())
        self.logins.succeeded(attempt)
        return self._tokens(entrant, fresh)

    async def _refresh(self, command: ask.Refresh, address: str) -> Tokens:
        shown = read_refresh(command.refresh)
        fresh = shown.next()
        entrant = await self.home.database.write(lambda tx: services.renew(tx, self._pass(shown), self._pass(fresh)))
        if entrant is None:
            raise Refusal(AUTH_INVALID, "The refresh token is not valid any more")
        return self._tokens(entrant, fresh)

    async def _logout(self, command: ask.Logout, address: str) -> None:
        if command.refresh is not None:
            family = read_refresh(command.refresh).family_digest
            await self.home.database.write(lambda tx: services.sign_out(tx, family))

    def _pass(self, token: RefreshToken) -> Pass:
        return Pass(token.family_digest, token.digest, int(self.home.config.auth.refresh_ttl * 1000))

    def _tokens(self, entrant: Entrant, fresh: RefreshToken) -> Tokens:
        ttl = self.home.config.auth.access_ttl
        return Tokens(entrant.user, self.access(entrant, ttl), fresh.text, int(ttl))

    def access(self, entrant: Entrant, ttl: float, *, admin: bool = False) -> str:
        """An access token."""
        user, issued = entrant
        admin = admin or user.admin
        return self.identity.issuer.access(user.ref.number, ttl=ttl, name=user.name, admin=admin, issued=issued)


def key_of(user: int) -> str:
    """What guesses at an account are counted by, whichever of its names they use. (Nobody's name is digits only.)"""
    return str(user)


def make_logins(limits: Limits) -> Logins:
    """The counters that the settings ask for."""
    return Logins(
        Rate(limits.logins_per_account, limits.logins_per_account_burst),
        Rate(limits.logins_per_address, limits.logins_per_address_burst),
    )


def first_steps(count: int, *, foreign: bool = False) -> str | None:
    """What to say at the start of a server with so many users: how to make the first, where nobody else makes them."""
    if count or foreign:
        return None
    return f"there is no user yet; make the first administrator with: {program_name()} user add NAME --admin"
