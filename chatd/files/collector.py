"""Removes files that no message has, and contents that no file has, in small steps.

A message that is deleted deletes its files in the same transaction, and notes their contents in `unused_contents`. The
collector removes these contents. Each hour it also looks at all files, for old drafts and the files of
removed conversations; and after the start at all contents, for those that a killed upload left.
"""

from __future__ import annotations

from functools import partial

import trio

from chatd.config.settings import Config
from chatd.files.contents import THUMBNAIL
from chatd.files.uploads import Uploads
from chatd.realtime.event_bus import EventBus
from chatd.store.queries import files, uploads
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import Transaction
from protocol.errors import Refusal
from protocol.events import FileDeleted

HOUR_SECONDS, HOUR_MILLISECONDS = 3600.0, 3_600_000
RETRY_SECONDS = 5.0
STEP_ROWS = 200
PAUSE_SECONDS = 0.05


class Collector:
    """Removes what is not needed, for as long as the server runs."""

    def __init__(self, config: Config, database: Database, uploads: Uploads, bus: EventBus) -> None:
        self._database = database
        self._uploads = uploads
        self._has_work = trio.Event()
        self._has_checked_contents = False
        self.adopt(config)
        bus.after(FileDeleted, self._event_published)

    def adopt(self, config: Config) -> None:
        self._draft_milliseconds = config.files.draft_hours * HOUR_MILLISECONDS

    def _event_published(self, event: object) -> None:
        self._has_work.set()

    async def run(self) -> None:
        while True:
            try:
                await self.collect()
            except Refusal:  # the database or the disk can't be written at the moment
                await trio.sleep(RETRY_SECONDS)

    async def collect(self) -> None:
        """Look at everything, then remove contents as files are deleted, for an hour."""
        await self.delete_unused_files()
        await self.end_expired_uploads()
        if not self._has_checked_contents:
            await self.check_contents()
            self._has_checked_contents = True
        with trio.move_on_after(HOUR_SECONDS):
            while True:
                self._has_work = trio.Event()
                await self.remove_contents()
                await self._has_work.wait()

    async def delete_unused_files(self) -> None:
        """Delete old drafts, and files whose messages are gone."""
        after: int | None = 0
        while after is not None:
            after = await self._database.write(partial(self._delete_step, after=after))
            await trio.sleep(PAUSE_SECONDS)

    def _delete_step(self, tx: Transaction, after: int) -> int | None:
        return files.delete_unused(tx, after, STEP_ROWS, tx.now - self._draft_milliseconds)

    async def end_expired_uploads(self) -> None:
        """Remove the uploads that were not completed in time."""
        while ids := await self._database.write(partial(_delete_expired, limit=STEP_ROWS)):
            for id in ids:
                await self._uploads.on_thread(partial(self._uploads.staging.resumable(id).unlink, missing_ok=True))

    async def remove_contents(self) -> None:
        """Remove the contents that are noted as unused, and that no file has."""
        while digests := await self._database.read(partial(files.unused_contents, limit=STEP_ROWS)):
            for digest in digests:
                await self._remove(digest)

    async def _remove(self, digest: str) -> None:
        """Remove a content, unless a file has it by now."""
        async with self._uploads.lock:
            if await self._database.write(partial(files.is_unused, digest=digest)):
                await self._uploads.on_thread(self._uploads.contents.remove, digest)
                await self._database.write(partial(files.forget_unused, digest=digest))

    async def check_contents(self) -> int:
        """Remove the contents that no file has; their number."""
        for id in await self._uploads.on_thread(self._uploads.staging.resumables):
            if await self._database.read(partial(uploads.get, id=id)) is None:
                await self._uploads.on_thread(partial(self._uploads.staging.resumable(id).unlink, missing_ok=True))
        removed = 0
        for group in await self._uploads.on_thread(self._uploads.contents.groups):
            names = await self._uploads.on_thread(self._uploads.contents.sizes, group)
            for digest in sorted({name.removesuffix(THUMBNAIL) for name in names}):
                if not await self._database.read(partial(files.has_content, digest=digest)):
                    await self._remove(digest)
                    removed += 1
            await trio.sleep(PAUSE_SECONDS)
        return removed


def _delete_expired(tx: Transaction, limit: int) -> list[str]:
    ids = uploads.expired(tx, tx.now, limit)
    for id in ids:
        uploads.delete(tx, id)
    return ids
