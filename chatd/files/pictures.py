"""Pictures: their size, their thumbnail, and their content without metadata, made by a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import trio
from msgspec import Struct

from chatd.config.settings import Config
from chatd.files.picture_worker import EXIT_REFUSED, WORKER_VERB
from protocol.errors import BAD_REQUEST, UNAVAILABLE, Refusal

PICTURE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""The types that the worker reads. Pictures of other types are kept as they are."""
WORKER_SECONDS = 30.0
WORKERS = 2


class Picture(Struct, frozen=True):
    """What the worker found, and the files that it wrote: `cleaned` only if there was metadata."""

    width: int
    height: int
    thumbnail: Path
    cleaned: Path | None

    def discard(self) -> None:
        """Remove the files that are left."""
        for path in (self.thumbnail, self.cleaned):
            if path is not None:
                path.unlink(missing_ok=True)


class PictureReader:
    """Starts a worker for each picture, a few at a time."""

    def __init__(self, config: Config) -> None:
        self._workers = trio.CapacityLimiter(WORKERS)
        self.adopt(config)

    def adopt(self, config: Config) -> None:
        self._max_pixels = config.files.max_pixels

    async def read(self, source: Path) -> Picture:
        """Read a picture; a Refusal if it is none, is damaged, or has too many pixels."""
        cleaned, thumbnail = source.with_suffix(".cleaned"), source.with_suffix(".webp")
        start = [WORKER_VERB] if getattr(sys, "frozen", False) else ["-m", "chatd.files.picture_worker"]
        command = [sys.executable, *start, str(source), str(cleaned), str(thumbnail), str(self._max_pixels)]
        async with self._workers:
            with trio.move_on_after(WORKER_SECONDS) as time_left:
                ended = await trio.run_process(
                    command, capture_stdout=True, capture_stderr=True, check=False, stdin=subprocess.DEVNULL
                )
        if time_left.cancelled_caught or ended.returncode:
            for path in (cleaned, thumbnail):
                path.unlink(missing_ok=True)
            refused = not time_left.cancelled_caught and ended.returncode == EXIT_REFUSED
            why = ended.stderr.decode("utf-8", "replace").strip()[:200] if refused else "it takes too much to read"
            raise Refusal(BAD_REQUEST, f"The picture can't be read: {why.replace(str(source), 'it')}", field="file")
        try:
            found = json.loads(ended.stdout)
        except ValueError:
            raise Refusal(UNAVAILABLE, "The picture could not be read") from None
        return Picture(found["width"], found["height"], thumbnail, cleaned if found["changed"] else None)
