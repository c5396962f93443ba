"""One client: a framing, and the namespaces that it has opened, each speaking a dialect.

    hear    frame → dialect → command → dispatch, and on to the next: a call is not a task
    answer  outcome → dialect → frame → the broker's queue for this connection, in order among the pushes

This is where framing and dialect meet. How a connection begins (a token in the handshake, a CONNECT packet) differs
by framing and is in chatd/connections/jsonrpc.py; from there on all connections are this.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import outcome
import trio
from msgspec.structs import replace

from chatd.connections.channel import NOTHING_MISSED, Channel, ResumePoint, encode_missed, read_join_state
from chatd.connections.resume import JoinState, SeatRooms
from chatd.core.app import App, ManagedConnection
from chatd.core.dispatch import Answer
from chatd.net.socket import frame_binary, frame_text
from chatd.rate_limit import Bucket
from chatd.realtime.broker import Sink, SinkOutbox
from chatd.services.context import Actor, Published, ServiceContext, ServiceRules
from chatd.services.table import SERVICES, writes
from chatd.store.queries import sessions
from chatd.store.sqlite.transaction import Transaction
from chatd.telemetry.metrics import CONNECTIONS, CONNECTIONS_CLOSED
from protocol import commands as ask
from protocol.dialects.encode import encode
from protocol.dialects.grammar import Inbound
from protocol.errors import (
    AUTH_INVALID,
    BAD_REQUEST,
    FLOOD,
    INTERNAL,
    RATE_LIMITED,
    SIGNED_OUT,
    SLOW,
    Closing,
    Refusal,
)
from protocol.events import JOINED, USER, Event
from protocol.frames import Acknowledged, Call, Frame, Framing, InvalidFrame, Packet, Ping

STRIKE_SECONDS = 10.0
MAX_CALLS_IN_PROGRESS = 256  # calls of one connection that may be under way before it is read from again


class Connection(Sink, ManagedConnection):
    """See above."""

    __slots__ = (
        "_bucket",
        "_idle",
        "_strikes",
        "_typing",
        "app",
        "calls_in_progress",
        "channels",
        "entering",
        "framing",
        "is_closing",
        "name",
        "open",
        "writing",
    )

    def __init__(self, app: App, framing: Framing, outbox: SinkOutbox) -> None:
        super().__init__(outbox)
        self.app = app
        self.framing = framing
        self.name = secrets.token_urlsafe(12)
        self.channels: dict[str, Channel] = {}
        self.entering: Sequence[Channel] = ()  # seats that will be taken when what was missed has been sent
        self.calls_in_progress = 0
        self.writing = 0
        self.open = True
        self.is_closing = False  # it has been told goodbye: nothing more is heard
        self._bucket = Bucket(app.calls)
        self._typing: Bucket | None = None
        self._strikes: list[float] | None = None
        self._idle: trio.Event | None = None
        app.connections.add(self)
        CONNECTIONS.child().add(1)

    # Coming and going

    async def join(self, channels: list[Channel], seated: Callable[[], None], back: ResumePoint | None = None) -> None:
        """Take seats, one in each namespace. `seated` is called at that moment: what is published later comes after.
        They are one user's, and are remembered under one name.

        Whoever comes `back` is first told the rest of what they missed, and is again where they had been.
        """
        app, actor = self.app, channels[0].actor
        done = trio.Event()
        given: list[outcome.Outcome[Any]] = []

        def arrived(found: outcome.Outcome[JoinState]) -> None:
            if isinstance(found, outcome.Value):
                found = outcome.capture(self._check, actor, found.value)
            given.append(found)
            if self.open and isinstance(found, outcome.Value):
                if found.value.missed.trimmed:
                    self.close_with(SLOW)
                else:
                    self._subscribe(channels, found.value)
                    seated()
            done.set()

        if back is None and app.online_users.is_online(actor.id):
            arrived(outcome.Value(NOTHING_MISSED))
        else:
            app.database.submit(
                partial(read_join_state, actor=actor, back=back, session=channels[0].remembered_as), arrived
            )
        await done.wait()
        given[0].unwrap()

    def _check(self, actor: Actor, arrival: JoinState) -> JoinState:
        """Whoever was let in may have been shut out again while they were on their way to the seat."""
        self.app.authenticator.check_current(actor)
        return arrival

    def _subscribe(self, channels: list[Channel], arrival: JoinState) -> None:
        app = self.app
        for told in arrival.missed.published:
            for data in self.missed(channels, told, arrival.rooms):
                app.broker.send(self, data)
        for place, channel in enumerate(channels):
            app.online_users.connect(channel.actor.ref, arrival.read_states)
            app.broker.subscribe(channel)
            self.channels[channel.encoder.namespace] = channel
            for number in self._rooms(channel, place, arrival.rooms):
                app.broker.join(channel, (JOINED, number))
        self.entering = ()
        app.dispatch.connected(channels[0].actor)

    def _rooms(self, channel: Channel, place: int, rooms: SeatRooms | None) -> Iterable[int]:
        """The rooms that a seat is in from the beginning."""
        if channel.in_all_rooms:
            return self.app.online_users.conversations(channel.user)
        if rooms is None or not channel.codec.has_rooms:
            return ()
        return [number for number, room in rooms[place].items() if room.joined]

    @staticmethod
    def missed(channels: list[Channel], told: Published, rooms: SeatRooms | None) -> Iterator[bytes]:
        """Something that was missed, as these seats would have been told it in their rooms (None: in all)."""
        for place, channel in enumerate(channels):
            yield from encode_missed(channel.encoder, channel.user, told, None if rooms is None else rooms[place])

    def greet(self, channel: Channel) -> None:
        """Tell a newcomer what their dialect greets with."""
        for kind in channel.codec.vocabulary.initial_events:
            self.app.dispatch.greet(kind, channel.actor, partial(self._greet_with, channel))

    def _greet_with(self, channel: Channel, event: Event) -> None:
        if channel.groups:  # it still has its seat
            self.push_event(channel, event)  # without a position: it is sent anew on every connection
            if channel.codec.vocabulary.initial_events_to_user:
                self._tell_other_sockets(channel, event)

    def _tell_other_sockets(self, channel: Channel, event: Event) -> None:
        """Tell an event to the other sockets of the user that speak the same dialect."""
        for seat in self.app.broker.subscribers((USER, channel.user)):
            if seat is not channel and seat.encoder.dialect is channel.encoder.dialect:
                self.app.broker.tell(seat, event)

    def leave(self, namespace: str) -> None:
        channel = self.channels.pop(namespace, None)
        if channel is not None:
            self.app.broker.unsubscribe(channel)
            self.app.dispatch.disconnected(channel.actor.id)

    def leave_all(self) -> None:
        """Give every seat back, before the socket closes: its number may be somebody else's at once."""
        self.open = False
        for namespace in list(self.channels):
            self.leave(namespace)
        self.app.connections.discard(self)
        CONNECTIONS.child().add(-1)

    @property
    def users(self) -> set[int]:
        return {channel.user for channel in self._all_chairs()}

    @property
    def sids(self) -> set[str | None]:
        return {channel.actor.sid for channel in self._all_chairs()}

    @property
    def sessions(self) -> set[str]:
        return {channel.remembered_as for channel in self._all_chairs() if channel.remembered_as is not None}

    def _all_chairs(self) -> Iterator[Channel]:
        yield from self.channels.values()
        yield from self.entering

    def session_name(self, connection: str, namespace: str) -> str:
        """The name under which the rooms of one namespace of a connection are remembered."""
        return connection

    def progressed(self) -> None:
        """The client has taken bytes of what it missed."""

    # The wire: what a kind of connection is made of

    def close_transport(self, code: int, reason: str) -> None:
        """Close the wire, behind what was said before."""
        raise NotImplementedError

    async def drained(self) -> None:
        """Wait until the client has taken what waits for it."""
        raise NotImplementedError

    @staticmethod
    def pack(packet: Packet) -> bytes:
        """A packet as bytes of the wire."""
        return frame_binary(packet.data) if packet.binary else frame_text(packet.data)

    def close_with(self, closing: Closing) -> None:
        """Say goodbye. The first one counts."""
        if not self.is_closing:
            self.is_closing = True
            CONNECTIONS_CLOSED.child(str(closing.code)).add()
        self.close_transport(closing.code, closing.reason)

    def check(self, now: float, clock: float) -> None:
        """Close what holds an expired token."""
        for channel in self._all_chairs():
            if channel.actor.expires <= clock:
                self.close_with(SIGNED_OUT)
                return

    # Hearing

    async def receive_all(self, frames: Iterable[Frame]) -> None:
        """Hear frames; wait whenever too much of what was asked is still under way."""
        for frame in frames:
            if self.calls_in_progress >= MAX_CALLS_IN_PROGRESS:
                self._idle = trio.Event()
                await self._idle.wait()
            self.receive(frame)

    def receive_now(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        """Hear frames without ever waiting; those that would have to."""
        for at, frame in enumerate(frames):
            if self.calls_in_progress >= MAX_CALLS_IN_PROGRESS:
                return frames[at:]
            self.receive(frame)
        return ()

    def receive(self, frame: Frame) -> None:
        """Hear a frame. A house that stops hears no more: what it has taken it still answers, and what it has not is
        the client's to ask again.
        """
        if self.is_closing or self.app.stopping:
            return
        if type(frame) is Call:
            self._call(frame)
            return
        match frame:
            case InvalidFrame(refusal=refusal, id=id):
                if self._allowed(None, id):
                    self._refuse(self._any_channel(), None, id, refusal)
            case Acknowledged():
                self._allowed(None, None)  # nothing asked for it, and a flood of it is a flood
            case Ping(id=id):
                if self._allowed(None, id) and id is not None:
                    self.send(self.framing.answer(id, b'"pong"'))

    def _any_channel(self) -> Channel | None:
        return next(iter(self.channels.values()), None)

    def _call(self, call: Call) -> None:
        channel = self.channels.get(call.namespace)
        if channel is None:
            if self._allowed(None, call.id):
                closed = Refusal(AUTH_INVALID, "This namespace is not open on this connection")
                self._refuse(None, None, call.id, closed)
            return
        if not self._allowed(channel, call.id):
            return
        row: Inbound | None = None
        try:
            row = channel.codec.row(call.name)
            command = channel.codec.decode(call.name, call.arguments)
            self._perform(channel, row, call, command)
        except Refusal as refusal:
            self._refuse(channel, row, call.id, refusal)

    def _perform(self, channel: Channel, row: Inbound, call: Call, command: ask.Command) -> None:
        kind = type(command)
        if kind is ask.SetTyping:
            self._check_typing()
        elif kind is ask.Leave:
            self._leave_room(channel, row, call, command)
            return
        elif isinstance(command, ask.Join):
            command = self._begin_join(channel, command)
        behind = self.writing > 0  # what this connection wrote before is what it reads now
        writing = writes(kind)
        self._begin(writing)
        reply = partial(self._performed, channel, row, call.id, command, writing)
        try:
            self.app.dispatch.perform(channel.actor, command, reply, behind=behind)
        except Refusal:  # too much waits already: it has not begun
            self._done(writing)
            if type(command) is ask.Join:
                channel.end_move(command.conversation.number)
            raise

    def _begin(self, writing: bool) -> None:
        """A call is under way."""
        self.calls_in_progress += 1
        self.writing += writing

    def _done(self, writing: bool) -> None:
        """A call is not under way any more."""
        self.calls_in_progress -= 1
        self.writing -= writing
        if self._idle is not None and self.calls_in_progress < MAX_CALLS_IN_PROGRESS:
            self._idle.set()
            self._idle = None

    def _performed(
        self, channel: Channel, row: Inbound, id: Any, command: ask.Command, writing: bool, answer: Answer
    ) -> None:
        """An answer, on its way back to whoever asked."""
        self._done(writing)
        if type(command) is ask.Join:
            channel.end_move(command.conversation.number)
        if not self.open:
            return
        if type(answer) is outcome.Error:
            error = answer.error
            refusal = error if isinstance(error, Refusal) else Refusal(INTERNAL)
            self._refuse(channel, row, id, refusal)
            return
        result = answer.result
        if type(command) is ask.Join and channel.groups:  # it still has its seat
            self.app.broker.join(channel, (JOINED, result.conversation.number))
        self._answer(channel, row, id, result)
        if row.resends is not None and result is False:
            self.app.dispatch.greet(row.resends, channel.actor, partial(self._greet_with, channel))

    def _begin_join(self, channel: Channel, command: ask.Join) -> ask.Join:
        """Before a join is asked for: one above the limit must not be remembered either."""
        most, number = self.app.config.limits.rooms_per_socket, command.conversation.number
        if not channel.may_join(number, most):
            raise Refusal(BAD_REQUEST, f"One socket joins at most {most} conversations")
        channel.begin_move(number, joins=True)
        return command if channel.remembered_as is None else replace(command, session=channel.remembered_as)

    def _leave_room(self, channel: Channel, row: Inbound, call: Call, command: Any) -> None:
        """Leave a room, behind what this connection wrote before: a join of that room may be under way.

        A room that the socket is not in is asked for first, in a dialect that documents FORBIDDEN for what is not the
        caller's. Other dialects confirm every leave.
        """
        place = (JOINED, command.conversation.number)
        forget = _nothing
        if channel.remembered_as is not None and (self.writing or place in channel.groups):
            forget = partial(_forget_room, session=channel.remembered_as, conversation=place[1])
        asks = channel.encoder.dialect.forbidden_text is not None and place not in channel.groups
        if self.writing or asks:
            unit = partial(_check_leave, actor=channel.actor, command=command, then=forget) if asks else forget
            self.app.database.submit(unit, partial(self._left_room, channel, row, call, command))
            self._begin(True)
            channel.begin_move(place[1], joins=False)
            return
        if forget is not _nothing:
            self.app.database.submit(forget, lambda done: None)
        self.app.broker.leave(channel, place)
        self._answer(channel, row, call.id, command)

    def _left_room(self, channel: Channel, row: Inbound, call: Call, command: Any, done: outcome.Outcome[Any]) -> None:
        self._done(True)
        channel.end_move(command.conversation.number)
        if not self.open:
            return
        self.app.broker.leave(channel, (JOINED, command.conversation.number))
        if isinstance(done, outcome.Error):
            error = done.error
            self._refuse(channel, row, call.id, error if isinstance(error, Refusal) else Refusal(INTERNAL))
        else:
            self._answer(channel, row, call.id, command)

    # Limits

    def _allowed(self, channel: Channel | None, id: Any) -> bool:
        """Whether one more call is within the limit; the third refusal in ten seconds ends the connection."""
        now = trio.current_time()
        if self._bucket.take(now):
            return True
        wait = self._bucket.retry_after(now)
        self._refuse(channel, None, id, Refusal(RATE_LIMITED, "You are calling too fast", retry_after=round(wait, 3)))
        strikes = [at for at in self._strikes or () if at > now - STRIKE_SECONDS]
        strikes.append(now)
        self._strikes = strikes
        most = self.app.config.limits.refusals
        if most and len(strikes) >= most:
            self.app.broker.flush_now()
            self.close_with(FLOOD)
        return False

    def _check_typing(self) -> None:
        now = trio.current_time()
        if self._typing is None:
            self._typing = Bucket(self.app.typing)
        if not self._typing.take(now):
            wait = round(self._typing.retry_after(now), 3)
            raise Refusal(RATE_LIMITED, "You are typing too fast", retry_after=wait)

    # Answering

    def _answer(self, channel: Channel, row: Inbound, id: Any, result: Any) -> None:
        ack, told = channel.codec.answer(row, result)
        if told is not None:
            self.push(channel, *told)
        if id is not None:
            self.send(self.framing.answer(id, ack))

    def _refuse(self, channel: Channel | None, row: Inbound | None, id: Any, refusal: Refusal) -> None:
        if channel is None:
            if id is not None:
                self.send(self.framing.refuse(id, refusal, encode(plain_refusal(refusal))))
            return
        refusal, ack, told = channel.codec.refuse(row, refusal, wants_ack=id is not None)
        if told is not None:
            self.push(channel, *told)
        if id is not None:
            self.send(self.framing.refuse(id, refusal, ack))

    def send(self, packets: Iterable[Packet]) -> None:
        """Packets for this connection alone, in order among everything that it is told."""
        for packet in packets:
            self.app.broker.send(self, self.pack(packet))

    def push(self, channel: Channel, name: str, body: bytes) -> None:
        self.app.broker.send(self, channel.encoder.frame(name, body))

    def push_event(self, channel: Channel, event: Event) -> None:
        """An event that has no position, for this seat alone."""
        self.app.broker.tell(channel, event)


def _nothing(tx: Transaction) -> None:
    """To wait for one's turn among the writes."""


def _check_leave(tx: Transaction, actor: Actor, command: ask.Leave, then: Callable[[Transaction], None]) -> None:
    """Refuse whoever may not leave a conversation, for it is not theirs."""
    SERVICES[ask.Leave].service(ServiceContext(tx, actor, ServiceRules()), command)
    then(tx)


def _forget_room(tx: Transaction, session: str, conversation: int) -> None:
    sessions.leave(tx, session, conversation)


def plain_refusal(refusal: Refusal) -> dict[str, Any]:
    """A refusal before any dialect is known."""
    return {"ok": False, "error": {"code": refusal.code.code, "message": refusal.message}}
