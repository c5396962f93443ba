"""No input leaves a task behind: the same inputs against a server in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trio

from tests.outside.hostile_calls import ODD
from tests.outside.hostile_frames import BROKEN
from tests.outside.hostile_http import PASSED_OVER, REFUSED
from tests.outside.raw import TEXT, Raw, frame
from tests.outside.server import until
from tests.scenes.chat_server import chat_server


def living() -> int:
    return trio.lowlevel.current_statistics().tasks_living


async def batch(raw: Raw) -> list[Any]:
    """The next message that is a list."""
    while True:
        said: Any = await raw.message()
        if isinstance(said, list):
            return said


async def test_no_task_and_no_connection_is_left_by_hostile_input(tmp_path: Path) -> None:
    async with chat_server(tmp_path, limits__connections_per_address="0", limits__json_values="0") as server:
        tybalt = await server.register("tybalt")
        await server.rest.ask("GET", "/nothing")
        await (await server.rpc(tybalt)).leaves()  # everything that is made once exists by now
        await until(lambda: not server.running.app.connections)
        before = living()
        for data, _ in BROKEN.values():
            async with await Raw.open(server.address, tybalt.token) as raw:
                await raw.send(data)
                await raw.closed()
        for text in ODD.values():
            async with await Raw.open(server.address, tybalt.token) as raw:
                await raw.say(text)
                raw.cut()
        for data, _ in (*REFUSED.values(), *PASSED_OVER.values()):
            async with await Raw.connect(server.address) as raw:
                await raw.asks(data)
        async with await Raw.open(server.address, tybalt.token) as raw:
            await raw.send(frame(TEXT, b"[" + b",".join([b'{"id":1,"method":""}'] * 3_000) + b"]"))
            assert len(await batch(raw)) == 3_000  # no limit here: every call is answered, in one list
        await until(lambda: not server.running.app.connections)
        await until(lambda: living() <= before)
