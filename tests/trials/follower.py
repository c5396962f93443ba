"""P12: `kill -9` in the middle of the search follower, while messages are sent, edited and deleted.

In the end the index has the messages of the database, each once: every text finds its message by word and by part, and
a text that was edited or deleted finds nothing.
"""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import trio

from chatd.store.search_text import fold
from tests.outside.raw import Raw
from tests.outside.server import UNLIMITED, Chatd, token, until
from tests.trials.senders import LOST
from tests.trials.shell import Figures, main

WRITERS = 4
LIFE_SECONDS = (0.15, 0.9)  # the follower makes its first step after 0.2 s


class Writer:
    """Sends, edits and deletes messages, and keeps every text that it ever wrote."""

    def __init__(self, number: int, dice: random.Random) -> None:
        self.number = number
        self.texts: list[str] = []
        self.own: list[int] = []
        self._dice = dice
        self._sent = 0

    async def write(self, server: Chatd) -> None:
        """Write for ever, over as many connections as it takes."""
        while True:
            try:
                async with await Raw.open(server.address, token(self.number), path="/v1") as raw:
                    while True:
                        await self._act(raw)
            except LOST:
                await trio.sleep(0.02)

    async def _act(self, raw: Raw) -> None:
        dice, where = self._dice.random(), {"conversationId": 1}
        self._sent += 1
        text = f"writer{self.number}text{self._sent}end"
        if dice < 0.6 or len(self.own) < 5:
            self.texts.append(text)
            answer = await raw.call("message.send", {**where, "content": text})
            self.own.append(answer["result"]["data"]["id"])
        elif dice < 0.85:
            self.texts.append(text)
            await raw.call("message.edit", {"messageId": self._dice.choice(self.own), "content": text})
        else:
            await raw.call("message.delete", {"messageId": self.own.pop(self._dice.randrange(len(self.own)))})


async def trial(folder: Path, quick: bool) -> Figures:
    """The trial; 3 kills when it is quick, else 50."""
    kills, dice = (3 if quick else 50), random.Random(14)
    server = Chatd(folder, UNLIMITED).start()
    writers = [Writer(number, random.Random(number)) for number in range(1, WRITERS + 1)]
    behind = 0
    try:
        for writer in writers:
            async with await Raw.open(server.address, token(writer.number), path="/v1") as raw:
                if writer is writers[-1]:
                    others = [other.number for other in writers[:-1]]
                    made = await raw.call("conversation.create", {"type": "group", "memberIds": others})
                    assert made["result"]["data"]["id"] == 1, made
        async with trio.open_nursery() as nursery:
            for writer in writers:
                nursery.start_soon(writer.write, server)
            for _ in range(kills):
                await trio.sleep(dice.uniform(*LIFE_SECONDS))
                server.kill()
                behind += events_behind(server.data) > 0
                await trio.to_thread.run_sync(server.start)
            nursery.cancel_scope.cancel()
        await until(lambda: caught_up(server), 60)
        assert server.stop() == 0
        assert server.faults == [], server.faults[:3]
    finally:
        server.end()
    texts = [text for writer in writers for text in writer.texts]
    return {"kills": kills, "killed while behind": behind, "texts": len(texts), **judge(server.data, texts)}


def events_behind(data: Path) -> int:
    """How many events the index of a killed server lacks."""
    with closing(sqlite3.connect(data / "chatd.db")) as database, closing(sqlite3.connect(data / "search.db")) as index:
        newest = database.execute("SELECT max(position) FROM events").fetchone()[0] or 0
        reached = index.execute("SELECT position FROM state").fetchone()
    return int(newest) - (reached[0] if reached else 0)


def caught_up(server: Chatd) -> bool:
    status = json.loads(server.run("search", "check", "--json").stdout)
    return bool(status["complete"] and status["position"] == status["newest"])


def judge(data: Path, texts: list[str]) -> Figures:
    """Compare the index with the database."""
    with closing(sqlite3.connect(data / "chatd.db")) as database, closing(sqlite3.connect(data / "search.db")) as index:
        messages = dict(database.execute("SELECT id, content FROM messages WHERE deleted IS NULL"))
        docs = dict(index.execute("SELECT id, text FROM docs"))
        assert docs == {id: fold(content) for id, content in messages.items()}, "the index has other messages"
        ids = {content: id for id, content in messages.items()}
        for text in texts:
            expected = [(ids[text],)] if text in ids else []
            for name, query in (("words", text), ("parts", text[1:-1])):
                found = index.execute(f"SELECT rowid FROM {name} WHERE {name} MATCH ?", (f'"{query}"',)).fetchall()
                assert found == expected, f"{text} in {name}: {found}, expected {expected}"
    return {"messages": len(messages), "missing, doubled or left": 0}


if __name__ == "__main__":
    main(__doc__ or "", trial)
