"""Notifications and service tokens for the shell: from a running server, or on its data when no server runs.

notify          user (id or name; null: all users), title, content, type      → {id}
service.make    name, scopes                                                  → {token}, which is shown only here
service.list                                                                  → [{name, scopes, created}]
service.revoke  name
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from chatd.admin.arguments import Arguments, NoArguments, call_with
from chatd.admin.control_socket import Handler
from chatd.core.app import App
from chatd.services import accounts, service_tokens
from chatd.services.context import SHELL, Commit, ServiceContext
from chatd.services.table import SERVICES
from chatd.store.queries import service_tokens as stored
from chatd.store.sqlite.database import Database
from protocol import commands as ask
from protocol.commands import Command
from protocol.ids import Key


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
    """`perform` performs a command; `commit` commits a service."""

    def __init__(self, database: Database, perform: Callable[[Command], Awaitable[Any]], commit: Commit) -> None:
        self._database = database
        self._perform = perform
        self._commit = commit
        self.handlers: Mapping[str, Handler] = {
            "notify": partial(call_with, SendNotification, self.notify),
            "service.make": partial(call_with, MakeServiceToken, self.make),
            "service.list": partial(call_with, NoArguments, self.listing),
            "service.revoke": partial(call_with, NamedService, self.revoke),
        }

    async def notify(self, arguments: SendNotification) -> dict[str, Any]:
        if arguments.user is None:
            command: Command = ask.Broadcast(title=arguments.title, content=arguments.content, type=arguments.type)
        else:
            handle = arguments.user
            user = (await self._database.read(lambda tx: accounts.find_account(tx, handle))).user
            key = Key(user.ref.number)
            command = ask.CreateNotification(
                user=key, title=arguments.title, content=arguments.content, type=arguments.type
            )
        notification = await self._perform(command)
        return {"id": notification.ref.number}

    async def make(self, arguments: MakeServiceToken) -> dict[str, Any]:
        token = service_tokens.generate()
        await self._commit(lambda context: service_tokens.make(context, arguments.name, token, arguments.scopes))
        return {"token": token}

    async def listing(self, arguments: NoArguments) -> list[dict[str, Any]]:
        return [token._asdict() for token in await self._database.read(stored.list_all)]

    async def revoke(self, arguments: NamedService) -> None:
        await self._commit(lambda context: service_tokens.revoke(context, arguments.name))


def server_handlers(app: App) -> Mapping[str, Handler]:
    """The handlers of a running server."""
    dispatch = app.dispatch
    return NotificationAdmin(app.database, partial(dispatch.request, SHELL), partial(dispatch.commit, SHELL)).handlers


def offline_handlers(database: Database, commit: Commit) -> Mapping[str, Handler]:
    """The handlers on data that no server runs on: there is no client to notify."""

    async def perform(command: Command) -> Any:
        def unit(context: ServiceContext) -> Any:
            return SERVICES[type(command)].service(context, command)

        return await commit(unit)

    return NotificationAdmin(database, perform, commit).handlers
