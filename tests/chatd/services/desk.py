"""A desk to try services at: a database of its own, and commands carried out on it one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chatd.services.context import Actor, Completed, ServiceContext, ServiceRules, authorise
from chatd.services.table import SERVICES
from chatd.store.queries import users
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.schema import Schema
from chatd.store.sqlite.transaction import Transaction
from chatd.store.tables import metadata
from protocol.commands import Command
from protocol.events import Event
from protocol.ids import Key, Ref

START = 1_700_000_000_000


class Desk:
    """`told` is what the last command told, in order."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.told: list[Event] = []

    async def person(self, name: str, *, admin: bool = False) -> Actor:
        user = await self.database.write(lambda tx: users.add(tx, name=name))
        return Actor(user.ref, user.name, admin)

    async def does(self, actor: Actor, command: Command) -> Any:
        authorise(actor, command)
        done = await self.database.write(lambda tx: self.carry_out(tx, actor, command))
        self.told = [one.event for one in done.published]
        return done.result

    def carry_out(self, tx: Transaction, actor: Actor, command: Command) -> Completed:
        work = ServiceContext(tx, actor, ServiceRules())
        return Completed(SERVICES[type(command)].service(work, command), work.published)

    async def works(self, do: Any, *args: Any, **named: Any) -> list[Event]:
        """A piece of work that no command asks for: what it told."""

        def unit(tx: Transaction) -> list[Event]:
            work = ServiceContext(tx, Actor(Ref(0, 0), ""), ServiceRules())
            do(work, *args, **named)
            return [one.event for one in work.published]

        return await self.database.write(unit)


def key(ref: Ref) -> Key:
    return Key(ref.number, ref.created_seconds)


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    """The clock goes on by a second a batch."""
    now = iter(range(START, START + 10**9, 1000))
    async with Database.open(folder / "chatd.db", Schema.of(metadata), clock=lambda: next(now)) as database:
        yield Desk(database)
