"""The herald: notifications and service tokens, for the shell. By a running server, or on the data itself.

notify          user (id or name; nobody: everybody), title, content, type    → {id}
service.make    name, scopes                                                  → {token}, shown this once
service.list                                                                  → [{name, scopes, created}]
service.revoke  name
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from chatd.admin.arguments import Arguments, Nothing, called
from chatd.admin.control_socket import Handler
from chatd.core.app import App
from chatd.services import accounts, service_tokens
from chatd.services.context import Actor, ServiceContext, ServiceRules
from chatd.services.table import SERVICES
from chatd.store.queries import service_tokens as stored
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import Transaction
from protocol import commands as ask
from protocol.commands import Command
from protocol.ids import Key, Ref

SHELL = Actor(Ref(0, 0), "chatd", admin=True)


class SendNotification(Arguments, frozen=True, kw_only=True):
    title: str
    content: str = ""
    type: str = "system"
    user: str | None = None


class MakeServiceToken(Arguments, frozen=True, kw_only=True):
    name: str
    scopes: list[str]


class NamedService(Arguments, frozen=True, kw_only=True):
    name: str


class NotificationAdmin:
    """`perform` carries out a command; `changed` hears of a token that is worth nothing any more."""

    def __init__(
        self, database: Database, perform: Callable[[Command], Awaitable[Any]], changed: Callable[[], None]
    ) -> None:
        self._database = database
        self._perform = perform
        self._changed = changed
        self.handlers: Mapping[str, Handler] = {
            "notify": partial(called, SendNotification, self.notify),
            "service.make": partial(called, MakeServiceToken, self.make),
            "service.list": partial(called, Nothing, self.listing),
            "service.revoke": partial(called, NamedService, self.revoke),
        }

    async def notify(self, asked: SendNotification) -> dict[str, Any]:
        if asked.user is None:
            command: Command = ask.Broadcast(title=asked.title, content=asked.content, type=asked.type)
        else:
            who = asked.user
            user = (await self._database.read(lambda tx: accounts.find_account(tx, who))).user
            key = Key(user.ref.number)
            command = ask.CreateNotification(user=key, title=asked.title, content=asked.content, type=asked.type)
        made = await self._perform(command)
        return {"id": made.ref.number}

    async def make(self, asked: MakeServiceToken) -> dict[str, Any]:
        token = service_tokens.generate()
        await self._database.write(lambda tx: service_tokens.make(tx, asked.name, token, asked.scopes))
        return {"token": token}

    async def listing(self, asked: Nothing) -> list[dict[str, Any]]:
        return [one._asdict() for one in await self._database.read(stored.list_all)]

    async def revoke(self, asked: NamedService) -> None:
        await self._database.write(lambda tx: service_tokens.revoke(tx, asked.name))
        self._changed()


def beside(app: App) -> Mapping[str, Handler]:
    """By a running server."""
    return NotificationAdmin(
        app.database, partial(app.dispatch.request, SHELL), app.authenticator.invalidate_services
    ).handlers


def alone(database: Database) -> Mapping[str, Handler]:
    """On data that no server runs on, where nobody is to be told."""

    async def perform(command: Command) -> Any:
        def unit(tx: Transaction) -> Any:
            return SERVICES[type(command)].service(ServiceContext(tx, SHELL, ServiceRules()), command)

        return await database.write(unit)

    return NotificationAdmin(database, perform, lambda: None).handlers
