"""Every command and the service that carries it out.

A service that writes, or that must see its place in the order of the writes (join, a count that is told), goes through
the writer; the others are answered by a reader.
"""

from __future__ import annotations

from typing import NamedTuple

from chatd.services import conversations, members, messages, notifications, typing, users
from chatd.services.context import Service
from protocol import commands as ask
from protocol.commands import Command


class Row(NamedTuple):
    service: Service
    writes: bool


SERVICES: dict[type[Command], Row] = {
    ask.CreateConversation: Row(conversations.create, writes=True),
    ask.ListConversations: Row(conversations.listing, writes=False),
    ask.GetConversation: Row(conversations.get, writes=False),
    ask.DeleteConversation: Row(conversations.delete, writes=True),
    ask.Join: Row(conversations.join, writes=True),
    ask.Leave: Row(conversations.leave, writes=False),
    ask.SetTyping: Row(typing.typing, writes=False),
    ask.ListMembers: Row(members.listing, writes=False),
    ask.AddMember: Row(members.add, writes=True),
    ask.RemoveMember: Row(members.remove, writes=True),
    ask.SendMessage: Row(messages.send, writes=True),
    ask.SendTo: Row(messages.send_to, writes=True),
    ask.EditMessage: Row(messages.edit, writes=True),
    ask.DeleteMessage: Row(messages.delete, writes=True),
    ask.GetMessage: Row(messages.get, writes=False),
    ask.ReadMessage: Row(messages.read, writes=True),
    ask.ReadConversation: Row(messages.read_all, writes=True),
    ask.ListMessages: Row(messages.listing, writes=False),
    ask.ListMessagesWith: Row(messages.listing_with, writes=True),
    ask.GetUnread: Row(users.unread, writes=False),
    ask.ListNotifications: Row(notifications.listing, writes=True),
    ask.GetNotification: Row(notifications.get, writes=False),
    ask.ReadNotification: Row(notifications.read, writes=True),
    ask.ReadNotifications: Row(notifications.read_all, writes=True),
    ask.DeleteNotification: Row(notifications.delete, writes=True),
    ask.CountNotifications: Row(notifications.count, writes=True),
    ask.CreateNotification: Row(notifications.create, writes=True),
    ask.Broadcast: Row(notifications.broadcast, writes=True),
    ask.ListUsers: Row(users.listing, writes=False),
    ask.GetUser: Row(users.get, writes=False),
    ask.GetMe: Row(users.get_me, writes=False),
    ask.UpdateMe: Row(users.update_me, writes=True),
}


def writes(kind: type[Command]) -> bool:
    """Whether a command of that kind changes something (or its place among the changes matters)."""
    row = SERVICES.get(kind)
    return row is not None and row.writes
