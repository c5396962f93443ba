"""The notifier: what others said or deleted becomes notifications of those who are here, off the way of the message.

A message costs it one entry in a dict, however many members its conversation has. A round takes all that has gathered,
asks the store who of those here is to be told what (in the order of the commits, CHUNK users a unit), and publishes
that. It begins at once when there has been nothing for a while, and no sooner than PAUSE after the one before; after a
round that took long it rests SHARE times as long, so that it never holds more than that share of the server.

What the store could not do, because it can't be written to just now, is done again in the next round.

Who is not here is told nothing, and nothing is written for them: they find it when they ask, or come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import trio

from chatd.realtime.broker import Broker
from chatd.realtime.online_users import OnlineUsers
from chatd.realtime.viewers import Viewers
from chatd.services import notifications
from chatd.services.context import Actor, Published, ServiceContext, ServiceRules
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import Transaction
from protocol import events
from protocol.events import USER, Event, EventHandlers, NotificationCounted, NotificationCreated
from protocol.ids import Ref

PAUSE, SHARE, LONGEST = 0.25, 4, 2.0
CHUNK = 64
NO_USERS = Actor(Ref(0, 0), "")

Do = Callable[[ServiceContext], None]


class PendingConversation:
    """What has gathered of a conversation: the first message of it, and whether anything was deleted."""

    __slots__ = ("first", "lost", "ref")

    def __init__(self, ref: Ref, first: int, lost: bool) -> None:
        self.ref = ref
        self.first = first
        self.lost = lost


class Notifier:
    """See above. `publish` tells an event."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        online_users: OnlineUsers,
        viewers: Viewers,
        publish: Callable[[Event, int | None], None],
    ) -> None:
        self._database = database
        self._broker = broker
        self._online_users = online_users
        self._viewers = viewers
        self._publish = publish
        self._pending: dict[int, PendingConversation] = {}
        self._without_members: set[int] = set()
        self._broadcasts: list[Ref] = []
        self._work = trio.Event()

    @property
    def follows(self) -> EventHandlers:
        """What makes work."""
        return {
            events.MessageCreated: self._sent,
            events.MessageDeleted: lambda event: self._note_message(event.conversation, 0, lost=True),
            events.ConversationDeleted: self._closed,
            events.BroadcastCreated: self._broadcast,
        }

    def _sent(self, event: events.MessageCreated) -> None:
        self._note_message(event.message.conversation, event.message.ref.number, lost=False)

    def _closed(self, event: events.ConversationDeleted) -> None:
        self._without_members.update(ref.number for ref in event.members)
        self._work.set()

    def _broadcast(self, event: events.BroadcastCreated) -> None:
        self._broadcasts.append(event.broadcast)
        self._work.set()

    def _note_message(self, conversation: Ref, first: int, *, lost: bool) -> None:
        stir = self._pending.get(conversation.number)
        if stir is None:
            self._pending[conversation.number] = PendingConversation(conversation, first, lost)
            self._work.set()
        elif lost:
            stir.lost = True

    async def run(self) -> None:
        while True:
            await self._work.wait()
            began = trio.current_time()
            await self.round()
            await trio.sleep(max(PAUSE, min(LONGEST, SHARE * (trio.current_time() - began))))

    async def round(self) -> None:
        """Catch up with everything that has gathered."""
        self._work = trio.Event()
        stirred, self._pending = self._pending, {}
        bereft, self._without_members = self._without_members, set()
        broadcasts, self._broadcasts = self._broadcasts, []
        if not self._broker.has_listener(NotificationCreated, USER):
            return
        for stir in stirred.values():
            for users in _chunks(self._concerned(stir)):
                do = partial(notifications.catch_up, conversation=stir.ref, users=users, message_deleted=stir.lost)
                if not await self._do(do):
                    self._note_message(stir.ref, 0, lost=True)
        for users in _chunks(self._refs(bereft)):
            if not await self._do(partial(notifications.recount, users=users)):
                self._without_members.update(user.number for user in users)
                self._work.set()
        for broadcast in broadcasts:
            await self._announce(broadcast)

    async def _announce(self, broadcast: Ref) -> None:
        for users in _chunks(self._refs(self._online_users.all_ids())):
            if not await self._do(partial(notifications.announce, broadcast=broadcast, users=users)):
                self._broadcasts.append(broadcast)
                self._work.set()
                return

    def _concerned(self, stir: PendingConversation) -> Iterator[Ref]:
        """The members here who could have something to be told, and have a word for it."""
        number = stir.ref.number
        for user in self._online_users.members(number):
            since = None if stir.lost else self._viewers.viewing_since(number, user)
            if since is None or since >= stir.first:
                yield from self._refs((user,))

    def _refs(self, users: Iterable[int]) -> Iterator[Ref]:
        for user in users:
            ref = self._online_users.ref(user)
            if ref is not None and self._is_notified(user):
                yield ref

    def _is_notified(self, user: int) -> bool:
        return any(
            seat.encoder.has_event(NotificationCounted, USER) or seat.encoder.has_event(NotificationCreated, USER)
            for seat in self._broker.subscribers((USER, user))
        )

    async def _do(self, do: Do) -> bool:
        """Have a piece of work done in the store, and what it told published in its place; False if it can't be now."""
        self._viewers.flush()

        def unit(tx: Transaction) -> list[Published]:
            work = ServiceContext(tx, NO_USERS, ServiceRules())
            do(work)
            return work.published

        def publish(published: list[Published]) -> None:
            for event, position in published:
                self._publish(event, position)

        try:
            await self._database.submit_and_wait(unit, publish)
        except Exception:
            return False
        return True


def _chunks(users: Iterator[Ref]) -> Iterator[list[Ref]]:
    """By CHUNK, looked up when their turn comes."""
    chunk: list[Ref] = []
    for user in users:
        chunk.append(user)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
