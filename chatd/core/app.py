"""The house: what all connections and requests share. Built in chatd/server/main.py, handed down from there."""

from __future__ import annotations

import sys
from collections.abc import Callable

from chatd.config.settings import Config
from chatd.core.authenticator import Authenticator
from chatd.core.dispatch import Dispatch
from chatd.rate_limit import Buckets, Rate
from chatd.realtime.broker import Broker
from chatd.realtime.encoder import EventEncoder, Pack, Push
from chatd.realtime.online_users import OnlineUsers
from chatd.services.context import Actor
from chatd.store.sqlite.database import Database
from protocol.dialects import dialect, names
from protocol.dialects.codec import NamespaceCodec
from protocol.dialects.grammar import Dialect
from protocol.errors import NOT_FOUND, Closing, Refusal
from protocol.framings import sse
from protocol.framings.socketio import SocketIo
from protocol.strict import allow_depth, allow_values


class ManagedConnection:
    """A connection, as the house knows it: something that may have to go."""

    __slots__ = ()

    @property
    def users(self) -> set[int]:
        """Who sits in it."""
        raise NotImplementedError

    @property
    def sids(self) -> set[str | None]:
        """The sessions of own accounts that its tokens belong to."""
        return set()

    @property
    def sessions(self) -> set[str]:
        """The names under which its rooms are remembered."""
        raise NotImplementedError

    @property
    def waiting(self) -> int:
        """Bytes that wait for the client."""
        return 0

    def close_with(self, closing: Closing) -> None:
        """Say goodbye."""
        raise NotImplementedError

    def check(self, now: float, clock: float) -> None:
        """Be looked at by the sweep: monotonic seconds, and seconds since 1970."""
        raise NotImplementedError


class App:
    """See above. `connections` are all that are open; the sweep looks at each about once a second."""

    def __init__(
        self,
        config: Config,
        database: Database,
        broker: Broker,
        online_users: OnlineUsers,
        dispatch: Dispatch,
        authenticator: Authenticator,
        clock: Callable[[], float],
    ) -> None:
        self.database = database
        self.broker = broker
        self.online_users = online_users
        self.dispatch = dispatch
        self.authenticator = authenticator
        self.clock = clock
        self.connections: set[ManagedConnection] = set()
        self.adopt(config)
        self._codecs: dict[tuple[str, str], NamespaceCodec] = {}
        self._encoders: dict[tuple[object, ...], EventEncoder] = {}
        self.stopping = False
        self.start_task: Callable[..., None] = _nowhere
        """Start a task that belongs to no connection; the top nursery's."""
        self.push_since = SocketIo.push_since(database.epoch)
        """For the faces of Socket.IO clients that may recover."""
        self.sse_push = sse.push_since(database.epoch)

    def adopt(self, config: Config) -> None:
        """Take up a configuration: at the start, and when SIGHUP brings another."""
        limits = config.limits
        self.config = config
        allow_depth(limits.json_depth)
        allow_values(limits.json_values)
        self.anonymous = Buckets[str](Rate(limits.anonymous_per_address, limits.anonymous_per_address_burst))
        self.rest = Buckets[object](Rate(limits.rest_per_user, limits.rest_per_user_burst))
        self.calls = Rate(limits.calls_per_connection, limits.calls_per_connection_burst)
        self.typing = Rate(limits.typing_per_connection, limits.typing_per_connection_burst)

    def batch_limit(self) -> int:
        """How many calls a JSON-RPC batch may hold: as many as the bucket of a connection holds when it is full."""
        return int(max(self.calls.burst, 1)) if self.calls.rate else sys.maxsize

    @property
    def waiting(self) -> int:
        """Bytes that wait for slow clients."""
        return sum(connection.waiting for connection in self.connections)

    # Tokens

    async def authenticate(self, token: str, charged: str, *, services: bool = False) -> Actor:
        """Who holds the token. A valid token gives back what its request has paid, as `charged` says (Request)."""
        actor = await self.authenticator.authenticate(token, services=services)
        self.refund(charged)
        return actor

    def refund(self, charged: str) -> None:
        if charged:
            self.anonymous.give_back(charged)

    # Dialects

    def dialect_of(self, namespace: str, asked: str | None = None) -> Dialect:
        """The dialect that a namespace speaks: the one asked for, else the table's.

        A namespace is one of the table's, or one that the dialect asked for has a vocabulary for.
        """
        name = asked or self.config.dialects.get(namespace)
        if name is None:
            raise Refusal(NOT_FOUND, f"There is no namespace {namespace[:100]!r}")
        if name not in names():
            raise Refusal(NOT_FOUND, f"There is no dialect {name[:100]!r}; there are {', '.join(names())}")
        spoken = dialect(name)
        if namespace not in self.config.dialects and namespace not in spoken.vocabularies:
            raise Refusal(NOT_FOUND, f"There is no namespace {namespace[:100]!r}")
        return spoken

    def codec(self, spoken: Dialect, namespace: str) -> NamespaceCodec:
        key = (spoken.name, namespace)
        found = self._codecs.get(key)
        if found is None:
            found = self._codecs[key] = NamespaceCodec(spoken, namespace)
        return found

    def encoder(self, spoken: Dialect, namespace: str, push: Push, pack: Pack) -> EventEncoder:
        key = (spoken.name, namespace, push, pack)
        found = self._encoders.get(key)
        if found is None:
            found = self._encoders[key] = EventEncoder(spoken, namespace, push, pack)
        return found

    # Goodbyes

    def close_user(self, user: int, closing: Closing) -> None:
        """Close every socket of a user."""
        for connection in list(self.connections):
            if user in connection.users:
                connection.close_with(closing)

    def end_session(self, sid: str, closing: Closing) -> None:
        """A session of an own account has ended: refuse its access tokens, close every socket that they opened."""
        self.authenticator.end_session(sid)
        for connection in list(self.connections):
            if sid in connection.sids:
                connection.close_with(closing)

    def close_all(self, closing: Closing) -> None:
        self.stopping = True
        self.broker.flush_now()
        for connection in list(self.connections):
            connection.close_with(closing)

    def sweep(self, now: float) -> None:
        clock = self.clock()
        for connection in list(self.connections):
            connection.check(now, clock)


def _nowhere(*task: object) -> None:
    raise RuntimeError("the server does not run")
