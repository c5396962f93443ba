"""Files for the shell: of a running server, or of its data when no server runs.

files.list      user, before (seconds since 1970), larger (bytes), drafts; after → {files, next}
files.remove    the same                                                         → {files, next}
files.check     after, deep                                                      → {looked_at, problems, next}
contents.check  after                                                            → {looked_at, problems, next}

Each call is one step; `next` is the `after` of the next one, null at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from chatd.admin.arguments import Arguments, call_with
from chatd.admin.control_socket import Handler
from chatd.files.inventory import STEP_ROWS, Inventory
from chatd.services.accounts import find_account
from chatd.store.queries.files import FileFilter, ListedFile
from chatd.store.sqlite.database import Database


class SelectFiles(Arguments, frozen=True, kw_only=True):
    user: str | None = None
    before: float | None = None
    larger: int = 0
    drafts: bool = False
    after: int = 0


class CheckStep(Arguments, frozen=True, kw_only=True):
    after: int = 0
    deep: bool = False


class FileAdmin:
    """The calls."""

    def __init__(self, database: Database, inventory: Inventory) -> None:
        self._database = database
        self._inventory = inventory
        self.handlers: Mapping[str, Handler] = {
            "files.list": partial(call_with, SelectFiles, self.listing),
            "files.remove": partial(call_with, SelectFiles, self.remove),
            "files.check": partial(call_with, CheckStep, self.check_files),
            "contents.check": partial(call_with, CheckStep, self.check_contents),
        }

    async def listing(self, arguments: SelectFiles) -> dict[str, Any]:
        return show(await self._inventory.page(await self._filter(arguments), arguments.after))

    async def remove(self, arguments: SelectFiles) -> dict[str, Any]:
        return show(await self._inventory.remove(await self._filter(arguments), arguments.after))

    async def _filter(self, arguments: SelectFiles) -> FileFilter:
        filter = FileFilter(larger=arguments.larger, drafts=arguments.drafts)
        if arguments.user is not None:
            account = await self._database.read(partial(find_account, id_or_name=arguments.user))
            filter = msgspec.structs.replace(filter, owner=account.user.ref.number)
        if arguments.before is not None:
            filter = msgspec.structs.replace(filter, before=int(arguments.before * 1000))
        return filter

    async def check_files(self, arguments: CheckStep) -> Any:
        return msgspec.to_builtins(await self._inventory.check_files(arguments.after, deep=arguments.deep))

    async def check_contents(self, arguments: CheckStep) -> Any:
        return msgspec.to_builtins(await self._inventory.check_contents(arguments.after))


def show(found: list[ListedFile]) -> dict[str, Any]:
    return {"files": msgspec.to_builtins(found), "next": found[-1].id if len(found) == STEP_ROWS else None}
