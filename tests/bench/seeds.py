"""Fill a chatd store with history, for the curves: how the cost of a request grows with the store.

Ten million messages over the API would take an hour. So the rows are written straight into the tables while chatd is
stopped. All conversations belong to one user, who sends the measured requests. Every second message is from another
user, who has left since. The user has read all but the last 50 messages of each conversation. A filled store is kept in
build/ and copied for each measurement.
"""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

UNREAD = 50
CONTENT = "The quick brown fox jumps over the lazy dog, and says so in full."

CONVERSATION = "INSERT INTO conversations (id, kind, creator, created) VALUES (?, 'group', ?, ?)"
MEMBER = "INSERT INTO members (conversation, user, role, joined, cursor) VALUES (?, ?, 'owner', ?, ?)"
MESSAGE = """INSERT INTO messages (id, conversation, sender, type, content, attached, created)
    VALUES (?, ?, ?, 'text', ?, 0, ?)"""
EVENT = """INSERT INTO events (position, at, kind, conversation, user, about)
    SELECT coalesce((SELECT max(position) FROM events), 0) + id, created, 'message', conversation, sender, id
    FROM messages"""


@dataclass(frozen=True)
class Seed:
    messages: int
    conversations: int

    @property
    def name(self) -> str:
        return f"{self.messages}-messages-{self.conversations}-conversations"


def spell(conversation: int, created_ms: int) -> str:
    """A conversation's id in the colon dialect: creation seconds, then the number."""
    return f"{created_ms // 1000:08x}{conversation:016x}"


def message_rows(seed: Seed, senders: tuple[int, int], begun_ms: int) -> Iterator[tuple[object, ...]]:
    """Messages of all conversations in turn, so that the rows of one conversation are not side by side."""
    for number in range(seed.messages):
        place, turn = number % seed.conversations + 1, number // seed.conversations
        yield number + 1, place, senders[turn % 2], CONTENT, begun_ms + number // 1000


def fill(database: Path, seed: Seed, user: int, other: int) -> str:
    """Write the history; the id of the first conversation."""
    now = int(time.time() * 1000)
    cursor = max(0, seed.messages - UNREAD * seed.conversations)
    link = sqlite3.connect(database)
    try:
        link.execute("PRAGMA synchronous = OFF")
        places = range(1, seed.conversations + 1)
        with link:
            link.executemany(CONVERSATION, ((place, user, now) for place in places))
            link.executemany(MEMBER, ((place, user, now, cursor) for place in places))
            link.executemany(MESSAGE, message_rows(seed, (user, other), now))
            link.execute(EVENT)
        link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        link.execute("ANALYZE")
        link.commit()
    finally:
        link.close()
    return spell(1, now)


def keep(data: Path, kept: Path, conversation: str) -> None:
    """Keep a filled store for the next measurement, atomically."""
    unfinished = kept.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    shutil.copy(data / "chatd.db", unfinished)
    (unfinished / "conversation").write_text(conversation)
    unfinished.rename(kept)
