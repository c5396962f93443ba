"""The notifier: messages and deletions become notifications of online users, outside the path of the message.

A message costs one entry in a dict, for any number of members. A round takes all entries, and asks the store which
online users receive which notifications. It asks in the order of the commits, for USERS_PER_UNIT users a unit. Then it
publishes the notifications. A round begins at once after a silence, and at the earliest MIN_PAUSE_SECONDS after the one
before. The pause after a round is PAUSE_FACTOR times its duration, so the notifier never uses more than that share of
the server.

What could not be done because the store can't be written to is done again in the next round.

For a user who is offline, nothing is written and nothing is published. The notifications are computed when the user
asks for them or connects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import trio

from chatd.realtime.broker import Broker
from chatd.realtime.event_bus import EventBus, Publisher
from chatd.realtime.online_users import OnlineUsers
from chatd.realtime.viewers import Viewers
from chatd.services import notifications
from chatd.services.context import Actor, Published, ServiceContext, ServiceRules
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import Transaction
from chatd.telemetry.log import log
from protocol import events
from protocol.errors import UNAVAILABLE, Refusal
from protocol.events import USER, NotificationCounted, NotificationCreated
from protocol.ids import Ref

MIN_PAUSE_SECONDS, PAUSE_FACTOR, MAX_PAUSE_SECONDS = 0.25, 4, 2.0
USERS_PER_UNIT = 64
SERVER_ACTOR = Actor(Ref(0, 0), "")

Update = Callable[[ServiceContext], None]


class PendingConversation:
    """A conversation with new notifications: its first new message, and whether anything was deleted."""

    __slots__ = ("deleted", "first", "ref")

    def __init__(self, ref: Ref, first: int, deleted: bool) -> None:
        self.ref = ref
        self.first = first
        self.deleted = deleted


class Notifier:
    """Handles the events and publishes the notifications."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        online_users: OnlineUsers,
        viewers: Viewers,
        publisher: Publisher,
        bus: EventBus,
    ) -> None:
        self._database = database
        self._broker = broker
        self._online_users = online_users
        self._viewers = viewers
        self._publish = publisher.publish
        self._pending: dict[int, PendingConversation] = {}
        self._to_recount: set[int] = set()
        self._broadcasts: list[Ref] = []
        self._has_work = trio.Event()
        bus.after(events.MessageCreated, self._sent)
        bus.after(events.MessageDeleted, self._deleted)
        bus.after(events.ConversationDeleted, self._closed)
        bus.after(events.BroadcastCreated, self._broadcast)

    def _sent(self, event: events.MessageCreated) -> None:
        self._note_message(event.message.conversation, event.message.ref.number, deleted=False)

    def _deleted(self, event: events.MessageDeleted) -> None:
        self._note_message(event.conversation, 0, deleted=True)

    def _closed(self, event: events.ConversationDeleted) -> None:
        self._to_recount.update(ref.number for ref in event.members)
        self._has_work.set()

    def _broadcast(self, event: events.BroadcastCreated) -> None:
        self._broadcasts.append(event.broadcast)
        self._has_work.set()

    def _note_message(self, conversation: Ref, first: int, *, deleted: bool) -> None:
        pending = self._pending.get(conversation.number)
        if pending is None:
            self._pending[conversation.number] = PendingConversation(conversation, first, deleted)
            self._has_work.set()
        elif deleted:
            pending.deleted = True

    async def run(self) -> None:
        while True:
            await self._has_work.wait()
            began = trio.current_time()
            await self.round()
            await trio.sleep(
                max(MIN_PAUSE_SECONDS, min(MAX_PAUSE_SECONDS, PAUSE_FACTOR * (trio.current_time() - began)))
            )

    async def round(self) -> None:
        """Publish the notifications of everything that has happened since the last round."""
        self._has_work = trio.Event()
        conversations, self._pending = self._pending, {}
        to_recount, self._to_recount = self._to_recount, set()
        broadcasts, self._broadcasts = self._broadcasts, []
        if not self._broker.has_listener(NotificationCreated, USER):
            return
        for pending in conversations.values():
            for users in _chunks(self._notified_members(pending)):
                update = partial(
                    notifications.catch_up, conversation=pending.ref, users=users, message_deleted=pending.deleted
                )
                if not await self._run_unit(update):
                    self._note_message(pending.ref, 0, deleted=True)
        for users in _chunks(self._refs(to_recount)):
            if not await self._run_unit(partial(notifications.recount, users=users)):
                self._to_recount.update(user.number for user in users)
                self._has_work.set()
        for broadcast in broadcasts:
            await self._announce(broadcast)

    async def _announce(self, broadcast: Ref) -> None:
        for users in _chunks(self._refs(self._online_users.all_ids())):
            if not await self._run_unit(partial(notifications.announce, broadcast=broadcast, users=users)):
                self._broadcasts.append(broadcast)
                self._has_work.set()
                return

    def _notified_members(self, pending: PendingConversation) -> Iterator[Ref]:
        """The online members with possible new notifications, if their dialect has such events."""
        number = pending.ref.number
        for user in self._online_users.members(number):
            since = None if pending.deleted else self._viewers.viewing_since(number, user)
            if since is None or since >= pending.first:
                yield from self._refs((user,))

    def _refs(self, users: Iterable[int]) -> Iterator[Ref]:
        for user in users:
            ref = self._online_users.ref(user)
            if ref is not None and self._is_notified(user):
                yield ref

    def _is_notified(self, user: int) -> bool:
        return any(
            subscriber.encoder.has_event(NotificationCounted, USER)
            or subscriber.encoder.has_event(NotificationCreated, USER)
            for subscriber in self._broker.subscribers((USER, user))
        )

    async def _run_unit(self, update: Update) -> bool:
        """Run an update in the store and publish its events, in commit order; False if it has to be run again later."""
        self._viewers.flush()

        def unit(tx: Transaction) -> list[Published]:
            context = ServiceContext(tx, SERVER_ACTOR, ServiceRules())
            update(context)
            return context.published

        def publish(published: list[Published]) -> None:
            for event, position in published:
                self._publish(event, position)

        try:
            await self._database.submit_and_wait(unit, publish)
        except Exception as problem:
            if isinstance(problem, Refusal) and problem.code is UNAVAILABLE:
                return False
            log.fault("notifications could not be published", problem)  # it would fail again: not repeated
        return True


def _chunks(users: Iterator[Ref]) -> Iterator[list[Ref]]:
    """The users in lists of USERS_PER_UNIT, each looked up as late as possible."""
    chunk: list[Ref] = []
    for user in users:
        chunk.append(user)
        if len(chunk) == USERS_PER_UNIT:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
