"""A store with a clock of its own, and the accounts and account calls on it, for tests."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from chatd.admin.accounts import AccountAdmin
from chatd.auth.identity import open_identity
from chatd.auth.passwords import Cost, Passwords
from chatd.config.settings import AuthSettings, Config, LimitSettings
from chatd.core.accounts import Accounts
from chatd.core.background_tasks import BackgroundTasks
from chatd.core.command_limits import CommandLimits
from chatd.core.dispatch import Dispatch
from chatd.realtime.broker import Broker
from chatd.realtime.event_bus import EventBus, Publisher
from chatd.realtime.event_waiters import EventWaiters
from chatd.realtime.online_users import OnlineUsers
from chatd.realtime.viewers import Viewers
from chatd.services import admission
from chatd.services.context import SHELL, ServiceContext, anonymous
from chatd.store.compiled.schema import SCHEMA
from chatd.store.sqlite.database import Database
from protocol.commands import Command, Register
from protocol.errors import Refusal
from protocol.events import AccountChanged, AccountClosed, LoginSessionEnded
from protocol.model import Tokens

T = TypeVar("T")
NOW = 1_800_000_000.0
HOME, EVIL = "192.0.2.1", "203.0.113.9"
CHEAP = Cost(memory_kib=8, passes=1)
WORD = "correct horse"


class AccountsApp:
    """Accounts on a store with a clock of its own. `signed_out` and `changed` are users, in the order of the events."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.config = Config(auth=AuthSettings(registration="open"), limits=LimitSettings(registrations_per_address=0))
        self.database = database
        self.now = NOW
        self.signed_out: list[int] = []
        self.changed: list[int] = []
        self.ended_sessions: list[str] = []
        self.bus = EventBus()
        self.bus.after(AccountClosed, lambda event: self.signed_out.append(event.user.number))
        self.bus.after(AccountChanged, lambda event: self.changed.append(event.user.number))
        self.bus.after(LoginSessionEnded, lambda event: self.ended_sessions.append(event.sid))
        self.command_limits = CommandLimits(self.config)
        self.identity = open_identity(self.config, folder, now=lambda: self.now)
        self.accounts = Accounts(self.config, database, self.identity, passwords=Passwords(CHEAP))
        self.account_admin = AccountAdmin(self.accounts, self.commit)

    def set(self, **auth: Any) -> None:
        self.configure(auth=msgspec.structs.replace(self.config.auth, **auth))

    def configure(self, **sections: Any) -> None:
        """Use other sections of the configuration, as SIGHUP does."""
        self.config = msgspec.structs.replace(self.config, **sections)
        self.accounts.adopt(self.config)
        self.command_limits.adopt(self.config)

    async def perform(self, command: Command, address: str) -> Any:
        return await self.dispatch().request(anonymous(address), command)

    async def commit(self, unit: Callable[[ServiceContext], T]) -> T:
        return await self.dispatch().commit(SHELL, unit)

    def dispatch(self) -> Dispatch:
        """The dispatch of a server that has the present accounts."""
        return dispatch_of(self.config, self.database, self.accounts, self.command_limits, self.bus)

    async def ask(self, command: Command, address: str = HOME) -> Tokens:
        tokens: Tokens | None = await self.perform(command, address)
        assert tokens is not None
        return tokens

    async def join(self, name: str = "ada", **more: Any) -> Tokens:
        return await self.ask(Register(name=name, password=WORD, **more))

    async def do(self, call: str, **arguments: Any) -> Any:
        return await self.account_admin.handlers[call](arguments)

    async def is_accepted(self, token: str) -> bool:
        """Whether an access token is accepted."""
        claims = self.identity.verifier.verify(token)
        try:
            return await self.database.read(lambda tx: admission.find_actor(tx, claims)) is not None
        except Refusal:
            return False


def dispatch_of(
    config: Config, database: Database, accounts: Accounts, limits: CommandLimits, bus: EventBus
) -> Dispatch:
    """A dispatch without online users."""
    publisher = Publisher(bus, Broker(OnlineUsers(bus)), EventWaiters())
    return Dispatch(
        config,
        database,
        publisher,
        Viewers(database, bus),
        limits=limits.checks,
        memory_services={},
        completions={},
        task_services=accounts.services,
        start_task=BackgroundTasks().start,
    )


@asynccontextmanager
async def accounts_on_a_store(folder: Path) -> AsyncIterator[AccountsApp]:
    clock = [lambda: int(NOW * 1000)]
    async with Database.open(folder / "chatd.db", SCHEMA, clock=lambda: clock[0]()) as database:
        made = AccountsApp(database, folder)
        clock[0] = lambda: int(made.now * 1000)
        yield made


async def refused(accounts_app: AccountsApp, command: Command, address: str = HOME) -> Refusal:
    with pytest.raises(Refusal) as found:
        await accounts_app.perform(command, address)
    return found.value


def payload(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found
