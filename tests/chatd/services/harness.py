"""A harness for tests of services: its own database, and commands that run one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chatd.services.context import Actor, Completed, ServiceContext, ServiceRules, authorise
from chatd.services.table import SERVICES
from chatd.store.compiled.schema import SCHEMA
from chatd.store.queries import users
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import Transaction
from protocol.commands import Command
from protocol.events import Event
from protocol.ids import Key, Ref

START = 1_700_000_000_000


class ServiceHarness:
    """Runs commands as users. `published` has the events of the last command, in order."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.published: list[Event] = []

    async def add_user(self, name: str, *, admin: bool = False) -> Actor:
        user = await self.database.write(lambda tx: users.add(tx, name=name))
        return Actor(user.ref, user.name, admin)

    async def perform(self, actor: Actor, command: Command) -> Any:
        authorise(actor, command)
        completed = await self.database.write(lambda tx: self.run_service(tx, actor, command))
        self.published = [one.event for one in completed.published]
        return completed.result

    def run_service(self, tx: Transaction, actor: Actor, command: Command) -> Completed:
        context = ServiceContext(tx, actor, ServiceRules())
        return Completed(SERVICES[type(command)].service(context, command), context.published)

    async def run_unit(self, function: Any, *args: Any, **named: Any) -> list[Event]:
        """Run a function of a context that has no command. Return the events that it published."""

        def unit(tx: Transaction) -> list[Event]:
            context = ServiceContext(tx, Actor(Ref(0, 0), ""), ServiceRules())
            function(context, *args, **named)
            return [one.event for one in context.published]

        return await self.database.write(unit)


def key(ref: Ref) -> Key:
    return Key(ref.number, ref.created_seconds)


@asynccontextmanager
async def open_harness(folder: Path) -> AsyncIterator[ServiceHarness]:
    """Open a harness. Its clock advances by one second for each batch of the writer."""
    now = iter(range(START, START + 10**9, 1000))
    async with Database.open(folder / "chatd.db", SCHEMA, clock=lambda: next(now)) as database:
        yield ServiceHarness(database)
