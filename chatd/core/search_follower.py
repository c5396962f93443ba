"""The search follower: brings what happens into the search index, behind the path of the messages.

It keeps its own position in the index, and reads the event log from there. It waits PAUSE_SECONDS before each round, so
that a busy server indexes in batches. A new index, one of another database, and one that is too far behind for the log,
are built from the messages.

After each step it pauses: PAUSE_FACTOR times as long as the step took, or BUSY_PAUSE_FACTOR times while the server is
busy. So a saturated server gives indexing 3 % of its time, and the index falls behind until there is less to do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from itertools import takewhile
from time import perf_counter, process_time
from typing import Any, NamedTuple, TypeVar

import trio
from msgspec import Struct

from chatd.realtime.event_bus import EventBus
from chatd.store.queries import event_log, search
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.search_index import Doc, IndexState, SearchIndex
from chatd.store.sqlite.transaction import ReadTransaction
from chatd.telemetry.log import log
from protocol.errors import Refusal
from protocol.events import ConversationDeleted, MessageCreated, MessageDeleted, MessageUpdated

T = TypeVar("T")

PAUSE_SECONDS = 0.2
BUSY_SHARE = 0.95
"""The server is busy if it takes so much of a processor core, indexing included."""
PAUSE_FACTOR, BUSY_PAUSE_FACTOR, MAX_PAUSE_SECONDS = 3, 30, 5.0
RETRY_SECONDS = 5.0
EVENTS_PER_STEP, MESSAGES_PER_STEP, CHARACTERS_PER_STEP = 500, 500, 400_000
"""A step ends at the first of these. The characters bound the memory that a step takes."""
MESSAGES_PER_READ = 50
CHANGING, REMOVING, CLOSING = ("message", "edit"), "delete", "close"


class Changes(NamedTuple):
    """What some events of the log change in the index, and the position that they reach."""

    docs: list[Doc]
    removed: list[int]
    closed: list[int]
    reached: int
    has_gap: bool


class Load:
    """How busy the server is."""

    def __init__(self) -> None:
        self._measured = self._began = perf_counter()
        self._cpu = process_time()

    def begin(self) -> None:
        """A step begins."""
        self._began = perf_counter()

    def pause(self) -> float:
        """A step has ended: how long to wait before the next one."""
        now, cpu = perf_counter(), process_time()
        step = now - self._began
        share = (cpu - self._cpu) / max(now - self._measured, 1e-6)
        self._measured, self._cpu = now, cpu
        return min(step * (BUSY_PAUSE_FACTOR if share > BUSY_SHARE else PAUSE_FACTOR), MAX_PAUSE_SECONDS)


class IndexStatus(Struct, frozen=True):
    """How many messages the index has, how many there are, and the positions of both."""

    indexed: int
    messages: int
    position: int
    newest: int
    building: bool


class SearchFollower:
    """Keeps a search index up to date, for as long as the server runs."""

    def __init__(self, database: Database, index: SearchIndex, bus: EventBus) -> None:
        self._database = database
        self._index = index
        self._has_work = trio.Event()
        self._thread = trio.CapacityLimiter(1)
        self._load = Load()
        for kind in (MessageCreated, MessageUpdated, MessageDeleted, ConversationDeleted):
            bus.after(kind, self._event_published)

    def _event_published(self, event: object) -> None:
        self._has_work.set()

    async def run(self) -> None:
        while True:
            self._has_work = trio.Event()
            try:
                await self.catch_up()
            except Refusal:
                await trio.sleep(RETRY_SECONDS)
                continue
            await self._has_work.wait()
            await trio.sleep(PAUSE_SECONDS)

    async def rebuild(self) -> None:
        """Empty the index, and build it again."""
        position = await self._database.read(event_log.last)
        await self._call(self._index.clear, self._database.epoch, position)
        self._has_work.set()

    async def status(self) -> IndexStatus:
        """How far the index is."""
        state, indexed = await self._call(self._index.state), await self._call(self._index.count)
        messages, newest = await self._database.read(lambda tx: (search.count_messages(tx), event_log.last(tx)))
        ready = state is not None and state.next_message is None and state.epoch == self._database.epoch
        return IndexStatus(indexed, messages, state.position if state else 0, newest, not ready)

    async def catch_up(self, steps: int = sys.maxsize) -> None:
        """Bring the index to the newest event, or as far as so many steps of building go."""
        state = await self._call(self._index.state)
        if state is None or state.epoch != self._database.epoch:
            await self.rebuild()
            state = await self._call(self._index.state)
            assert state is not None
        while state.next_message is not None:
            if not steps:
                return
            steps -= 1
            self._load.begin()
            state = await self._build_step(state, state.next_message)
            await trio.sleep(self._load.pause())
        while state.position < self._database.position:
            self._load.begin()
            changes = await self._database.read(partial(_read_changes, position=state.position))
            if changes.has_gap:
                log.info("the search index is built again: the event log does not reach back to it")
                await self.rebuild()
                await self.catch_up()
                return
            state = IndexState(state.epoch, changes.reached, None)
            await self._call(self._index.apply, state, changes.docs, changes.removed, changes.closed)
            await trio.sleep(self._load.pause())

    async def _build_step(self, state: IndexState, first: int) -> IndexState:
        docs, after = await self._database.read(partial(_read_docs, first=first))
        state = IndexState(state.epoch, state.position, after)
        await self._call(self._index.apply, state, docs, (), ())
        return state

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function of the index on a thread."""
        return await trio.to_thread.run_sync(partial(function, *arguments), limiter=self._thread)


def _read_docs(tx: ReadTransaction, first: int) -> tuple[list[Doc], int | None]:
    """The messages of one step of building, and the first of the next step; None after the last message."""
    docs: list[Doc] = []
    while len(docs) < MESSAGES_PER_STEP and _characters(docs) < CHARACTERS_PER_STEP:
        more = search.docs_from(tx, first, MESSAGES_PER_READ)
        docs += more
        if len(more) < MESSAGES_PER_READ:
            return docs, None
        first = more[-1].id + 1
    return docs, first


def _read_changes(tx: ReadTransaction, position: int) -> Changes:
    end = event_log.last(tx)
    entries = event_log.since(tx, position, end, EVENTS_PER_STEP)
    has_gap = bool(position < end and (not entries or entries[0].position != position + 1))
    docs, skipped = _read_docs_by_id(
        tx, list(dict.fromkeys(entry.about for entry in entries if entry.kind in CHANGING and entry.about is not None))
    )
    entries = list(takewhile(lambda entry: entry.kind not in CHANGING or entry.about not in skipped, entries))
    removed = [entry.about for entry in entries if entry.kind == REMOVING and entry.about is not None]
    closed = [entry.conversation for entry in entries if entry.kind == CLOSING and entry.conversation is not None]
    return Changes(docs, removed, closed, entries[-1].position if entries else end, has_gap)


def _read_docs_by_id(tx: ReadTransaction, ids: list[int]) -> tuple[list[Doc], set[int]]:
    """The messages of one step, and the ids that it has no room for."""
    docs: list[Doc] = []
    for start in range(0, len(ids), MESSAGES_PER_READ):
        if _characters(docs) >= CHARACTERS_PER_STEP:
            return docs, set(ids[start:])
        docs += search.docs_by_id(tx, ids[start : start + MESSAGES_PER_READ])
    return docs, set()


def _characters(docs: list[Doc]) -> int:
    return sum(len(doc.content) for doc in docs)
