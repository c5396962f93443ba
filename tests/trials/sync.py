"""P1 in system calls: between a lone sender's ack and the one before it, the log was synced to the disk.

Each message is sent after the ack of the one before, so a sync that ends between two acks belongs to the second one.
strace must be installed.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.outside.chatting import client, new_group
from tests.outside.raw import Raw
from tests.outside.server import UNLIMITED, Chatd, token
from tests.trials.shell import Figures, main

CALLS = "fdatasync,fsync,sendto,write,writev,sendmsg"
SYNCED = re.compile(
    r"\b(?:fdatasync|fsync)\(\d+<[^>]*chatd\.db-wal>\)\s+= 0|<\.\.\. (?:fdatasync|fsync) resumed>\)\s+= 0"
)
ACKED = re.compile(r"\b(?:sendto|write|sendmsg)\(.*?\\\"id\\\":(\d+),\\\"result\\\":\{\\\"ok\\\":true,\\\"data\\\"")


def watched(file: Path) -> list[str]:
    """The command line that runs a program under strace with its own pid."""
    program = shutil.which("strace")
    assert program, "strace is not installed"
    return [program, "-D", "-f", "-y", "-s", "200", "-e", f"trace={CALLS}", "-o", str(file)]


async def trial(folder: Path, quick: bool) -> Figures:
    """The trial: 20 messages when it is quick, else 500."""
    messages = 20 if quick else 500
    file = folder / "calls"
    server = Chatd(folder, UNLIMITED, before=watched(file)).start()
    try:
        async with client(server.address, token(2)), client(server.address, token(1)) as one:
            where = await new_group(one, server.address, token(1), [2])
        async with await Raw.open(server.address, token(1)) as raw:
            for number in range(messages):
                answer = await raw.call("message:send", {"conversationId": where, "content": f"{number}"})
                assert answer["result"]["ok"] is True
        assert server.stop() == 0
    finally:
        server.end()
    return judge(file.read_text(), messages)


def judge(text: str, messages: int) -> Figures:
    """Check the calls in strace's output, in order."""
    syncs = acks = since = 0
    for line in text.splitlines():
        if SYNCED.search(line):
            syncs, since = syncs + 1, since + 1
        elif ACKED.search(line):
            assert since > 0, f"an ack without a sync: {line}"
            acks, since = acks + 1, 0
    assert acks == messages, f"{acks} acks were seen of {messages}"
    return {"acks": acks, "syncs in all": syncs, "acks without a sync before": 0}


if __name__ == "__main__":
    main(__doc__ or "", trial)
