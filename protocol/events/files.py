"""Events of files."""

from __future__ import annotations

from protocol.events.base import ToConversation
from protocol.ids import Ref
from protocol.model import File, User


class FileUploaded(ToConversation, frozen=True):
    """A message with this file was sent to a conversation, by a request that sends files."""

    file: File
    conversation: Ref
    sender: User
    created: int


class FileUnlocked(ToConversation, frozen=True):
    """A locked file may be downloaded by one member of a conversation, or (`user` is None) by all."""

    file: File
    conversation: Ref
    user: Ref | None
    at: int
