"""The app: what all connections and requests share. `App.build` makes every part, in the order of their needs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

import trio

from chatd.auth.identity import Identity
from chatd.config.settings import Config
from chatd.core.accounts import Accounts
from chatd.core.authenticator import Authenticator
from chatd.core.background_tasks import BackgroundTasks
from chatd.core.command_limits import CommandLimits
from chatd.core.dispatch import Dispatch
from chatd.core.greetings import Greetings
from chatd.core.memory_services import MemoryServices
from chatd.core.notifier import Notifier
from chatd.core.removal import Remover
from chatd.core.ticker import Ticker
from chatd.net.timer_wheel import NO_SLOT, TimerWheel
from chatd.rate_limit import Buckets, Rate
from chatd.realtime.broker import Broker
from chatd.realtime.encoder import EventEncoder, Pack, Push
from chatd.realtime.event_bus import EventBus, Publisher
from chatd.realtime.event_waiters import EventWaiters
from chatd.realtime.online_users import OnlineUsers
from chatd.realtime.presence import PresenceTracker
from chatd.realtime.room_access import RoomAccess
from chatd.realtime.typing import TypingTracker
from chatd.realtime.unread_counts import UnreadCounts
from chatd.realtime.viewers import Viewers
from chatd.services.context import Actor
from chatd.store.sqlite.database import Database
from protocol.dialects import dialect, names
from protocol.dialects.codec import NamespaceCodec
from protocol.dialects.grammar import Dialect
from protocol.errors import NOT_FOUND, SIGNED_OUT, Closing, Refusal
from protocol.events import AccountClosed, LoginSessionEnded
from protocol.framings import sse
from protocol.framings.socketio import SocketIo
from protocol.strict import allow_depth, allow_values

SWEEP_SECONDS = 0.5
"""The time between two looks for deadlines that are over."""
MAX_UNCHECKED_SECONDS = 60.0
"""Each connection is checked at least so often, because the clock of the token's expiry may be set forward."""


class ManagedConnection:
    """A connection, as far as the app must know it: it may have to be closed."""

    __slots__ = ()

    slot: int
    """The place in the app's timer wheel."""

    @property
    def users(self) -> set[int]:
        """The users whose namespaces are open in the connection."""
        raise NotImplementedError

    @property
    def sids(self) -> set[str | None]:
        """The login sessions that the tokens of the connection belong to."""
        return set()

    @property
    def sessions(self) -> set[str]:
        """The names under which the rooms of the connection are stored."""
        raise NotImplementedError

    @property
    def waiting(self) -> int:
        """Bytes that wait for the client."""
        return 0

    def close_with(self, closing: Closing) -> None:
        """Send the error of the closing, and close."""
        raise NotImplementedError

    def check(self, now: float, clock: float) -> float:
        """Close the connection if a deadline is over. Return the moment of the next check.

        `now` and the result are monotonic, `clock` counts from 1970; all in seconds.
        """
        raise NotImplementedError


class LiveSettings(Protocol):
    """A part of the server that takes its own settings out of a configuration."""

    def adopt(self, config: Config) -> None:
        """Use the settings of this configuration from now on. What was counted stays counted."""
        ...


class Parts(NamedTuple):
    """The parts of an app, in the order in which they are built."""

    ticker: Ticker
    online_users: OnlineUsers
    viewers: Viewers
    broker: Broker
    event_waiters: EventWaiters
    publisher: Publisher
    typing_tracker: TypingTracker
    presence: PresenceTracker
    notifier: Notifier
    remover: Remover
    unread_counts: UnreadCounts
    command_limits: CommandLimits
    accounts: Accounts
    dispatch: Dispatch
    greetings: Greetings
    background_tasks: BackgroundTasks

    @classmethod
    def build(cls, config: Config, database: Database, identity: Identity, bus: EventBus) -> Parts:
        ticker = Ticker()
        online_users = OnlineUsers(bus)
        viewers = Viewers(database, bus, ticker.need)
        broker = Broker(online_users, viewers.room_changed, position=database.position)
        event_waiters = EventWaiters()
        publisher = Publisher(bus, broker, event_waiters)
        typing_tracker = TypingTracker(config, publisher.publish, bus, ticker.need)
        presence = PresenceTracker(config, publisher.publish, online_users.forget)
        notifier = Notifier(database, broker, online_users, viewers, publisher, bus)
        remover = Remover(database, bus)
        RoomAccess(broker, bus)
        unread_counts = UnreadCounts(broker, online_users)
        command_limits = CommandLimits(config)
        memory_services = MemoryServices(online_users, presence, publisher, database)
        accounts = Accounts(config, database, identity)
        background_tasks = BackgroundTasks()
        dispatch = Dispatch(
            config,
            database,
            publisher,
            viewers,
            limits=command_limits.checks,
            memory_services=memory_services.table,
            completions=memory_services.completions,
            task_services=accounts.services,
            start_task=background_tasks.start,
        )
        greetings = Greetings(dispatch, online_users, presence)
        return cls(
            ticker,
            online_users,
            viewers,
            broker,
            event_waiters,
            publisher,
            typing_tracker,
            presence,
            notifier,
            remover,
            unread_counts,
            command_limits,
            accounts,
            dispatch,
            greetings,
            background_tasks,
        )


class App:
    """What all connections and requests share.

    `connections` are all that are open. Each is checked when one of its deadlines may be over.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        identity: Identity,
        parts: Parts,
        bus: EventBus,
        clock: Callable[[], float],
    ) -> None:
        self.bus = bus
        self.database = database
        self.clock = clock
        self.ticker = parts.ticker
        self.online_users = parts.online_users
        self.viewers = parts.viewers
        self.broker = parts.broker
        self.event_waiters = parts.event_waiters
        self.publisher = parts.publisher
        self.typing_tracker = parts.typing_tracker
        self.presence = parts.presence
        self.notifier = parts.notifier
        self.remover = parts.remover
        self.unread_counts = parts.unread_counts
        self.command_limits = parts.command_limits
        self.accounts = parts.accounts
        self.dispatch = parts.dispatch
        self.greetings = parts.greetings
        self.authenticator = Authenticator(database, identity.verifier, bus, provision=identity.provision)
        self.background_tasks = parts.background_tasks
        self.connections: TimerWheel[ManagedConnection] = TimerWheel(SWEEP_SECONDS, MAX_UNCHECKED_SECONDS)
        self.anonymous, self.page_files = Buckets[str](Rate(0)), Buckets[str](Rate(0))
        self.rest: Buckets[object] = Buckets(Rate(0))
        self.adopt(config)
        self.live_parts: tuple[LiveSettings, ...] = (
            self,
            parts.dispatch,
            parts.command_limits,
            parts.typing_tracker,
            parts.presence,
            parts.accounts,
        )
        self._codecs: dict[tuple[str, str], NamespaceCodec] = {}
        self._encoders: dict[tuple[object, ...], EventEncoder] = {}
        self.stopping = False
        self.push_since = SocketIo.push_since(database.epoch)
        """For the encoders of Socket.IO clients that may recover."""
        self.sse_push = sse.push_since(database.epoch)
        bus.after(AccountClosed, self._account_closed)
        bus.after(LoginSessionEnded, self._session_ended)
        database.call_after_batch(self._after_batch)

    @classmethod
    def build(
        cls, config: Config, database: Database, identity: Identity, *, clock: Callable[[], float] = time.time
    ) -> App:
        """Everything between the store and the listeners."""
        bus = EventBus()
        return cls(config, database, identity, Parts.build(config, database, identity, bus), bus, clock)

    def adopt(self, config: Config) -> None:
        """Use this configuration: at the start, and when SIGHUP brings another."""
        limits = config.limits
        self.config = config
        allow_depth(limits.json_depth)
        allow_values(limits.json_values)
        self.anonymous.adopt(Rate(limits.anonymous_per_address, limits.anonymous_per_address_burst))
        self.page_files.adopt(Rate(limits.page_files_per_address, limits.page_files_per_address_burst))
        self.rest.adopt(Rate(limits.rest_per_user, limits.rest_per_user_burst))
        self.call_rate = Rate(limits.calls_per_connection, limits.calls_per_connection_burst)
        self.typing_rate = Rate(limits.typing_per_connection, limits.typing_per_connection_burst)
        for connection in self.connections:
            self.check_soon(connection)

    # Users who come and go

    def user_connected(self, actor: Actor) -> None:
        """A connection of the user is open."""
        self.presence.user_connected(actor.ref)

    def user_disconnected(self, user: int) -> None:
        """A connection of the user has closed."""
        if not self.online_users.disconnect(user):
            self.typing_tracker.user_disconnected(user)
            self.presence.user_disconnected(user)

    # Timers

    def _after_batch(self) -> None:
        self.unread_counts.send_changed()
        self.viewers.flush()
        if self.online_users.active_groups:
            self.ticker.need()

    async def tick(self) -> None:
        """Do what is due a moment later, for as long as the server runs."""
        await self.ticker.run(self._tick)

    def _tick(self, now: float) -> bool:
        """The unread counts of groups that are due, and typing that has ended by itself."""
        self.unread_counts.send_due(now)
        self.viewers.flush()
        self.typing_tracker.sweep(now)
        return bool(self.online_users.active_groups) or self.typing_tracker.is_active or self.viewers.has_changes

    def batch_limit(self) -> int:
        """How many calls a JSON-RPC batch may hold: the size of a connection's bucket."""
        return int(max(self.call_rate.burst, 1)) if self.call_rate.rate else sys.maxsize

    @property
    def waiting(self) -> int:
        """How many bytes wait for slow clients."""
        return sum(connection.waiting for connection in self.connections)

    # Tokens

    async def authenticate(self, token: str, charged: str, *, services: bool = False) -> Actor:
        """The actor of a token. A valid token gives its address back what the request took (`Request.charged`)."""
        actor = await self.authenticator.authenticate(token, services=services)
        self.refund(charged)
        return actor

    def refund(self, charged: str) -> None:
        if charged:
            self.anonymous.give_back(charged)

    # Dialects

    def dialect_of(self, namespace: str, asked: str | None = None) -> Dialect:
        """The dialect of a namespace: the one asked for, or the one in the configuration's table.

        The namespace must be in that table, or in the vocabularies of the dialect asked for.
        """
        name = asked or self.config.dialects.get(namespace)
        if name is None:
            raise Refusal(NOT_FOUND, f"There is no namespace {namespace[:100]!r}")
        if name not in names():
            raise Refusal(NOT_FOUND, f"There is no dialect {name[:100]!r}; there are {', '.join(names())}")
        found = dialect(name)
        if namespace not in self.config.dialects and namespace not in found.vocabularies:
            raise Refusal(NOT_FOUND, f"There is no namespace {namespace[:100]!r}")
        return found

    def codec(self, target: Dialect, namespace: str) -> NamespaceCodec:
        key = (target.name, namespace)
        found = self._codecs.get(key)
        if found is None:
            found = self._codecs[key] = NamespaceCodec(target, namespace)
        return found

    def encoder(self, target: Dialect, namespace: str, push: Push, pack: Pack) -> EventEncoder:
        key = (target.name, namespace, push, pack)
        found = self._encoders.get(key)
        if found is None:
            found = self._encoders[key] = EventEncoder(target, namespace, push, pack)
        return found

    # Closing connections

    def close_user(self, user: int, closing: Closing) -> None:
        """Close every connection of a user."""
        for connection in self.connections:
            if user in connection.users:
                connection.close_with(closing)

    def _account_closed(self, event: AccountClosed) -> None:
        self.close_user(event.user.number, SIGNED_OUT)

    def _session_ended(self, event: LoginSessionEnded) -> None:
        """Close every connection that the tokens of the session opened."""
        for connection in self.connections:
            if event.sid in connection.sids:
                connection.close_with(SIGNED_OUT)

    def close_all(self, closing: Closing) -> None:
        self.stopping = True
        self.broker.flush_now()
        for connection in self.connections:
            connection.close_with(closing)

    def connection_opened(self, connection: ManagedConnection) -> None:
        """A connection is open. Its deadlines are not known yet."""
        self.check_soon(connection)

    def connection_closed(self, connection: ManagedConnection) -> None:
        self.connections.remove(connection)

    def check_soon(self, connection: ManagedConnection) -> None:
        """Check a connection in the next sweep: it may have an earlier deadline now."""
        now = trio.current_time()
        self.connections.set(connection, now, now)

    def sweep(self, now: float) -> None:
        """Check the connections of which a deadline may be over."""
        clock = self.clock()
        for connection in self.connections.due(now):
            self.connections.set(connection, now + MAX_UNCHECKED_SECONDS, now)
            moment = connection.check(now, clock)
            if connection.slot != NO_SLOT:  # the check may have ended the connection
                self.connections.set(connection, moment, now)
