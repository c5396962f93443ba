"""Commands about notifications, and the heartbeat."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from protocol.commands.base import Command, Window
from protocol.ids import Key


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
