"""What a client may ask, in every dialect and over every wire: one frozen struct each.

Ids are Keys: read from the client's spelling, not yet compared with anything. `claimed` is the user that a payload
says it comes from, in the dialects whose payloads say so; it must be the asker's own.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from protocol.ids import Key
from protocol.model import Attachment, Kind, MessageType


class Command(Struct, frozen=True, kw_only=True):
    """Anything that a client may ask."""

    claimed_user: Key | None = None


class Window(Command, frozen=True, kw_only=True):
    """A list, asked for piece by piece: by cursor (`before`, `after`) or by numbered page."""

    limit: int | None = None
    before: Key | None = None
    after: Key | None = None
    page: int | None = None


# Conversations


class CreateConversation(Command, frozen=True, kw_only=True):
    kind: Kind
    members: tuple[Key, ...]
    title: str | None = None


class ListConversations(Window, frozen=True, kw_only=True):
    pass


class GetConversation(Command, frozen=True, kw_only=True):
    conversation: Key


class DeleteConversation(Command, frozen=True, kw_only=True):
    conversation: Key


class Join(Command, frozen=True, kw_only=True):
    """Take a seat in a conversation's room, to hear what happens in it; `session` remembers it over a reconnect."""

    conversation: Key
    session: str | None = None


class Leave(Command, frozen=True, kw_only=True):
    conversation: Key


class SetTyping(Command, frozen=True, kw_only=True):
    conversation: Key
    on: bool = True
    to: Key | None = None


# Members


class ListMembers(Command, frozen=True, kw_only=True):
    conversation: Key


class AddMember(Command, frozen=True, kw_only=True):
    conversation: Key
    user: Key
    role: Literal["admin", "member"] | None = None


class RemoveMember(Command, frozen=True, kw_only=True):
    conversation: Key
    user: Key


# Messages


class SendMessage(Command, frozen=True, kw_only=True):
    """`to` is the receiver whom some dialects name beside the conversation: it must be one of its members."""

    conversation: Key
    content: str | None = None
    attachments: tuple[Attachment, ...] = ()
    client_id: str | None = None
    type: MessageType = "text"
    to: Key | None = None


class SendTo(Command, frozen=True, kw_only=True):
    """Send to a person: in the private conversation with them, which is made if there is none."""

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
    """Read a message and all before it."""

    message: Key


class ReadConversation(Command, frozen=True, kw_only=True):
    conversation: Key


class ListMessages(Window, frozen=True, kw_only=True):
    conversation: Key


class ListMessagesWith(Window, frozen=True, kw_only=True):
    """The private conversation with somebody; optionally read up to its end."""

    user: Key
    mark_read: bool = False


class GetUnread(Command, frozen=True, kw_only=True):
    pass


# Notifications


class ListNotifications(Window, frozen=True, kw_only=True):
    unread_only: bool = False


class GetNotification(Command, frozen=True, kw_only=True):
    notification: Key


class ReadNotification(Command, frozen=True, kw_only=True):
    notification: Key


class ReadNotifications(Command, frozen=True, kw_only=True):
    """Read all of one's own."""


class DeleteNotification(Command, frozen=True, kw_only=True):
    notification: Key


class CountNotifications(Command, frozen=True, kw_only=True):
    pass


class CreateNotification(Command, frozen=True, kw_only=True):
    user: Key
    title: str
    content: str = ""
    type: str = "system"
    related: str | None = None
    extra: dict[str, object] | UnsetType = UNSET


class Broadcast(Command, frozen=True, kw_only=True):
    """One notification for everybody."""

    title: str
    content: str = ""
    type: str = "system"
    related: str | None = None


class Heartbeat(Command, frozen=True, kw_only=True):
    action: Literal["ping"] = "ping"


# Users


class ListUsers(Window, frozen=True, kw_only=True):
    query: str | None = None


class GetUser(Command, frozen=True, kw_only=True):
    user: Key


class GetMe(Command, frozen=True, kw_only=True):
    pass


class UpdateMe(Command, frozen=True, kw_only=True):
    """UNSET leaves a field as it is; None empties it."""

    display: str | UnsetType | None = UNSET
    avatar: str | UnsetType | None = UNSET
    status: str | UnsetType | None = UNSET


# Accounts: asked by nobody yet, so these alone need no actor


class Register(Command, frozen=True, kw_only=True):
    """`invite` is the token of an invite, or the setup token of a server that has no user yet."""

    password: str
    name: str | None = None
    email: str | None = None
    display: str | None = None
    invite: str | None = None


class Login(Command, frozen=True, kw_only=True):
    password: str
    name: str | None = None
    email: str | None = None


class Refresh(Command, frozen=True, kw_only=True):
    refresh: str


class Logout(Command, frozen=True, kw_only=True):
    refresh: str | None = None
