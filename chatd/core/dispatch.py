"""The only door. Whatever a client asks, over any wire and in any dialect, is asked here.

    perform   limit → check who claims → the service, in the store → commit → publish → answer → count

A call is not a task: it is submitted, and `reply` is called with its outcome on the Trio thread, for writes in the
order of their commits, after the events that it caused were published. Nobody else publishes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from time import perf_counter
from typing import Any, TypeAlias

import outcome
import trio
from msgspec import Struct

from chatd.core.notifier import Notifier
from chatd.core.removal import Remover
from chatd.rate_limit import Buckets, Rate
from chatd.realtime.broker import Broker
from chatd.realtime.event_waiters import EventWaiters
from chatd.realtime.online_users import OnlineUsers
from chatd.realtime.presence import PresenceTracker
from chatd.realtime.typing import TypingTracker
from chatd.realtime.viewers import Viewers
from chatd.services.context import Actor, Completed, ServiceContext, ServiceRules, authorise
from chatd.services.table import SERVICES, ServiceRow
from chatd.store.sqlite.callback import wait_for_callback
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import ReadTransaction
from chatd.telemetry.metrics import CALL_SECONDS, CALLS, EVENTS, Child
from protocol import commands as ask
from protocol import events
from protocol.commands import Command
from protocol.errors import FORBIDDEN, RATE_LIMITED, Refusal
from protocol.events import (
    JOINED,
    USER,
    AccountClosed,
    Event,
    EventHandlers,
    NotificationCounted,
    PresenceChanged,
    Typing,
    UnreadChanged,
)

log = logging.getLogger("chatd.core.dispatch")

Answer: TypeAlias = "Completed | outcome.Error"
"""What came of a command: its result (and what everybody was told), or why not."""
Reply = Callable[[Answer], None]

SENDS = {ask.SendMessage, ask.SendTo, ask.EditMessage, ask.DeleteMessage}
ADDS = {ask.CreateConversation, ask.AddMember}


class UserRates(Struct, frozen=True):
    """What one user may do how often: send (edits and deletions count too), make groups, add members."""

    sends: Rate = Rate(0)
    groups: Rate = Rate(0)
    additions: Rate = Rate(0)


class Dispatch:
    """See above. `closed` is told of accounts whose sockets must go."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        online_users: OnlineUsers,
        *,
        rules: ServiceRules,
        rates: UserRates,
        typing_expires: float,
        presence_grace: float,
    ) -> None:
        self.database = database
        self.broker = broker
        self.online_users = online_users
        self.rules = rules
        self._sends: Buckets[int] = Buckets(rates.sends)
        self._groups: Buckets[int] = Buckets(rates.groups)
        self._additions: Buckets[int] = Buckets(rates.additions)
        self.typing = TypingTracker(typing_expires, lambda event: self.publish(event, None))
        self.presence = PresenceTracker(presence_grace, lambda event: self.publish(event, None), online_users.forget)
        self.viewers = Viewers(database)
        self.notifier = Notifier(database, broker, online_users, self.viewers, self.publish)
        self.remover = Remover(database)
        broker.on_room_changed = self.viewers.room_changed
        self.on_account_closed: Callable[[int], None] = lambda user: None
        self.event_waiters = EventWaiters()
        self._seconds = CALL_SECONDS.child().observe
        self._live: dict[type[Command], Callable[[Actor, Any], Answer | None]] = {
            ask.SetTyping: self._set_typing,
            ask.Heartbeat: self._heartbeat,
            ask.GetUnread: self._unread,
        }
        self._before = together(self.online_users.precedes, self.precedes)
        self._after = together(
            self.online_users.follows,
            self.typing.follows,
            self.viewers.follows,
            self.notifier.follows,
            self.remover.follows,
            self.follows,
        )
        database.after_batch = self._after_batch

    def adopt(self, rules: ServiceRules, rates: UserRates, typing_expires: float, presence_grace: float) -> None:
        """Take up other limits; what was counted stays."""
        self.rules, self.typing.expire = rules, typing_expires
        self.presence.adopt(presence_grace)
        self._sends.adopt(rates.sends)
        self._groups.adopt(rates.groups)
        self._additions.adopt(rates.additions)

    # Asking

    def perform(self, actor: Actor, command: Command, reply: Reply, *, behind: bool = False) -> None:
        """Carry out a command; `reply` gets its outcome, now or later. `behind`: the asker's writes are under way."""
        kind = type(command)
        began = perf_counter()
        try:
            self._check(actor, command)
            live = self._live.get(kind)
            answer = live(actor, command) if live else None
        except Refusal as refusal:
            answer = outcome.Error(refusal)
        if answer is not None:
            self._finish(kind, began, reply, answer)
            return
        self.viewers.flush()
        row = SERVICES[kind]
        unit = partial(_carry_out, row, actor, command, self.rules)
        done = partial(self._done, kind, began, reply)
        if row.writes or behind:
            self.database.submit(unit, done)
        else:
            self.database.query(unit, done)

    async def request(self, actor: Actor, command: Command) -> Any:
        """The same, waited for."""
        return result_of(await wait_for_callback(partial(self.perform, actor, command)))

    def _check(self, actor: Actor, command: Command) -> None:
        claimed = command.claimed_user
        if claimed is not None and not actor.is_named(claimed):
            raise Refusal(FORBIDDEN, "The user in the payload must be your own")
        authorise(actor, command)
        kind = type(command)
        if kind in SENDS:
            now = trio.current_time()
            if not self._sends.take(actor.id, now):
                wait = self._sends.retry_after(actor.id, now)
                raise Refusal(RATE_LIMITED, "You are sending too fast", retry_after=round(wait, 3))
        elif kind in ADDS:
            self._check_additions(actor, command)

    def _check_additions(self, actor: Actor, command: Any) -> None:
        """Groups and members are counted when they are asked for."""
        now, added = trio.current_time(), 1
        if type(command) is ask.CreateConversation:
            added = len(command.members)
            if command.kind == "group" and not self._groups.take(actor.id, now):
                wait = self._groups.retry_after(actor.id, now)
                raise Refusal(RATE_LIMITED, "You are making groups too fast", retry_after=round(wait, 3))
        if not self._additions.take_many(actor.id, now, added):
            wait = self._additions.many_in(actor.id, now, added)
            raise Refusal(RATE_LIMITED, "You are adding members too fast", retry_after=round(wait, 3))

    def _done(self, kind: type[Command], began: float, reply: Reply, done: outcome.Outcome[Completed]) -> None:
        """A unit of work has been committed, or has failed: tell everybody, then the asker."""
        if type(done) is outcome.Value:
            answer: Answer = done.value
            for event, position in done.value.published:
                self.publish(event, position)
        else:
            assert isinstance(done, outcome.Error)
            answer = done
        self._finish(kind, began, reply, answer)

    def _finish(self, kind: type[Command], began: float, reply: Reply, answer: Answer) -> None:
        said = "ok"
        if type(answer) is outcome.Error:
            said = answer.error.code.code if isinstance(answer.error, Refusal) else "INTERNAL"
        _calls(kind, said).value += 1
        self._seconds(perf_counter() - began)
        reply(answer)

    # What needs no store

    def _set_typing(self, actor: Actor, command: ask.SetTyping) -> Answer | None:
        """Known members' typing needs no question to the store."""
        conversation, to = command.conversation, command.to
        state = self.online_users.is_member(conversation.number, actor.id)
        if state is None or not conversation.matches(*state.ref[:2]):
            return None
        if to is not None and (
            to.created_seconds is not None or not self.online_users.is_member(conversation.number, to.number)
        ):
            return None
        self.publish(Typing(state.ref, actor.ref, command.on), None)
        return Completed(None, [])

    def _heartbeat(self, actor: Actor, command: ask.Heartbeat) -> Answer:
        return Completed(HeartbeatAnswer(self.database.clock()), [])

    def _unread(self, actor: Actor, command: ask.GetUnread) -> Answer | None:
        """What is kept for whoever is here is what the store would say."""
        counts = self.online_users.unread(actor.id)
        return Completed(counts, []) if counts else None

    # Telling

    def publish(self, event: Event, position: int | None) -> None:
        """Tell an event, and let everything that is kept in memory follow it."""
        kind = type(event)
        for prepare in self._before.get(kind, ()):
            prepare(event)
        self.broker.publish(event, position)
        _events(kind).value += 1
        if position is not None and self.event_waiters:
            self.event_waiters.wake(event)
        for follow in self._after.get(kind, ()):
            follow(event)

    @property
    def precedes(self) -> EventHandlers:
        """Seats that are everywhere are in a new room before the first thing is said in it."""
        return {events.ConversationCreated: self._open_rooms, events.MemberAdded: self._open_room}

    @property
    def follows(self) -> EventHandlers:
        """Who must leave where, because of what was told."""
        evict = self.broker.evict
        return {
            events.MemberRemoved: lambda event: evict((JOINED, event.conversation.number), event.user.number),
            events.ConversationDeleted: lambda event: evict((JOINED, event.conversation.number)),
            Typing: lambda event: self.typing.typing_changed(event, trio.current_time()),
            AccountClosed: lambda event: self.on_account_closed(event.user.number),
        }

    def _open_rooms(self, event: events.ConversationCreated) -> None:
        if event.newcomer is None:
            for ref in event.conversation.members:
                self.broker.open_room((JOINED, event.conversation.ref.number), ref.number)

    def _open_room(self, event: events.MemberAdded) -> None:
        self.broker.open_room((JOINED, event.conversation.number), event.user.ref.number)

    def greet(self, kind: type[Event], actor: Actor, tell: Callable[[Event], None]) -> None:
        """Tell a newcomer the state of something that they will hear changes of; at once, or in a moment."""
        if kind is UnreadChanged:
            if counts := self.online_users.unread(actor.id):
                tell(counts)
        elif kind is PresenceChanged:
            for event in self.presence.online_among(sorted(self.online_users.peers(actor.id))):
                tell(event)
        elif kind is NotificationCounted:

            def counted(answer: Answer) -> None:
                if isinstance(answer, Completed):
                    tell(answer.result)

            with suppress(Refusal):  # too many wait: it is told with the next change
                self.perform(actor, ask.CountNotifications(), counted)

    def connected(self, actor: Actor) -> None:
        """A seat of a user's is taken."""
        self.presence.user_connected(actor.ref)

    def disconnected(self, user: int) -> None:
        """A seat of a user's is empty."""
        if not self.online_users.disconnect(user):
            self.typing.user_disconnected(user)
            self.presence.user_disconnected(user)

    def publish_counts(self) -> None:
        """Tell those whose unread counts have changed what they are now."""
        changed = self.online_users.changed
        if not changed:
            return
        if self.broker.has_listener(UnreadChanged, USER):
            for user in changed:
                counts = self.online_users.counts_to_send(user)
                if counts is not None:
                    self.broker.publish(counts, None)
        changed.clear()

    def _after_batch(self) -> None:
        self.publish_counts()
        self.viewers.flush()

    async def settled(self) -> None:
        """Wait until everything that was asked so far is answered, be it with a refusal."""
        with suppress(Refusal):
            await self.database.write(lambda tx: None)

    async def tick(self) -> None:
        """Four times a second: the counts of groups that have stirred, and typing that has ended by itself."""
        while True:
            await trio.sleep(0.25)
            for counts in self.online_users.due_counts(trio.current_time()):
                self.broker.publish(counts, None)
            self.publish_counts()
            self.viewers.flush()
            self.typing.sweep(trio.current_time())


class HeartbeatAnswer(Struct, frozen=True):
    """The answer to a heartbeat."""

    at: int


@cache
def _calls(kind: type[Command], said: str) -> Child:
    return CALLS.child(kind.__name__, said)


@cache
def _events(kind: type[Event]) -> Child:
    return EVENTS.child(kind.__name__)


def result_of(answer: Answer) -> Any:
    """The result, or the error raised."""
    return answer.result if isinstance(answer, Completed) else answer.unwrap()


def _carry_out(row: ServiceRow, actor: Actor, command: Command, rules: ServiceRules, tx: ReadTransaction) -> Completed:
    work = ServiceContext(tx, actor, rules)  # type: ignore[arg-type]
    return Completed(row.service(work, command), work.published)


def together(*tables: EventHandlers) -> dict[type[Event], list[Callable[[Any], None]]]:
    """Several tables as one: for each event, everybody's handler, in the order of the tables."""
    kinds = {kind for table in tables for kind in table}
    return {kind: [table[kind] for table in tables if kind in table] for kind in kinds}
