"""Administration on data that no server runs on, and the creation of that data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import outcome
import trio

from chatd.admin import notifications
from chatd.admin.accounts import AccountAdmin
from chatd.admin.control_socket import Handler
from chatd.admin.files import FileAdmin
from chatd.admin.search import SearchAdmin
from chatd.auth.identity import open_identity
from chatd.config.load import ConfigError
from chatd.config.settings import Config
from chatd.core.accounts import Accounts
from chatd.core.search_follower import SearchFollower
from chatd.files.inventory import Inventory
from chatd.files.stores import open_contents
from chatd.realtime.event_bus import EventBus
from chatd.services.context import SHELL, Commit, ServiceContext, ServiceRules
from chatd.store.compiled.schema import SCHEMA
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.search_index import SearchIndex

DATABASE_NAME, SEARCH_NAME = "chatd.db", "search.db"
T = TypeVar("T")


def operate(config: Config, call: str, arguments: dict[str, Any]) -> Any:
    """Perform one call on data that no server runs on.

    Refusals, StoreProblems and ConfigErrors are raised as they are.
    """
    return trio.run(_operate, config, call, arguments)


def has_data(config: Config) -> bool:
    """Whether the data directory has a database."""
    return (Path(config.data.directory) / DATABASE_NAME).exists()


def make_data(config: Config) -> bool:
    """Create the data directory, its secret and an empty database. Return False when there is a database already."""
    if has_data(config):
        return False
    make_folder(config)
    trio.run(_make_data, config)
    return True


def make_folder(config: Config) -> None:
    """Create the data directory, which only its owner may enter. A ConfigError names what prevents that."""
    folder = config.data.directory
    try:
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        reason = "it is a file" if isinstance(problem, FileExistsError) else problem.strerror
        raise ConfigError(f"data.directory: {folder} cannot be made ({reason})") from None


async def _make_data(config: Config) -> None:
    folder = Path(config.data.directory)
    open_identity(config, folder)
    async with Database.open(folder / DATABASE_NAME, SCHEMA, busy_seconds=config.data.busy_timeout):
        pass


async def _operate(config: Config, call: str, arguments: dict[str, Any]) -> Any:
    folder = Path(config.data.directory)
    index = SearchIndex(folder / SEARCH_NAME)
    opened = Database.open(
        folder / DATABASE_NAME,
        SCHEMA,
        busy_seconds=config.data.busy_timeout,
        search=index if call.startswith("search.") else None,
    )
    async with opened as database:
        identity = open_identity(config, folder)
        commit = partial(commit_silently, database)
        account_admin = AccountAdmin(Accounts(config, database, identity), commit)
        all_handlers = {
            **account_admin.handlers,
            **notifications.offline_handlers(database, commit),
            **(file_handlers(config, database, commit) if call.startswith(("files.", "contents.")) else {}),
            **SearchAdmin(SearchFollower(database, index, EventBus())).handlers,
        }
        if identity.source is None:
            return await all_handlers[call](arguments)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(identity.source.run)
            answer = await outcome.acapture(all_handlers[call], arguments)
            nursery.cancel_scope.cancel()
        return answer.unwrap()


def file_handlers(config: Config, database: Database, commit: Commit) -> Mapping[str, Handler]:
    """The calls about files. They open the store of contents, which may be a bucket."""
    return FileAdmin(database, Inventory(database, open_contents(config), commit, trio.Lock())).handlers


async def commit_silently(database: Database, unit: Callable[[ServiceContext], T]) -> T:
    """Commit a service without a running server: durable events are stored, and no client receives an event."""
    return await database.write(lambda tx: unit(ServiceContext(tx, SHELL, ServiceRules())))
