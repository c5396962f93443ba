"""Commands that are answered from memory, without the store, whenever memory knows the answer.

SetTyping     when the user, and the user addressed, are known members of the conversation
Heartbeat     always
GetUnread     when the user is online
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from chatd.realtime.event_bus import Publisher
from chatd.realtime.online_users import OnlineUsers
from chatd.services.context import Actor, Completed
from chatd.store.sqlite.database import Database
from protocol import commands as ask
from protocol.commands import Command
from protocol.events import Typing

MemoryService: TypeAlias = Callable[[Actor, Any], "Completed | None"]


class HeartbeatAnswer(Struct, frozen=True):
    """The answer to a heartbeat: the server's clock, in milliseconds since 1970."""

    at: int


class MemoryServices:
    """`table`: command type → function. The function returns None for what only the store can answer."""

    def __init__(self, online_users: OnlineUsers, publisher: Publisher, database: Database) -> None:
        self._online_users = online_users
        self._publisher = publisher
        self._database = database
        self.table: Mapping[type[Command], MemoryService] = {
            ask.SetTyping: self._set_typing,
            ask.Heartbeat: self._heartbeat,
            ask.GetUnread: self._unread,
        }

    def _set_typing(self, actor: Actor, command: ask.SetTyping) -> Completed | None:
        conversation, to = command.conversation, command.to
        state = self._online_users.is_member(conversation.number, actor.id)
        if state is None or not conversation.matches(*state.ref[:2]):
            return None
        if to is not None and (
            to.created_seconds is not None or not self._online_users.is_member(conversation.number, to.number)
        ):
            return None
        self._publisher.publish(Typing(state.ref, actor.ref, command.on))
        return Completed(None, [])

    def _heartbeat(self, actor: Actor, command: ask.Heartbeat) -> Completed:
        return Completed(HeartbeatAnswer(self._database.clock()), [])

    def _unread(self, actor: Actor, command: ask.GetUnread) -> Completed | None:
        counts = self._online_users.unread(actor.id)
        return Completed(counts, []) if counts else None
