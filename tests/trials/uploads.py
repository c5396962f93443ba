"""Random uploads, messages and deletions under `kill -9`: no file is lost, and nothing is left behind.

In the end each file in the database has its content on the disk, each content on the disk has a file, and each message
that was acked and not deleted has a file that its members can download.
"""

from __future__ import annotations

import hashlib
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import trio

from tests.outside.raw import Raw
from tests.outside.server import UNLIMITED, Chatd, token, until
from tests.scenes.chat_server import Rest
from tests.trials.shell import Figures, main

WORKERS = 4
CONTENTS = 30
"""So many different contents: most uploads have the same content as another one."""
LIFE_SECONDS = (0.3, 1.5)


class Worker:
    """A user who uploads, sends and deletes. `sent` are acked messages with their file."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.dice = random.Random(number)
        self.drafts: list[int] = []
        self.sent: dict[int, int] = {}
        self.doubtful: set[int] = set()
        self.acts = 0

    async def act(self, server: Chatd) -> None:
        """Do something for ever. A request that is not answered may have been carried out or not."""
        rest = Rest(f"http://{server.address}")
        while True:
            try:
                await self._act(rest)
                self.acts += 1
            except OSError:
                await trio.sleep(0.05)

    async def _act(self, rest: Rest) -> None:
        chance = self.dice.random()
        if chance < 0.4 or not (self.drafts or self.sent):
            content = b"content %d " % self.dice.randrange(CONTENTS) * 2000
            self.drafts.append((await self._ask(rest, "POST", "/files", content))["id"])
        elif chance < 0.7 and self.drafts:
            file = self.drafts.pop()
            body = {"attachments": [{"url": f"/files/{file}"}]}
            self.sent[(await self._ask(rest, "POST", "/v1/conversations/1/messages", body))["id"]] = file
        elif chance < 0.9 and self.sent:
            message = self.dice.choice(list(self.sent))
            self.doubtful.add(message)
            await self._ask(rest, "DELETE", f"/v1/messages/{message}")
            del self.sent[message]
        elif self.drafts:
            await self._ask(rest, "DELETE", f"/files/{self.drafts.pop()}")

    async def _ask(self, rest: Rest, method: str, path: str, body: Any = None) -> Any:
        status, said, _ = await rest.ask(method, path, body, token=token(self.number))
        assert status in (200, 201, 204) or (status == 404 and method == "DELETE"), (method, path, status, said)
        return said


async def trial(folder: Path, quick: bool) -> Figures:
    """The trial; 3 kills when it is quick, else 40."""
    kills, dice = (3 if quick else 40), random.Random(15)
    server = Chatd(folder, UNLIMITED).start()
    workers = [Worker(number) for number in range(1, WORKERS + 1)]
    try:
        for worker in reversed(workers):
            async with await Raw.open(server.address, token(worker.number), path="/v1") as raw:
                if worker is workers[0]:
                    members = [other.number for other in workers[1:]]
                    made = await raw.call("conversation.create", {"type": "group", "memberIds": members})
                    assert made["result"]["data"]["id"] == 1, made
        async with trio.open_nursery() as nursery:
            for worker in workers:
                nursery.start_soon(worker.act, server)
            for _ in range(kills):
                await trio.sleep(dice.uniform(*LIFE_SECONDS))
                server.kill()
                await trio.to_thread.run_sync(server.start)
            await trio.sleep(1)
            nursery.cancel_scope.cancel()
        await until(lambda: left_over(server.data) == set(), 30)
        figures = await judge(server, workers)
        assert server.stop() == 0
        assert server.faults == [], server.faults[:3]
    finally:
        server.end()
    return {"kills": kills, "acts": sum(worker.acts for worker in workers), **figures}


def digests(data: Path) -> set[str]:
    with closing(sqlite3.connect(f"file:{data / 'chatd.db'}?mode=ro", uri=True)) as database:
        return {row[0] for row in database.execute("SELECT digest FROM files")}


def left_over(data: Path) -> set[str]:
    """Contents on the disk that no file has."""
    return {path.name for path in (data / "files").glob("??/*")} - digests(data)


async def judge(server: Chatd, workers: list[Worker]) -> Figures:
    """Compare the disk with the database, and with what the workers know."""
    known = digests(server.data)
    for digest in known:
        content = (server.data / "files" / digest[:2] / digest).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest, digest
    rest, checked = Rest(f"http://{server.address}"), 0
    for worker in workers:
        for message, file in worker.sent.items():
            if message in worker.doubtful:
                continue  # its deletion was not answered
            reader = workers[worker.number % WORKERS].number
            status, _, _ = await rest.ask("GET", f"/files/{file}", token=token(reader))
            assert status == 200, f"file {file} of message {message} is lost: {status}"
            checked += 1
    return {"contents": len(known), "files of acked messages": checked, "lost or left behind": 0}


if __name__ == "__main__":
    main(__doc__ or "", trial)
