"""Another program holds the database's lock: writes are refused in time, reads go on, and writes return."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import trio

from tests.outside.chatting import client, new_group
from tests.outside.raw import Raw, request
from tests.outside.server import Chatd, token


async def test_a_lock_of_another_program_is_waited_for_no_longer_than_the_setting_says(tmp_path: Path) -> None:
    server = Chatd(tmp_path, {"data.busy_timeout": "300ms"}).start()
    other = sqlite3.connect(server.data / "chatd.db", isolation_level=None)
    try:
        async with client(server.address, token(1)) as one:
            where = {"conversationId": await new_group(one, server.address, token(1), [])}
            await one.asks("message:send", {**where, "content": "before"})
            other.execute("BEGIN IMMEDIATE")
            with trio.fail_after(5):
                error = await one.is_refused("message:send", {**where, "content": "meanwhile"}, -32050)
            assert error["data"]["error"]["code"] == "UNAVAILABLE"
            async with trio.open_nursery() as nursery, await Raw.connect(server.address) as raw:
                nursery.start_soon(one.is_refused, "message:send", {**where, "content": "meanwhile"}, -32050)
                with trio.fail_after(0.25):  # the loop does not wait for the lock
                    status, _ = await raw.asks(request("GET", "/conversations", token=token(1)))
                assert status == 200
            other.execute("ROLLBACK")
            await one.asks("message:send", {**where, "content": "after"})
        assert server.stop() == 0
        assert [line for line in server.log if "Traceback" in line] == []
    finally:
        other.close()
        server.end()
