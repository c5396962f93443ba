"""The search index for the shell: of a running server, or of its data when no server runs.

search.rebuild    empties the index
search.advance    builds a part of it; → as search.check
search.check      → {indexed, messages, position, newest, building}
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec.structs import asdict

from chatd.admin.arguments import NoArguments, call_with
from chatd.admin.control_socket import Handler
from chatd.core.search_follower import SearchFollower

STEPS_PER_CALL = 20


class SearchAdmin:
    def __init__(self, follower: SearchFollower) -> None:
        self._follower = follower
        self.handlers: Mapping[str, Handler] = {
            "search.rebuild": partial(call_with, NoArguments, self.rebuild),
            "search.advance": partial(call_with, NoArguments, self.advance),
            "search.check": partial(call_with, NoArguments, self.check),
        }

    async def rebuild(self, arguments: NoArguments) -> None:
        await self._follower.rebuild()

    async def advance(self, arguments: NoArguments) -> dict[str, Any]:
        await self._follower.catch_up(STEPS_PER_CALL)
        return await self.check(arguments)

    async def check(self, arguments: NoArguments) -> dict[str, Any]:
        return asdict(await self._follower.status())
