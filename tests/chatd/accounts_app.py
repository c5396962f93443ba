"""A store with a clock of its own, and the accounts and account calls on it, for tests."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chatd.admin.accounts import AccountAdmin
from chatd.auth.identity import open_identity
from chatd.auth.passwords import Cost, Passwords
from chatd.config.settings import AuthSettings, Config, LimitSettings
from chatd.core.accounts import Accounts
from chatd.core.dispatch import PublicDispatch
from chatd.services import admission
from chatd.services.accounts import UpdatedAccount
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.schema import Schema
from chatd.store.tables import metadata
from protocol.commands import Command, Register
from protocol.errors import Refusal
from protocol.model import Tokens

NOW = 1_800_000_000.0
HOME, EVIL = "192.0.2.1", "203.0.113.9"
CHEAP = Cost(memory_kib=8, passes=1)
WORD = "correct horse"


class AccountsApp:
    """Accounts on a store with a clock of its own; `changes` are the changes that a running server would receive."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.config = Config(auth=AuthSettings(registration="open"), limits=LimitSettings(registrations_per_address=0))
        self.database = database
        self.now = NOW
        self.changes: list[UpdatedAccount] = []
        self.identity = open_identity(self.config, folder, now=lambda: self.now)
        self.accounts = Accounts(self.config, database, self.identity, passwords=Passwords(CHEAP))
        self.account_admin = AccountAdmin(self.accounts, self.changes.append)

    def set(self, **auth: Any) -> None:
        self.configure(auth=msgspec.structs.replace(self.config.auth, **auth))

    def configure(self, **sections: Any) -> None:
        """Use other sections of the configuration, as SIGHUP does."""
        self.config = msgspec.structs.replace(self.config, **sections)
        self.accounts.adopt(self.config)

    async def perform(self, command: Command, address: str) -> Any:
        return await PublicDispatch(self.accounts.services).request(command, address)

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


@asynccontextmanager
async def accounts_on_a_store(folder: Path) -> AsyncIterator[AccountsApp]:
    clock = [lambda: int(NOW * 1000)]
    async with Database.open(folder / "chatd.db", Schema.of(metadata), clock=lambda: clock[0]()) as database:
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
