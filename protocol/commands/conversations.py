"""Commands about conversations and their members."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from protocol.commands.base import Command, Window
from protocol.ids import Key
from protocol.model import Kind, Level, Role, ThreadLevel, Visibility

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


class Sync(Window, frozen=True, kw_only=True):
    """What a client needs to draw itself, as of a position; or what has changed since the position `since`.

    `members_of` are conversations of which the members are part of the answer.
    """

    since: int | None = None
    epoch: str | None = None
    members_of: tuple[Key, ...] = ()


class ListPublicConversations(Window, frozen=True, kw_only=True):
    query: str | None = None


class JoinPublicConversation(Command, frozen=True, kw_only=True):
    """Become a member of a public group."""

    conversation: Key


class SetPreferences(Command, frozen=True, kw_only=True):
    """Change what the caller prefers in a conversation. UNSET leaves a field unchanged; None clears it.

    `muted_until` is milliseconds since 1970.
    """

    conversation: Key
    level: Level | UnsetType = UNSET
    muted_until: int | UnsetType | None = UNSET
    archived: bool | UnsetType = UNSET
    draft: str | UnsetType | None = UNSET


class SetThreadLevel(Command, frozen=True, kw_only=True):
    """Follow the thread of a message, mute it, or treat it like its conversation ("default")."""

    message: Key
    level: ThreadLevel


class ListThreadLevels(Command, frozen=True, kw_only=True):
    pass


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
