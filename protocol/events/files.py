"""Events of files."""

from __future__ import annotations

from protocol.events.base import JOINED, Audience, Event
from protocol.ids import Ref
from protocol.model import File


class FileUploaded(Event, frozen=True):
    file: File

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((JOINED, self.file.conversation[0]),)


class FileUnlocked(Event, frozen=True):
    file: File
    user: Ref

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((JOINED, self.file.conversation[0]),)
