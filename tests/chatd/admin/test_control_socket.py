"""Both sides of the control socket: the shell's is blocking, in a thread; the server's runs on Trio."""

from __future__ import annotations

import json
import os
import stat
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from chatd.admin.control_socket import FILE_NAME, CommandRefused, NoServer, answer, call_control, serve_control
from protocol.errors import CONFLICT, Refusal


async def add(arguments: dict[str, Any]) -> Any:
    if arguments.get("name") == "ada":
        raise Refusal(CONFLICT, "There is an ada already")
    return {"id": 1, **arguments}


async def fail(arguments: dict[str, Any]) -> Any:
    raise RuntimeError("canary")


HANDLERS = {"user.add": add, "fail": fail}


async def call(path: Path, name: str, /, **arguments: Any) -> Any:
    return await trio.to_thread.run_sync(partial(call_control, path, name, **arguments))


@pytest.mark.parametrize("depth", [0, 6])  # paths of unix sockets are short, paths of folders may be long
async def test_a_call_and_its_answers(tmp_path: Path, depth: int, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path.joinpath(*["a-folder-with-a-long-name"] * depth)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve_control, path, HANDLERS))
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert await call(path, "user.add", name="bob") == {"id": 1, "name": "bob"}
        with pytest.raises(CommandRefused, match=r"^There is an ada already$"):
            await call(path, "user.add", name="ada")
        with pytest.raises(CommandRefused, match="does not know that call"):
            await call(path, "nonsense")
        with pytest.raises(CommandRefused, match="its log says why"):
            await call(path, "fail")
        assert "RuntimeError: canary" in capsys.readouterr().err
        assert await call(path, "user.add", name="bob") == {"id": 1, "name": "bob"}
        nursery.cancel_scope.cancel()
    assert not await trio.Path(path).exists()


async def test_the_socket_of_a_server_that_has_ended_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_text("left behind")
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve_control, path, HANDLERS))
        assert await call(path, "user.add") == {"id": 1}
        nursery.cancel_scope.cancel()


def test_without_a_server_the_call_raises_no_server(tmp_path: Path) -> None:
    with pytest.raises(NoServer):
        call_control(tmp_path / FILE_NAME, "user.add")


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"5", b"null", b'{"call": []}', b'{"call": "user.add", "arguments": 5}', b"\xff", b"[" * 9999],
)
async def test_an_invalid_line_is_answered_and_the_connection_stays(line: bytes) -> None:
    client, server = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(answer, server, HANDLERS)
        await client.send_all(line + b"\n" + b'{"call": "user.add"}\n')
        replies = b""
        while replies.count(b"\n") < 2:
            replies += await client.receive_some()
        first, second = [json.loads(reply) for reply in replies.splitlines()]
        assert first == {"ok": False, "message": "The server does not know that call"}
        assert second == {"ok": True, "data": {"id": 1}}
        await client.aclose()


async def test_a_line_that_is_too_long_ends_the_connection() -> None:
    client, server = trio.testing.memory_stream_pair()
    await client.send_all(b"x" * (1024 * 1024 + 1))
    await answer(server, HANDLERS)
