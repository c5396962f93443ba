"""tus-js-client, unmodified: an upload goes on through ten kills of the server, and its content agrees."""

from __future__ import annotations

import hashlib
import random
import subprocess
from functools import partial
from pathlib import Path

import trio

from tests import needs
from tests.outside.raw import Raw
from tests.outside.server import UNLIMITED, Chatd, token
from tests.scenes.chat_server import Rest

SCRIPT = needs.NODE_FOLDER / "tus_upload.mjs"
KILLS = 10
LINES = 160_000


async def test_tus_js_client_goes_on_through_ten_kills(tmp_path: Path) -> None:
    program = needs.node()
    content = "".join(f"line {number} of the upload, and then some\n" for number in range(LINES)).encode()
    file = tmp_path / "content.txt"
    file.write_bytes(content)
    server = Chatd(tmp_path, UNLIMITED).start()
    try:
        async with await Raw.open(server.address, token(1)):
            pass
        command = [program, str(SCRIPT), server.address, token(1), str(file)]
        async with trio.open_nursery() as nursery:
            process = await nursery.start(partial(trio.run_process, command, stdout=subprocess.PIPE))
            kills = await kill_now_and_then(server, process.stdout)
        assert kills == KILLS
        status, _, headers = await Rest(f"http://{server.address}").ask("GET", "/files/1", token=token(1))
        assert (status, headers["ETag"]) == (200, f'"{hashlib.sha256(content).hexdigest()}"')
        assert server.stop() == 0
    finally:
        server.end()


async def kill_now_and_then(server: Chatd, output: trio.abc.ReceiveStream) -> int:
    """Kill the server at random pieces, until the upload is done; the number of kills."""
    dice, kills, text = random.Random(15), 0, b""
    with trio.fail_after(100):
        async for data in output:
            text = (text + data)[-2000:]
            assert b"failed" not in text, text
            if b"done" in text:
                break
            if kills < KILLS and dice.random() < 0.5:
                server.kill()
                kills += 1
                await trio.to_thread.run_sync(server.start)
    return kills
