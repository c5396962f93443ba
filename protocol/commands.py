"""The commands: what clients may request, in every dialect and over every wire. One frozen struct each.

Ids are Keys: read from the client's format, and not yet looked up. `claimed_user` is the user that the payload names as
its sender, in the dialects whose payloads do; it must be the caller.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from protocol.ids import Key
from protocol.model import Attachment, Kind, MessageType, Role, Visibility


class Command(Struct, frozen=True, kw_only=True):
    """Base class of all commands."""

    claimed_user: Key | None = None


class Window(Command, frozen=True, kw_only=True):
    """A request for one page of a list: by cursor (`before`, `after`) or by page number."""

    limit: int | None = None
    before: Key | None = None
    after: Key | None = None
    page: int | None = None


# Conversations


class CreateConversation(Command, frozen=True, kw_only=True):
    """Any user may find and join a `public` group."""

    kind: Kind
    members: tuple[Key, ...]
    title: str | None = None
    topic: str | None = None
    visibility: Visibility = "private"


class UpdateConversation(Command, frozen=True, kw_only=True):
    """UNSET leaves a field unchanged; None clears it."""

    conversation: Key
    title: str | UnsetType | None = UNSET
    topic: str | UnsetType | None = UNSET
    avatar: str | UnsetType | None = UNSET
    visibility: Visibility | UnsetType = UNSET


class ListConversations(Window, frozen=True, kw_only=True):
    pass


class GetConversation(Command, frozen=True, kw_only=True):
    conversation: Key


class DeleteConversation(Command, frozen=True, kw_only=True):
    conversation: Key


class Join(Command, frozen=True, kw_only=True):
    """Subscribe to the events of a conversation. `session` is the id under which a reconnect restores it."""

    conversation: Key
    session: str | None = None


class Leave(Command, frozen=True, kw_only=True):
    """Stop receiving the events of a conversation. `session` is that of the join.

    With `must_be_member`, a user who is not a member is refused.
    """

    conversation: Key
    session: str | None = None
    must_be_member: bool = False


class LeaveConversation(Command, frozen=True, kw_only=True):
    """End the own membership in a group."""

    conversation: Key


class ListPublicConversations(Window, frozen=True, kw_only=True):
    query: str | None = None


class JoinPublicConversation(Command, frozen=True, kw_only=True):
    """Become a member of a public group."""

    conversation: Key


class MarkUnread(Command, frozen=True, kw_only=True):
    """Let a message and all after it count as unread again."""

    message: Key


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


class SetRole(Command, frozen=True, kw_only=True):
    """Change the role of a member. With "owner", the caller hands the group over and becomes an admin."""

    conversation: Key
    user: Key
    role: Role


class BanMember(Command, frozen=True, kw_only=True):
    """Remove a user from a group, if the user is a member, and refuse the user from now on."""

    conversation: Key
    user: Key


class UnbanMember(Command, frozen=True, kw_only=True):
    conversation: Key
    user: Key


class ListBans(Command, frozen=True, kw_only=True):
    conversation: Key


# Messages


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
    """Mark all notifications of the caller as read."""


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
    """Create one notification for every user."""

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
    """UNSET leaves a field unchanged; None clears it."""

    display: str | UnsetType | None = UNSET
    avatar: str | UnsetType | None = UNSET
    status: str | UnsetType | None = UNSET


# Accounts: the only commands that need no authenticated user


class Register(Command, frozen=True, kw_only=True):
    """`invite` is the token of an invite, or the setup token of a server without users."""

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
