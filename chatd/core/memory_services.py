"""Commands that are answered from memory, without the store, whenever memory knows the answer.

SetTyping     when the user, and the user addressed, are known members of the conversation
Heartbeat     always
GetUnread     when the user is online
Leave         when there is no stored room to forget and no membership to check

Some answers of the store lack what only memory knows. `completions` adds it, on the Trio thread:

Sync          which users are online

Memory follows the commits. So GetUnread and Leave are not answered from memory while earlier writes of the caller are
in progress (`in_order`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from chatd.realtime.event_bus import Publisher
from chatd.realtime.online_users import OnlineUsers
from chatd.realtime.presence import PresenceTracker
from chatd.services.context import Actor, Completed
from chatd.store.sqlite.database import Database
from protocol import commands as ask
from protocol.commands import Command
from protocol.events import Typing
from protocol.model import SyncState


class MemoryService(NamedTuple):
    """`answer` returns None for what only the store can answer. `in_order`: not before earlier writes of the caller."""

    answer: Callable[[Actor, Any], Completed | None]
    in_order: bool = False


class HeartbeatAnswer(Struct, frozen=True):
    """The answer to a heartbeat: the server's clock, in milliseconds since 1970."""

    at: int


class MemoryServices:
    """`table`: command type → how memory answers it. `completions`: command type → what memory adds to an answer."""

    def __init__(
        self, online_users: OnlineUsers, presence: PresenceTracker, publisher: Publisher, database: Database
    ) -> None:
        self._presence = presence
        self.completions: Mapping[type[Command], Callable[[Any], Any]] = {ask.Sync: self._add_online}
        self._online_users = online_users
        self._publisher = publisher
        self._database = database
        self.table: Mapping[type[Command], MemoryService] = {
            ask.SetTyping: MemoryService(self._set_typing),
            ask.Heartbeat: MemoryService(self._heartbeat),
            ask.GetUnread: MemoryService(self._unread, in_order=True),
            ask.Leave: MemoryService(self._leave, in_order=True),
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

    def _add_online(self, state: SyncState) -> SyncState:
        """Add which of the users in the conversations of the answer are online."""
        users: set[int] = set()
        for conversation in state.conversations.items:
            users.update(ref.number for ref in conversation.members)  # type: ignore[attr-defined]
        for one in state.members:
            users.update(member.user.ref.number for member in one.members)
        online = self._presence.online_among(sorted(users))
        return replace(state, online=tuple(event.user for event in online))

    def _heartbeat(self, actor: Actor, command: ask.Heartbeat) -> Completed:
        return Completed(HeartbeatAnswer(self._database.clock()), [])

    def _leave(self, actor: Actor, command: ask.Leave) -> Completed | None:
        return None if command.must_be_member or command.session else Completed(command, [])

    def _unread(self, actor: Actor, command: ask.GetUnread) -> Completed | None:
        counts = self._online_users.unread(actor.id)
        return Completed(counts, []) if counts else None
