"""The connection of one client: its life, and the channels that are open on it.

A framing meets a dialect here. How a connection begins (a token in the handshake, a CONNECT packet) differs by framing:
chatd/connections/jsonrpc.py and socketio.py. What it receives is in incoming_calls.py, and what it sends is in
replies.py.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import trio

from chatd.connections.channel import NOTHING_MISSED, Channel, ResumePoint, encode_missed, read_join_state
from chatd.connections.incoming_calls import IncomingCalls
from chatd.connections.replies import Replies
from chatd.connections.resume import ChannelRooms, JoinState
from chatd.core.app import App, ManagedConnection
from chatd.net.timer_wheel import NO_SLOT
from chatd.realtime.broker import Sink, SinkOutbox
from chatd.services.context import Published
from chatd.telemetry.metrics import CONNECTIONS, CONNECTIONS_CLOSED
from protocol.errors import SIGNED_OUT, SLOW, Closing
from protocol.events import JOINED, USER, Event
from protocol.frames import Framing


class Connection(Sink, ManagedConnection):
    """What all framings have in common. A subclass knows the transport."""

    __slots__ = ("app", "calls", "channels", "framing", "is_closing", "is_open", "joining", "name", "replies", "slot")

    def __init__(self, app: App, framing: Framing, outbox: SinkOutbox) -> None:
        super().__init__(outbox)
        self.app = app
        self.framing = framing
        self.name = secrets.token_urlsafe(12)
        self.channels: dict[str, Channel] = {}
        self.joining: Sequence[Channel] = ()
        """Channels that are subscribed as soon as the client has received what it missed."""
        self.is_open = True
        self.is_closing = False
        """A close code has been sent: the server receives no more frames."""
        self.calls = IncomingCalls(self)
        self.replies = Replies(app.broker, framing, self)
        self.slot = NO_SLOT
        app.connection_opened(self)
        CONNECTIONS.child().add(1)

    # Joining and leaving

    async def join(
        self, channels: list[Channel], on_joined: Callable[[], None], resume: ResumePoint | None = None
    ) -> None:
        """Subscribe channels of one user. `on_joined` is called in the same step: later events come after it.

        With `resume`, the client first receives the rest of what it missed, and it is in its former rooms again.
        """
        app, actor = self.app, channels[0].actor

        def finish(state: JoinState) -> None:
            app.authenticator.check_current(actor)  # the account may have been disabled during setup
            if not self.is_open:
                return
            if state.missed.trimmed:
                self.close_with(SLOW)
            else:
                self._subscribe(channels, state)
                on_joined()

        if resume is None and app.online_users.is_online(actor.id):
            finish(NOTHING_MISSED)
            await trio.lowlevel.checkpoint()
        else:
            unit = partial(read_join_state, actor=actor, resume=resume, session=channels[0].session)
            await app.database.submit_and_wait(unit, finish)

    def _subscribe(self, channels: list[Channel], state: JoinState) -> None:
        app = self.app
        for published in state.missed.published:
            for data in self.encode_missed(channels, published, state.rooms):
                app.broker.send(self, data)
        for index, channel in enumerate(channels):
            app.online_users.connect(channel.actor.ref, state.read_states)
            app.broker.subscribe(channel)
            self.channels[channel.encoder.namespace] = channel
            for number in self._rooms(channel, index, state.rooms):
                app.broker.join(channel, (JOINED, number))
        self.joining = ()
        app.check_soon(self)  # a token may expire before the next check
        app.user_connected(channels[0].actor)

    def _rooms(self, channel: Channel, index: int, rooms: ChannelRooms | None) -> Iterable[int]:
        """The conversations whose rooms a new channel is in."""
        if channel.in_all_rooms:
            return self.app.online_users.conversations(channel.user)
        if rooms is None or not channel.codec.has_rooms:
            return ()
        return [number for number, room in rooms[index].items() if room.joined]

    @staticmethod
    def encode_missed(channels: list[Channel], missed: Published, rooms: ChannelRooms | None) -> Iterator[bytes]:
        """The frames of a missed event, for each channel in its rooms (None: in all rooms)."""
        for index, channel in enumerate(channels):
            yield from encode_missed(channel.encoder, channel.user, missed, None if rooms is None else rooms[index])

    def greet(self, channel: Channel) -> None:
        """Send a new channel the events that its dialect begins with: the state of what changes later."""
        for kind in channel.codec.vocabulary.initial_events:
            self.send_state(channel, kind)

    def send_state(self, channel: Channel, kind: type[Event]) -> None:
        """Send a channel the state that events of this kind change."""
        self.app.greetings.greet(kind, channel.actor, partial(self._send_state, channel))

    def _send_state(self, channel: Channel, event: Event) -> None:
        if not channel.groups:  # the channel was left before the state was read
            return
        broker = self.app.broker
        broker.send_event(channel, event)  # without a position: each connection receives it when it begins
        if channel.codec.vocabulary.initial_events_to_user:
            for other in broker.subscribers((USER, channel.user)):
                if other is not channel and other.encoder.dialect is channel.encoder.dialect:
                    broker.send_event(other, event)

    def leave(self, namespace: str) -> None:
        """Close the channel of a namespace."""
        channel = self.channels.pop(namespace, None)
        if channel is not None:
            self.app.broker.unsubscribe(channel)
            self.app.user_disconnected(channel.actor.id)

    def leave_all(self) -> None:
        """Close every channel. Call it before the socket closes: another client may get its number at once."""
        self.is_open = False
        for namespace in list(self.channels):
            self.leave(namespace)
        self.joining = ()
        self.calls.release()
        self.replies.release()
        self.app.connection_closed(self)
        CONNECTIONS.child().add(-1)

    @property
    def users(self) -> set[int]:
        return {channel.user for channel in self._all_channels()}

    @property
    def sids(self) -> set[str | None]:
        return {channel.actor.sid for channel in self._all_channels()}

    @property
    def sessions(self) -> set[str]:
        return {channel.session for channel in self._all_channels() if channel.session is not None}

    def _all_channels(self) -> Iterator[Channel]:
        yield from self.channels.values()
        yield from self.joining

    def session_name(self, connection: str, namespace: str) -> str:
        """The name of the session that stores the rooms of one namespace of a connection."""
        return connection

    # The transport

    def progressed(self) -> None:
        """Note that the client has received a piece of what it missed."""

    def close_transport(self, code: int, reason: str) -> None:
        """Close the transport after everything that was sent before."""
        raise NotImplementedError

    async def drained(self) -> None:
        """Wait until the client has received what is queued for it."""
        raise NotImplementedError

    def close_with(self, closing: Closing) -> None:
        """Close the connection with a code. The first code is the one that counts."""
        if not self.is_closing:
            self.is_closing = True
            CONNECTIONS_CLOSED.child(str(closing.code)).add()
        self.close_transport(closing.code, closing.reason)

    def check(self, now: float, clock: float) -> float:
        """Close the connection when a token has expired."""
        expires = min((channel.actor.expires for channel in self._all_channels()), default=math.inf)
        if expires <= clock:
            self.close_with(SIGNED_OUT)
        return now + expires - clock
