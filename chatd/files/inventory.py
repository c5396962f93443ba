"""All files, for the shell: which there are, which may go, and whether their contents are there.

Each call looks at one step of rows or groups, so that a running server is not held up; the shell asks for the next.
Uploads go on meanwhile: their lock is held only for what a step must see as one moment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import trio
from msgspec import Struct

from chatd.files.contents import THUMBNAIL, Contents, thumbnail_name
from chatd.services.context import Commit, ServiceContext
from chatd.services.files import remove
from chatd.store.queries import files
from chatd.store.queries.files import FileFilter, ListedFile
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import ReadTransaction

T = TypeVar("T")

STEP_ROWS = 200
STEP_GROUPS = 8
STEP_BYTES = 256 << 20
"""So much is read in one step: the shell waits for half a minute at most."""


class FileProblem(Struct, frozen=True):
    """A file whose content is missing or wrong, or a content that no file has."""

    name: str
    problem: str


class Checked(Struct, frozen=True):
    """One step of a check: how many were looked at, what is wrong, and where the next step begins."""

    looked_at: int
    problems: list[FileProblem]
    next: int | None


class Inventory:
    """`commit` commits a service; `lock` is that of the uploads."""

    def __init__(self, database: Database, contents: Contents, commit: Commit, lock: trio.Lock) -> None:
        self._database = database
        self._contents = contents
        self._commit = commit
        self._lock = lock

    async def page(self, filter: FileFilter, after: int) -> list[ListedFile]:
        """The next files that the filter accepts, in the order of their ids."""
        return await self._database.read(partial(files.listed, filter=filter, after=after, limit=STEP_ROWS))

    async def remove(self, filter: FileFilter, after: int) -> list[ListedFile]:
        """Remove the next files that the filter accepts. Messages that have them keep their text."""
        return await self._commit(partial(_remove, filter=filter, after=after))

    async def check_files(self, after: int, *, deep: bool) -> Checked:
        """Check that the contents of the next files are there, with the right size; `deep` reads them."""
        problems: list[FileProblem] = []
        looked_at = size = 0
        found = await self.page(FileFilter(), after)
        for one in found:
            looked_at, size = looked_at + 1, size + one.size
            problem = await _on_thread(self._problem_of, one, deep)
            if problem is not None and await self._is_still_wrong(one):
                problems.append(FileProblem(f"file {one.id}", problem))
            if deep and size > STEP_BYTES:
                break
        is_last = looked_at == len(found) < STEP_ROWS
        return Checked(looked_at, problems, None if is_last else found[looked_at - 1].id)

    async def _is_still_wrong(self, file: ListedFile) -> bool:
        """Whether the file is still there: it may have been removed, with its content, while it was looked at."""
        async with self._lock:
            return await self._database.read(partial(files.get, file=file.id)) is not None

    def _problem_of(self, file: ListedFile, deep: bool) -> str | None:
        try:
            size = self._contents.size(file.digest)
            if file.width is not None:
                self._contents.size(thumbnail_name(file.digest))
        except FileNotFoundError:
            return "its content is missing"
        if size != file.size:
            return f"its content has {size:,} bytes, not {file.size:,}"
        if deep and self._digest_of(file) != file.digest:
            return "its content is damaged"
        return None

    def _digest_of(self, file: ListedFile) -> str:
        found = hashlib.sha256()
        reader = self._contents.open(file.digest, 0, file.size)
        try:
            while piece := reader.read():
                found.update(piece)
        finally:
            reader.close()
        return found.hexdigest()

    async def check_contents(self, start: int) -> Checked:
        """Find the contents of the next groups that no file has. The server's collector removes such by itself."""
        groups = await _on_thread(self._contents.groups)
        problems: list[FileProblem] = []
        looked_at = 0
        for group in groups[start : start + STEP_GROUPS]:
            async with self._lock:
                names = await _on_thread(self._contents.sizes, group)
                looked_at += len(names)
                digests = sorted({name.removesuffix(THUMBNAIL) for name in names})
                unknown = await self._database.read(partial(_without_file, digests=digests))
            problems += [FileProblem(f"content {digest}", "no file has it") for digest in unknown]
        end = start + STEP_GROUPS
        return Checked(looked_at, problems, end if end < len(groups) else None)


def _remove(context: ServiceContext, filter: FileFilter, after: int) -> list[ListedFile]:
    found = files.listed(context.tx, filter, after, STEP_ROWS)
    for one in found:
        remove(context, one.id)
    return found


def _without_file(tx: ReadTransaction, digests: list[str]) -> list[str]:
    return [digest for digest in digests if not files.has_content(tx, digest)]


async def _on_thread(function: Callable[..., T], *arguments: object) -> T:
    return await trio.to_thread.run_sync(partial(function, *arguments))
