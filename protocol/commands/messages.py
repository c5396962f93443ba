"""Commands about messages."""

from __future__ import annotations

from protocol.commands.base import Command, Window
from protocol.ids import Key
from protocol.model import Attachment, MessageType


class SendMessage(Command, frozen=True, kw_only=True):
    """`to` is the receiver that some dialects name beside the conversation: it must be a member of it.

    `reply_to` is the message that this one answers. `thread` is the message that begins the thread of this one.
    """

    conversation: Key
    content: str | None = None
    attachments: tuple[Attachment, ...] = ()
    client_id: str | None = None
    type: MessageType = "text"
    to: Key | None = None
    reply_to: Key | None = None
    thread: Key | None = None


class ForwardMessage(Command, frozen=True, kw_only=True):
    """Send a copy of a message to another conversation."""

    message: Key
    conversation: Key
    client_id: str | None = None


class SendTo(Command, frozen=True, kw_only=True):
    """Send to a user, in the private conversation with that user; create it if there is none."""

    user: Key
    content: str | None = None
    attachments: tuple[Attachment, ...] = ()
    client_id: str | None = None


class EditMessage(Command, frozen=True, kw_only=True):
    message: Key
    content: str


class DeleteMessage(Command, frozen=True, kw_only=True):
    message: Key


class GetMessage(Command, frozen=True, kw_only=True):
    message: Key


class ReadMessage(Command, frozen=True, kw_only=True):
    """Mark a message and all messages before it as read."""

    message: Key


class ReadConversation(Command, frozen=True, kw_only=True):
    conversation: Key


class ListMessages(Window, frozen=True, kw_only=True):
    conversation: Key


class ListMessagesWith(Window, frozen=True, kw_only=True):
    """The messages of the private conversation with a user; `mark_read` also marks all of them as read."""

    user: Key
    mark_read: bool = False


class ListThread(Window, frozen=True, kw_only=True):
    """The messages of the thread that a message began."""

    message: Key


class React(Command, frozen=True, kw_only=True):
    message: Key
    emoji: str


class Unreact(Command, frozen=True, kw_only=True):
    message: Key
    emoji: str


class PinMessage(Command, frozen=True, kw_only=True):
    message: Key


class UnpinMessage(Command, frozen=True, kw_only=True):
    message: Key


class ListPins(Command, frozen=True, kw_only=True):
    conversation: Key


class Search(Window, frozen=True, kw_only=True):
    """Search in the messages of the caller's conversations (chatd/services/search_query.py has the language)."""

    query: str


class GetUnread(Command, frozen=True, kw_only=True):
    pass
