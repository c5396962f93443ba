"""How a Socket.IO connection begins, lives and ends: one Engine.IO session, and the namespaces that its client opens.

    CONNECT ns {auth}         who is it, which dialect; a seat, the answer, the greetings. Or a refusal, as the
                              dialect has it: CONNECT_ERROR; or let in, told (or not) and shown out again
    EVENT ns                  to chatd/connections/connection.py
    DISCONNECT ns             the seat is given back, the connection stays
    what can't be parsed      the session ends, as it does on the reference server; so it does with an event for a
                              namespace that was never open, and with a second CONNECT for one that is

The token comes in `auth.token`, in the Authorization header of the handshake, or in its query where the dialect
documents that. The dialect is `?dialect=`, else `auth.dialect`, else the [dialects] table's.

Whoever recovers is given a private name for the session of each namespace, `pid`: it ends with where the session began,
for a client that has heard nothing since has no offset to show. Its rooms are in the database under that name, so it
outlives the connection and the server; a client that leaves the namespace on purpose is forgotten.

A connection that the server ends for good is told so in each of its namespaces first: the client then knows "io server
disconnect" and stays away. Without that it sees a lost transport, and comes back.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Any

import msgspec
import trio
from msgspec import Raw

from chatd.auth.verifier import bearer
from chatd.config.settings import Config
from chatd.connections.channel import Chair
from chatd.connections.connection import Connection, plainly
from chatd.connections.join import EARLY_BYTES, EARLY_FRAMES, begin_anew, go_on, open_while_reading, position_of
from chatd.connections.jsonrpc import query_of, same_user
from chatd.connections.resume import Back, find_gap
from chatd.core.app import House
from chatd.engineio.engine import Engine, Headers, Session, SessionRules
from chatd.net.request import Request
from chatd.net.socket import frame_text
from chatd.services.context import Actor
from chatd.store.queries import sessions
from chatd.telemetry.log import log
from chatd.telemetry.metrics import CONNECTIONS_OPENED, CONNECTIONS_REFUSED
from protocol.dialects.codec import error_body
from protocol.dialects.grammar import Dialect
from protocol.errors import AUTH_INVALID, BAD_REQUEST, RATE_LIMITED, Closing, Refusal, closing_of
from protocol.frames import Acknowledged, Call, Close, Frame, Open, Packet
from protocol.framings.socketio import SocketIo, SocketIoLimits

NAMESPACES = 16
REMEMBERED = 64  # namespaces that were open once: what a client still sends there crossed our goodbye
FIRST_PACKET_BYTES = 16_384  # what a client may send in one packet before it has shown a valid token
SID_BYTES = 15
PID_BYTES = 18
DRAINED = 65_536
DRAIN_SECONDS = 0.02
INVALID_STATE = "invalid state"


class IoConnection(Connection):
    """A Connection on an Engine.IO session."""

    __slots__ = ("_packet_bytes", "early_bytes", "full", "left", "session")

    framing: SocketIo

    def __init__(self, house: House, session: Session) -> None:
        framing = SocketIo(SocketIoLimits(packet_bytes=house.config.socketio.max_payload))
        self._packet_bytes, framing.packet_bytes = framing.packet_bytes, FIRST_PACKET_BYTES
        super().__init__(house, framing, session.way)
        self.session = session
        self.left: set[str] = set()
        self.early_bytes = 0
        self.full = False  # it is not read from: too much waits to be heard already
        session.moved = self.moved

    @property
    def waiting(self) -> int:
        return self.session.waiting

    @property
    def crowded(self) -> bool:
        return 2 * self.session.waiting > self.house.config.limits.outbox_bytes > 0

    def keep_rest(self, data: bytes, taken: int) -> None:
        self.session.keep_rest(data, taken)

    def shut(self, code: int, reason: str) -> None:
        self.session.close(code, reason)

    async def drained(self) -> None:
        """Wait until the client has taken most of what waits for it, by whichever transport it takes it."""
        limit = self.house.config.limits.outbox_bytes
        most = min(DRAINED, limit // 4) if limit else DRAINED  # what is sent until the next wait must fit beside it
        while self.session.waiting > most and not self.session.closing:  # noqa: ASYNC110 - no event tells
            await trio.sleep(DRAIN_SECONDS)

    def progressed(self) -> None:
        if self.full:
            self.session.postpone()

    def leave(self, namespace: str) -> None:
        if namespace in self.chairs:
            if len(self.left) >= REMEMBERED:
                self.left.clear()
            self.left.add(namespace)
        super().leave(namespace)

    def forget(self, namespace: str) -> None:
        """Nobody will come back to what is open in a namespace."""
        chair = self.chairs.get(namespace)
        if chair is not None and chair.memory is not None:
            close = partial(sessions.close, name=chair.memory, user=chair.actor.id)
            self.house.database.submit(close, lambda done: None)

    def end(self, closing: Closing) -> None:
        if not closing.retry:
            for namespace in self.chairs:
                self.session.write(frame_text(SocketIo.closed(namespace)))
        super().end(closing)

    def admit(self) -> None:
        """The client has shown who it is: it may stay, and send larger packets."""
        self.framing.packet_bytes = self._packet_bytes
        self.session.admit()

    def count(self) -> None:
        """Count a packet that is no call, and costs as much."""
        self._allowed(None, None)

    def may_open(self) -> bool:
        """Whether one more CONNECT is within the limits."""
        return self._allowed(None, None) and len(self.chairs) < NAMESPACES

    def say(self, packet: bytes) -> None:
        self.send((Packet(packet),))


def open_engine(house: House, nursery: trio.Nursery, headers: Callable[[Request], Headers]) -> Engine:
    """The engine of a house, by its settings."""
    return Engine(
        session_rules(house.config),
        partial(serve_socketio, house),
        nursery,
        headers=headers,
        crashed=partial(log.fault, "a Socket.IO session failed"),
        sessions_per_address=house.config.limits.connections_per_address,
    )


def session_rules(config: Config) -> SessionRules:
    limits, socketio = config.limits, config.socketio
    return SessionRules(
        interval=socketio.ping_interval,
        timeout=socketio.ping_timeout,
        payload_bytes=socketio.max_payload,
        fragments=limits.message_fragments,
        outbox_bytes=limits.outbox_bytes,
        connect_seconds=socketio.connect_timeout,
    )


async def serve_socketio(house: House, session: Session, request: Request) -> None:
    """The whole life of a Socket.IO connection."""
    connection = IoConnection(house, session)
    unheard: list[Frame] = []
    guest = Guest(connection, query_of(request), request.get(b"authorization"), unheard, request.charged)
    del request
    try:
        CONNECTIONS_OPENED.child("socketio").add()
        while True:
            await session.listen(guest.take)
            for frame in unheard:  # while one is heard, more may come behind
                await guest.hear(frame)
            unheard.clear()
    finally:
        connection.leave_all()


class Guest:
    """What a connection is until its namespaces are open: a handshake, and what each CONNECT shows.

    `unheard` are the frames that wait, in their order.
    """

    __slots__ = ("_authorization", "_charged", "_connection", "_house", "_let_in_to", "_query", "_unheard")

    def __init__(
        self,
        connection: IoConnection,
        query: dict[str, str],
        authorization: str | None,
        unheard: list[Frame],
        charged: str = "",
    ) -> None:
        self._connection = connection
        self._house = connection.house
        self._query = query
        self._authorization = authorization
        self._unheard = unheard
        self._let_in_to: Chair | None = None
        self._charged = charged

    def take_early(self, packets: list[Packet]) -> bool:
        """Keep what comes while a namespace is being opened; whether more may come."""
        connection = self._connection
        for packet in packets:
            connection.early_bytes += len(packet.data)
            self._unheard += connection.framing.receive(packet)
        connection.full = len(self._unheard) >= EARLY_FRAMES or connection.early_bytes >= EARLY_BYTES
        return not connection.full

    def take(self, packets: list[Packet]) -> bool:
        """Hear the calls that have just arrived; whether that was all, and nothing has to be waited for."""
        connection, unheard = self._connection, self._unheard
        for packet in packets:
            for frame in connection.framing.receive(packet):
                if unheard or type(frame) is not Call or frame.namespace not in connection.chairs:
                    unheard.append(frame)
                else:
                    unheard += connection.hear_now((frame,))
        return not unheard

    async def hear(self, frame: Frame) -> None:
        connection = self._connection
        match frame:
            case Open():
                await self._open(frame)
            case Close(namespace=str(namespace)):
                connection.count()
                connection.forget(namespace)
                connection.leave(namespace)
            case Close(fault=fault):
                connection.session.close(1002, fault)
            case Acknowledged():
                connection.count()  # nothing here asks for one
            case _:
                where = getattr(frame, "namespace", None)
                if where is None or where in connection.chairs:
                    await connection.hear_all((frame,))
                elif where not in connection.left:
                    connection.session.close(1002, INVALID_STATE)

    async def _open(self, frame: Open) -> None:
        namespace, connection, house = frame.namespace, self._connection, self._house
        if namespace in connection.chairs:
            connection.session.close(1002, INVALID_STATE)
            return
        spoken: Dialect | None = None
        try:
            if not connection.may_open():
                raise Refusal(RATE_LIMITED, "Too many namespaces")
            shown = self._shown(frame.auth)
            asked = self._query.get("dialect") or shown.get("dialect")
            if asked is not None and not isinstance(asked, str):
                raise Refusal(BAD_REQUEST, "auth.dialect must be the name of a dialect")
            spoken = house.dialect_of(namespace, asked)
            actor = await self._who(shown, spoken)
            recovers = self._recovers(shown)
            face = house.face(spoken, namespace, house.push_since if recovers else SocketIo.push, frame_text)
            chair = Chair(connection, face, actor, house.speech(spoken, namespace))
            if recovers:
                await self._open_again(chair, shown)
            else:
                await begin_anew(connection, [chair], partial(self._let_in, chair))
        except Refusal as refusal:
            connection.entering = ()
            if self._let_in_to is not None and self._let_in_to.face.namespace == namespace:
                connection.end(closing_of(refusal))  # it was let in, and has no seat: it must come back
            else:
                self._turn_away(namespace, spoken, refusal)
        self._let_in_to = None

    def _recovers(self, shown: dict[str, Any]) -> bool:
        """Whether this client can be told what it missed: the offsets in its events are asked for, or the rule."""
        rule = self._house.config.socketio.recovery
        asked = shown.get("recovery") is True or self._query.get("recovery") == "1"
        return rule == "always" or (rule == "ask" and asked)

    async def _open_again(self, chair: Chair, shown: dict[str, Any]) -> None:
        """Recovery, as the client does it: `pid` is its session's private name, `offset` the last event it heard.

        A pid that is wrong, somebody else's or forgotten is a new connection, and so is an offset that is too old.
        """
        connection, house, actor = self._connection, self._house, chair.actor
        back = await self._back(actor, shown)
        if back is not None:
            chair.memory = back.session
            take_seats = partial(go_on, connection, [chair], back, partial(self._let_in, chair))
            await open_while_reading(take_seats, partial(connection.session.listen, self.take_early))
            connection.full, connection.early_bytes = False, 0
            return
        name = f"{secrets.token_urlsafe(PID_BYTES)}.{house.database.epoch}-{house.broker.position}"
        chair.memory = name
        await house.database.write(lambda tx: sessions.open(tx, name, actor.id))
        await begin_anew(connection, [chair], partial(self._let_in, chair))

    async def _back(self, actor: Actor, shown: dict[str, Any]) -> Back | None:
        """Where somebody was; None when they can't go on there."""
        house, pid, offset = self._house, shown.get("pid"), shown.get("offset")
        if not isinstance(pid, str):
            return None
        where = SocketIo.read_offset(offset if isinstance(offset, str) else pid.partition(".")[2])
        if await house.database.read(lambda tx: sessions.owner(tx, pid)) != actor.id:
            return None
        position = position_of(where.position)
        mark = where.mark if position > 0 else b""  # nothing happened at 0
        back = Back(where.epoch, position, pid, mark, (pid,))
        return back if await find_gap(house, actor, back) is None else None

    def _let_in(self, chair: Chair, position: int, recovered: bool, gap: str | None) -> None:
        connection, pid = self._connection, chair.memory
        connection.admit()
        self._let_in_to = chair
        sid = secrets.token_urlsafe(SID_BYTES) if pid is None else sid_of(pid)
        connection.say(SocketIo.opened(chair.face.namespace, sid, pid))

    @staticmethod
    def _shown(auth: Raw) -> dict[str, Any]:
        shown = msgspec.json.decode(auth) if bytes(auth) else {}
        return shown if isinstance(shown, dict) else {}

    async def _who(self, shown: dict[str, Any], spoken: Dialect) -> Actor:
        house, query = self._house, self._query
        said = shown.get("token")
        token: str | None = said if isinstance(said, str) else self._authorization
        if token is None and "query" in spoken.token:
            token = query.get("token")
        if token is not None:
            actor = await house.admit(bearer(token), self._charged)
            self._charged = ""
            return same_user(actor, query, [spoken])
        if house.config.auth.insecure_userid and "userId" in query:
            house.refund(self._charged)
            self._charged = ""
            return await house.doorman.name_user(query["userId"])
        raise Refusal(AUTH_INVALID, "No token was shown")

    def _turn_away(self, namespace: str, spoken: Dialect | None, refusal: Refusal) -> None:
        """A refusal, in the way that the dialect's specification has it."""
        connection = self._connection
        CONNECTIONS_REFUSED.child(refusal.code.code).add()
        if spoken is None or spoken.turns_away == "connect_error":
            data = plainly(refusal)["error"] if spoken is None else error_body(spoken, refusal)
            connection.say(SocketIo.turned_away(namespace, refusal.message, data))
            return
        connection.say(SocketIo.opened(namespace, secrets.token_urlsafe(SID_BYTES)))
        if spoken.turns_away == "error":
            _, _, told = self._house.speech(spoken, namespace).refuse(None, refusal, asked=False)
            if told is not None:
                connection.say(SocketIo.push(namespace, *told, None, None))
        connection.say(SocketIo.closed(namespace))


def sid_of(pid: str) -> str:
    """The public id of a session that recovers: the same again each time, and nothing to guess the pid from."""
    return urlsafe_b64encode(blake2b(pid.encode(), digest_size=SID_BYTES).digest()).decode()
