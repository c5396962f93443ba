"""Connecting to a namespace when that is refused or takes long."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.outside.raw import PONG, TEXT, Raw, frame, upgrade
from tests.outside.server import SECRET
from tests.outside.server import token as signed
from tests.scenes.chat_server import ChatServer, chat_server
from tests.scenes.socketio_client import TURNED_AWAY, open_namespace
from tests.scenes.test_event_requests import fill, locked
from tests.scenes.test_resume_cases import in_a_room


async def is_refused(server: ChatServer, token: str, path: str = "/chat") -> tuple[Any, int, str]:
    """The end of a JSON-RPC connection: the last push, the close code, the reason."""
    socket = await server.socket(path, headers={"Authorization": f"Bearer {token}"})
    said: Any = None
    with trio.fail_after(20):
        while True:
            try:
                said = json.loads(await socket.get_message())
            except ConnectionClosed as closed:
                end = closed.reason
                return said, end.code if end else 1006, (end.reason if end else "") or ""


async def test_who_connects_while_nothing_can_be_written_is_told_to_come_back(tmp_path: Path) -> None:
    async with chat_server(tmp_path, data__busy_timeout="100ms", auth__secret=SECRET) as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        j = await server.rpc(juliet)
        where = f"epoch={j.ready['epoch']}&pos={j.position}&connection={j.ready['connection']}"
        await j.leaves()
        async with locked(server, tmp_path):
            for token, path in ((romeo.token, "/chat"), (juliet.token, f"/chat?{where}"), (signed(4_711), "/chat")):
                said, code, reason = await is_refused(server, token, path)
                assert (said["method"], said["params"]["code"]) == ("error", "UNAVAILABLE")
                assert (code, reason) == (1013, "try again later")
            io = await open_namespace(server, "/chat", {"token": f"Bearer {romeo.token}"})
            kind, _, body = await io.receive()
            assert (kind, body["data"]["code"]) == (TURNED_AWAY, "UNAVAILABLE")
        assert (await server.rpc(juliet)).ready["user"] == juliet.id


@pytest.mark.parametrize("calls", [3, 400], ids=["with pongs", "with so many calls that nothing more is read"])
async def test_a_client_that_takes_long_to_be_told_is_not_cut_off(tmp_path: Path, calls: int) -> None:
    settings = {"limits__ping_interval": "2s", "limits__ping_timeout": "2s", "limits__outbox_bytes": "64KiB"}
    async with chat_server(tmp_path, **settings) as server:
        romeo, juliet, j, verona = await in_a_room(server)
        where = f"epoch={j.ready['epoch']}&pos={j.position}&connection={j.ready['connection']}"
        await j.is_cut_off()
        await fill(server, romeo, verona, 1_500)
        async with await Raw.connect(server.address) as raw:
            assert (await raw.asks(upgrade(f"/chat?{where}", token=juliet.token)))[0] == 101
            for number in range(calls):
                name = "conversation:leave" if number % 2 else "conversation:join"
                call = {"id": number, "method": name, "params": {"conversationId": verona}}
                await raw.send(frame(TEXT, json.dumps(call).encode()))
            told, answered, begun = 0, list[int](), trio.current_time()
            with trio.fail_after(60):
                while len(answered) < calls:
                    message: Any = await raw.message()
                    if message.get("method") == "message:created":
                        told += 1
                        if told % 100 == 0:  # more slowly than the timeout of a silent client
                            await trio.sleep(0.45)
                            await raw.send(frame(PONG))
                    elif "id" in message:
                        answered.append(message["id"])
            assert told == 1_500
            assert answered == list(range(calls))
            assert trio.current_time() - begun > 4
