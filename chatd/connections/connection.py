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

from chatd.connections.channel import NOTHING_MISSED, Chair, Comeback, arrive_at, spell_missed
from chatd.connections.resume import Arrival, SeatRooms
from chatd.core.app import Closable, House
from chatd.core.dispatch import Answer
from chatd.net.socket import frame_binary, frame_text
from chatd.rate_limit import Bucket
from chatd.realtime.broker import Link, Way
from chatd.services.context import Actor, Rules, Told, Work
from chatd.services.table import SERVICES, writes
from chatd.store.queries import sessions
from chatd.store.sqlite.transaction import Transaction
from chatd.telemetry.metrics import CONNECTIONS, CONNECTIONS_CLOSED
from protocol import commands as ask
from protocol.dialects.encode import encode
from protocol.dialects.grammar import Hear
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
from protocol.frames import Acknowledged, Broken, Call, Frame, Framing, Packet, Ping

STRIKE_SECONDS = 10.0
UNDER_WAY = 256  # calls of one connection that may be under way before it is read from again


class Connection(Link, Closable):
    """See above."""

    __slots__ = (
        "_bucket",
        "_idle",
        "_strikes",
        "_typing",
        "chairs",
        "ended",
        "entering",
        "framing",
        "house",
        "name",
        "open",
        "under_way",
        "writing",
    )

    def __init__(self, house: House, framing: Framing, write: Way) -> None:
        super().__init__(write)
        self.house = house
        self.framing = framing
        self.name = secrets.token_urlsafe(12)
        self.chairs: dict[str, Chair] = {}
        self.entering: Sequence[Chair] = ()  # seats that will be taken when what was missed has been sent
        self.under_way = 0
        self.writing = 0
        self.open = True
        self.ended = False  # it has been told goodbye: nothing more is heard
        self._bucket = Bucket(house.calls)
        self._typing: Bucket | None = None
        self._strikes: list[float] | None = None
        self._idle: trio.Event | None = None
        house.connections.add(self)
        CONNECTIONS.child().add(1)

    # Coming and going

    async def enter(self, chairs: list[Chair], seated: Callable[[], None], back: Comeback | None = None) -> None:
        """Take seats, one in each namespace. `seated` is called at that moment: what is published later comes after.
        They are one user's, and are remembered under one name.

        Whoever comes `back` is first told the rest of what they missed, and is again where they had been.
        """
        house, actor = self.house, chairs[0].actor
        done = trio.Event()
        given: list[outcome.Outcome[Any]] = []

        def arrived(found: outcome.Outcome[Arrival]) -> None:
            if isinstance(found, outcome.Value):
                found = outcome.capture(self._check, actor, found.value)
            given.append(found)
            if self.open and isinstance(found, outcome.Value):
                if found.value.missed.lost:
                    self.end(SLOW)
                else:
                    self._sit(chairs, found.value)
                    seated()
            done.set()

        if back is None and house.roster.is_here(actor.id):
            arrived(outcome.Value(NOTHING_MISSED))
        else:
            house.database.submit(partial(arrive_at, actor=actor, back=back, session=chairs[0].memory), arrived)
        await done.wait()
        given[0].unwrap()

    def _check(self, actor: Actor, arrival: Arrival) -> Arrival:
        """Whoever was let in may have been shut out again while they were on their way to the seat."""
        self.house.doorman.check(actor)
        return arrival

    def _sit(self, chairs: list[Chair], arrival: Arrival) -> None:
        house = self.house
        for told in arrival.missed.told:
            for data in self.missed(chairs, told, arrival.rooms):
                house.broker.send(self, data)
        for place, chair in enumerate(chairs):
            house.roster.enter(chair.actor.ref, arrival.standings)
            house.broker.sit(chair)
            self.chairs[chair.face.namespace] = chair
            for number in self._rooms(chair, place, arrival.rooms):
                house.broker.join(chair, (JOINED, number))
        self.entering = ()
        house.dispatch.entered(chairs[0].actor)

    def _rooms(self, chair: Chair, place: int, rooms: SeatRooms | None) -> Iterable[int]:
        """The rooms that a seat is in from the beginning."""
        if chair.everywhere:
            return self.house.roster.conversations(chair.user)
        if rooms is None or not chair.speech.joins:
            return ()
        return [number for number, room in rooms[place].items() if room.joined]

    @staticmethod
    def missed(chairs: list[Chair], told: Told, rooms: SeatRooms | None) -> Iterator[bytes]:
        """Something that was missed, as these seats would have been told it in their rooms (None: in all)."""
        for place, chair in enumerate(chairs):
            yield from spell_missed(chair.face, chair.user, told, None if rooms is None else rooms[place])

    def greet(self, chair: Chair) -> None:
        """Tell a newcomer what their dialect greets with."""
        for kind in chair.speech.vocabulary.greets:
            self.house.dispatch.greet(kind, chair.actor, partial(self._greet_with, chair))

    def _greet_with(self, chair: Chair, event: Event) -> None:
        if chair.groups:  # it still has its seat
            self.tell(chair, event)  # without a position: it is sent anew on every connection
            if chair.speech.vocabulary.greets_user:
                self._tell_other_sockets(chair, event)

    def _tell_other_sockets(self, chair: Chair, event: Event) -> None:
        """Tell an event to the other sockets of the user that speak the same dialect."""
        for seat in self.house.broker.seats((USER, chair.user)):
            if seat is not chair and seat.face.dialect is chair.face.dialect:
                self.house.broker.tell(seat, event)

    def leave(self, namespace: str) -> None:
        chair = self.chairs.pop(namespace, None)
        if chair is not None:
            self.house.broker.rise(chair)
            self.house.dispatch.left(chair.actor.id)

    def leave_all(self) -> None:
        """Give every seat back, before the socket closes: its number may be somebody else's at once."""
        self.open = False
        for namespace in list(self.chairs):
            self.leave(namespace)
        self.house.connections.discard(self)
        CONNECTIONS.child().add(-1)

    @property
    def users(self) -> set[int]:
        return {chair.user for chair in self._all_chairs()}

    @property
    def sids(self) -> set[str | None]:
        return {chair.actor.sid for chair in self._all_chairs()}

    @property
    def sessions(self) -> set[str]:
        return {chair.memory for chair in self._all_chairs() if chair.memory is not None}

    def _all_chairs(self) -> Iterator[Chair]:
        yield from self.chairs.values()
        yield from self.entering

    def session_name(self, connection: str, namespace: str) -> str:
        """The name under which the rooms of one namespace of a connection are remembered."""
        return connection

    def progressed(self) -> None:
        """The client has taken bytes of what it missed."""

    def moved(self, write: Way) -> None:
        """Bytes go out in another way from now on."""
        self.write = write

    # The wire: what a kind of connection is made of

    def shut(self, code: int, reason: str) -> None:
        """Close the wire, behind what was said before."""
        raise NotImplementedError

    async def drained(self) -> None:
        """Wait until the client has taken what waits for it."""
        raise NotImplementedError

    @staticmethod
    def pack(packet: Packet) -> bytes:
        """A packet as bytes of the wire."""
        return frame_binary(packet.data) if packet.binary else frame_text(packet.data)

    def end(self, closing: Closing) -> None:
        """Say goodbye. The first one counts."""
        if not self.ended:
            self.ended = True
            CONNECTIONS_CLOSED.child(str(closing.code)).add()
        self.shut(closing.code, closing.reason)

    def look(self, now: float, clock: float) -> None:
        """Close what holds an expired token."""
        for chair in self._all_chairs():
            if chair.actor.expires <= clock:
                self.end(SIGNED_OUT)
                return

    # Hearing

    async def hear_all(self, frames: Iterable[Frame]) -> None:
        """Hear frames; wait whenever too much of what was asked is still under way."""
        for frame in frames:
            if self.under_way >= UNDER_WAY:
                self._idle = trio.Event()
                await self._idle.wait()
            self.hear(frame)

    def hear_now(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        """Hear frames without ever waiting; those that would have to."""
        for at, frame in enumerate(frames):
            if self.under_way >= UNDER_WAY:
                return frames[at:]
            self.hear(frame)
        return ()

    def hear(self, frame: Frame) -> None:
        """Hear a frame. A house that stops hears no more: what it has taken it still answers, and what it has not is
        the client's to ask again.
        """
        if self.ended or self.house.stopping:
            return
        if type(frame) is Call:
            self._call(frame)
            return
        match frame:
            case Broken(refusal=refusal, id=id):
                if self._allowed(None, id):
                    self._refuse(self._any_chair(), None, id, refusal)
            case Acknowledged():
                self._allowed(None, None)  # nothing asked for it, and a flood of it is a flood
            case Ping(id=id):
                if self._allowed(None, id) and id is not None:
                    self.send(self.framing.answer(id, b'"pong"'))

    def _any_chair(self) -> Chair | None:
        return next(iter(self.chairs.values()), None)

    def _call(self, call: Call) -> None:
        chair = self.chairs.get(call.namespace)
        if chair is None:
            if self._allowed(None, call.id):
                closed = Refusal(AUTH_INVALID, "This namespace is not open on this connection")
                self._refuse(None, None, call.id, closed)
            return
        if not self._allowed(chair, call.id):
            return
        row: Hear | None = None
        try:
            row = chair.speech.row(call.name)
            command = chair.speech.hear(call.name, call.arguments)
            self._perform(chair, row, call, command)
        except Refusal as refusal:
            self._refuse(chair, row, call.id, refusal)

    def _perform(self, chair: Chair, row: Hear, call: Call, command: ask.Command) -> None:
        kind = type(command)
        if kind is ask.SetTyping:
            self._check_typing()
        elif kind is ask.Leave:
            self._leave_room(chair, row, call, command)
            return
        elif isinstance(command, ask.Join):
            command = self._begin_join(chair, command)
        behind = self.writing > 0  # what this connection wrote before is what it reads now
        writing = writes(kind)
        self._begin(writing)
        reply = partial(self._performed, chair, row, call.id, command, writing)
        try:
            self.house.dispatch.perform(chair.actor, command, reply, behind=behind)
        except Refusal:  # too much waits already: it has not begun
            self._done(writing)
            if type(command) is ask.Join:
                chair.end_move(command.conversation.number)
            raise

    def _begin(self, writing: bool) -> None:
        """A call is under way."""
        self.under_way += 1
        self.writing += writing

    def _done(self, writing: bool) -> None:
        """A call is not under way any more."""
        self.under_way -= 1
        self.writing -= writing
        if self._idle is not None and self.under_way < UNDER_WAY:
            self._idle.set()
            self._idle = None

    def _performed(self, chair: Chair, row: Hear, id: Any, command: ask.Command, writing: bool, answer: Answer) -> None:
        """An answer, on its way back to whoever asked."""
        self._done(writing)
        if type(command) is ask.Join:
            chair.end_move(command.conversation.number)
        if not self.open:
            return
        if type(answer) is outcome.Error:
            error = answer.error
            refusal = error if isinstance(error, Refusal) else Refusal(INTERNAL)
            self._refuse(chair, row, id, refusal)
            return
        result = answer.result
        if type(command) is ask.Join and chair.groups:  # it still has its seat
            self.house.broker.join(chair, (JOINED, result.conversation.number))
        self._answer(chair, row, id, result)
        if row.restates is not None and result is False:
            self.house.dispatch.greet(row.restates, chair.actor, partial(self._greet_with, chair))

    def _begin_join(self, chair: Chair, command: ask.Join) -> ask.Join:
        """Before a join is asked for: one above the limit must not be remembered either."""
        most, number = self.house.config.limits.rooms_per_socket, command.conversation.number
        if not chair.may_join(number, most):
            raise Refusal(BAD_REQUEST, f"One socket joins at most {most} conversations")
        chair.begin_move(number, joins=True)
        return command if chair.memory is None else replace(command, session=chair.memory)

    def _leave_room(self, chair: Chair, row: Hear, call: Call, command: Any) -> None:
        """Leave a room, behind what this connection wrote before: a join of that room may be under way.

        A room that the socket is not in is asked for first, in a dialect that documents FORBIDDEN for what is not the
        caller's. Other dialects confirm every leave.
        """
        place = (JOINED, command.conversation.number)
        forget = _nothing
        if chair.memory is not None and (self.writing or place in chair.groups):
            forget = partial(_forget_room, session=chair.memory, conversation=place[1])
        asks = chair.face.dialect.not_yours is not None and place not in chair.groups
        if self.writing or asks:
            unit = partial(_check_leave, actor=chair.actor, command=command, then=forget) if asks else forget
            self.house.database.submit(unit, partial(self._left_room, chair, row, call, command))
            self._begin(True)
            chair.begin_move(place[1], joins=False)
            return
        if forget is not _nothing:
            self.house.database.submit(forget, lambda done: None)
        self.house.broker.leave(chair, place)
        self._answer(chair, row, call.id, command)

    def _left_room(self, chair: Chair, row: Hear, call: Call, command: Any, done: outcome.Outcome[Any]) -> None:
        self._done(True)
        chair.end_move(command.conversation.number)
        if not self.open:
            return
        self.house.broker.leave(chair, (JOINED, command.conversation.number))
        if isinstance(done, outcome.Error):
            error = done.error
            self._refuse(chair, row, call.id, error if isinstance(error, Refusal) else Refusal(INTERNAL))
        else:
            self._answer(chair, row, call.id, command)

    # Limits

    def _allowed(self, chair: Chair | None, id: Any) -> bool:
        """Whether one more call is within the limit; the third refusal in ten seconds ends the connection."""
        now = trio.current_time()
        if self._bucket.take(now):
            return True
        wait = self._bucket.retry_after(now)
        self._refuse(chair, None, id, Refusal(RATE_LIMITED, "You are calling too fast", retry_after=round(wait, 3)))
        strikes = [at for at in self._strikes or () if at > now - STRIKE_SECONDS]
        strikes.append(now)
        self._strikes = strikes
        most = self.house.config.limits.refusals
        if most and len(strikes) >= most:
            self.house.broker.flush_now()
            self.end(FLOOD)
        return False

    def _check_typing(self) -> None:
        now = trio.current_time()
        if self._typing is None:
            self._typing = Bucket(self.house.typing)
        if not self._typing.take(now):
            wait = round(self._typing.retry_after(now), 3)
            raise Refusal(RATE_LIMITED, "You are typing too fast", retry_after=wait)

    # Answering

    def _answer(self, chair: Chair, row: Hear, id: Any, result: Any) -> None:
        ack, told = chair.speech.answer(row, result)
        if told is not None:
            self.push(chair, *told)
        if id is not None:
            self.send(self.framing.answer(id, ack))

    def _refuse(self, chair: Chair | None, row: Hear | None, id: Any, refusal: Refusal) -> None:
        if chair is None:
            if id is not None:
                self.send(self.framing.refuse(id, refusal, encode(plainly(refusal))))
            return
        refusal, ack, told = chair.speech.refuse(row, refusal, asked=id is not None)
        if told is not None:
            self.push(chair, *told)
        if id is not None:
            self.send(self.framing.refuse(id, refusal, ack))

    def send(self, packets: Iterable[Packet]) -> None:
        """Packets for this connection alone, in order among everything that it is told."""
        for packet in packets:
            self.house.broker.send(self, self.pack(packet))

    def push(self, chair: Chair, name: str, body: bytes) -> None:
        self.house.broker.send(self, chair.face.frame(name, body))

    def tell(self, chair: Chair, event: Event) -> None:
        """An event that has no position, for this seat alone."""
        self.house.broker.tell(chair, event)


def _nothing(tx: Transaction) -> None:
    """To wait for one's turn among the writes."""


def _check_leave(tx: Transaction, actor: Actor, command: ask.Leave, then: Callable[[Transaction], None]) -> None:
    """Refuse whoever may not leave a conversation, for it is not theirs."""
    SERVICES[ask.Leave].service(Work(tx, actor, Rules()), command)
    then(tx)


def _forget_room(tx: Transaction, session: str, conversation: int) -> None:
    sessions.leave(tx, session, conversation)


def plainly(refusal: Refusal) -> dict[str, Any]:
    """A refusal before any dialect is known."""
    return {"ok": False, "error": {"code": refusal.code.code, "message": refusal.message}}
