"""client.js in Node: its own cases, its tables compared with Python's, and the real server behind a relay that cuts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import trio

from chatd.client import problems, rooms
from protocol.errors import CLOSINGS, CODES
from tests import needs
from tests.chatd.client.test_server import two_in_a_room

CLIENT = Path(__file__).parent.parent.parent.parent / "chatd" / "web" / "client.js"
SENDS = 12


async def test_its_cases() -> None:
    command = [needs.node(), "--test", "--test-reporter=tap", str(needs.NODE_FOLDER / "client_cases.mjs")]
    done = await trio.run_process(command, capture_stdout=True, check=False)
    assert done.returncode == 0, done.stdout.decode()
    assert b"# pass 28" in done.stdout


async def test_its_tables_are_those_of_the_server() -> None:
    script = f"import {{ TABLES }} from {json.dumps(str(CLIENT))}; console.log(JSON.stringify(TABLES))"
    done = await trio.run_process([needs.node(), "--input-type=module", "-e", script], capture_stdout=True)
    tables = json.loads(done.stdout)
    returns = {code.close: code.retry for code in CODES.values()} | {one.code: one.retry for one in CLOSINGS.values()}
    assert tables["CAN_RECONNECT"] == {str(code): retry for code, retry in returns.items()}
    assert tables["CODE_BY_NUMBER"] == {str(number): word for number, word in problems.CODE_BY_NUMBER.items()}
    assert set(tables["RETRYABLE_CODES"]) == {code.code for code in CODES.values() if code.retry}
    assert [(row["join"], row["leave"], row["field"]) for row in tables["ROOM_CALLS"]] == [
        (row.join, row.leave, row.field) for row in rooms.ROOM_CALLS
    ]


async def test_against_the_server(tmp_path: Path) -> None:
    node = needs.node()
    async with two_in_a_room(tmp_path) as (_, between, romeo, juliet, where), trio.open_nursery() as nursery:
        arguments = {"url": f"http://127.0.0.1:{between.port}", "tokens": [romeo.token, juliet.token], "sends": SENDS}
        command = [node, str(needs.NODE_FOLDER / "client_server.mjs"), json.dumps(arguments | where)]
        start = partial(trio.run_process, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process: trio.Process = await nursery.start(start, command)
        printed: dict[str, list[Any]] = {"refused": [], "acked": [], "received": [], "gap": []}
        assert process.stdin
        with trio.fail_after(30):
            async for line in lines(process):
                for kind in printed:
                    if kind in line:
                        printed[kind].append(line[kind])
                if "acked" in line or "received" in line:
                    if len(printed["received"]) < len(printed["acked"]):
                        continue
                    if len(printed["received"]) == len(printed["acked"]):
                        if len(printed["acked"]) % 3 == 0:
                            between.cut()
                        await process.stdin.send_all(b"\n")
    everything = [str(number) for number in range(SENDS)]
    assert printed == {"refused": ["BAD_REQUEST"], "acked": everything, "received": everything, "gap": []}
    assert between.cuts > 3


async def lines(process: trio.Process) -> AsyncIterator[dict[str, Any]]:
    rest = b""
    assert process.stdout
    async for data in process.stdout:
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield json.loads(line)
