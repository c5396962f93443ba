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
from chatd.connections.channel import Channel
from chatd.connections.connection import Connection, plain_refusal
from chatd.connections.join import EARLY_BYTES, EARLY_FRAMES, join_fresh, join_resumed, open_while_reading, position_of
from chatd.connections.jsonrpc import query_of, same_user
from chatd.connections.resume import ResumeRequest, find_gap
from chatd.core.app import App
from chatd.engineio.engine import Engine, EngineSession, Headers, SessionRules
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

MAX_NAMESPACES = 16
MAX_CLOSED_NAMESPACES = 64  # namespaces that were open once: what a client still sends there crossed our goodbye
FIRST_PACKET_BYTES = 16_384  # what a client may send in one packet before it has shown a valid token
SID_BYTES = 15
PID_BYTES = 18
DRAINED_BYTES = 65_536
DRAIN_SECONDS = 0.02
INVALID_STATE = "invalid state"


class SocketIoConnection(Connection):
    """A Connection on an Engine.IO session."""

    __slots__ = ("_packet_bytes", "closed_namespaces", "early_bytes", "full", "session")

    framing: SocketIo

    def __init__(self, app: App, session: EngineSession) -> None:
        framing = SocketIo(SocketIoLimits(packet_bytes=app.config.socketio.max_payload))
        self._packet_bytes, framing.packet_bytes = framing.packet_bytes, FIRST_PACKET_BYTES
        super().__init__(app, framing, session.outbox)
        self.session = session
        self.closed_namespaces: set[str] = set()
        self.early_bytes = 0
        self.full = False  # it is not read from: too much waits to be heard already

    @property
    def waiting(self) -> int:
        return self.session.outbox.waiting

    def close_transport(self, code: int, reason: str) -> None:
        self.session.close(code, reason)

    async def drained(self) -> None:
        """Wait until the client has taken most of what waits for it, by whichever transport it takes it."""
        limit = self.app.config.limits.outbox_bytes
        most = (
            min(DRAINED_BYTES, limit // 4) if limit else DRAINED_BYTES
        )  # what is sent until the next wait must fit beside it
        while self.session.outbox.waiting > most and not self.session.closing:  # noqa: ASYNC110 - no event tells
            await trio.sleep(DRAIN_SECONDS)

    def progressed(self) -> None:
        if self.full:
            self.session.postpone()

    def leave(self, namespace: str) -> None:
        if namespace in self.channels:
            if len(self.closed_namespaces) >= MAX_CLOSED_NAMESPACES:
                self.closed_namespaces.clear()
            self.closed_namespaces.add(namespace)
        super().leave(namespace)

    def forget(self, namespace: str) -> None:
        """Nobody will come back to what is open in a namespace."""
        channel = self.channels.get(namespace)
        if channel is not None and channel.remembered_as is not None:
            close = partial(sessions.close, name=channel.remembered_as, user=channel.actor.id)
            self.app.database.submit(close, lambda done: None)

    def close_with(self, closing: Closing) -> None:
        if not closing.retry:
            for namespace in self.channels:
                self.session.write(frame_text(SocketIo.closed(namespace)))
        super().close_with(closing)

    def admit(self) -> None:
        """The client has shown who it is: it may stay, and send larger packets."""
        self.framing.packet_bytes = self._packet_bytes
        self.session.namespace_opened()

    def count(self) -> None:
        """Count a packet that is no call, and costs as much."""
        self._allowed(None, None)

    def may_open(self) -> bool:
        """Whether one more CONNECT is within the limits."""
        return self._allowed(None, None) and len(self.channels) < MAX_NAMESPACES

    def write_packet(self, packet: bytes) -> None:
        self.send((Packet(packet),))


def open_engine(app: App, nursery: trio.Nursery, headers: Callable[[Request], Headers]) -> Engine:
    """The engine of a house, by its settings."""
    return Engine(
        session_rules(app.config),
        partial(serve_socketio, app),
        nursery,
        headers=headers,
        crashed=partial(log.fault, "a Socket.IO session failed"),
        sessions_per_address=app.config.limits.connections_per_address,
    )


def session_rules(config: Config) -> SessionRules:
    limits, socketio = config.limits, config.socketio
    return SessionRules(
        interval_seconds=socketio.ping_interval,
        timeout_seconds=socketio.ping_timeout,
        payload_bytes=socketio.max_payload,
        fragments=limits.message_fragments,
        outbox_bytes=limits.outbox_bytes,
        connect_seconds=socketio.connect_timeout,
    )


async def serve_socketio(app: App, session: EngineSession, request: Request) -> None:
    """The whole life of a Socket.IO connection."""
    connection = SocketIoConnection(app, session)
    unheard: list[Frame] = []
    guest = NamespaceOpener(connection, query_of(request), request.get(b"authorization"), unheard, request.charged)
    del request
    try:
        CONNECTIONS_OPENED.child("socketio").add()
        while True:
            connection.outbox = session.outbox
            await session.listen(guest.take)
            for frame in unheard:  # while one is heard, more may come behind
                await guest.receive(frame)
            unheard.clear()
    finally:
        connection.leave_all()


class NamespaceOpener:
    """What a connection is until its namespaces are open: a handshake, and what each CONNECT shows.

    `unheard` are the frames that wait, in their order.
    """

    __slots__ = ("_app", "_authorization", "_charged", "_connection", "_let_in_to", "_query", "_unheard")

    def __init__(
        self,
        connection: SocketIoConnection,
        query: dict[str, str],
        authorization: str | None,
        unheard: list[Frame],
        charged: str = "",
    ) -> None:
        self._connection = connection
        self._app = connection.app
        self._query = query
        self._authorization = authorization
        self._unheard = unheard
        self._let_in_to: Channel | None = None
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
                if unheard or type(frame) is not Call or frame.namespace not in connection.channels:
                    unheard.append(frame)
                else:
                    unheard += connection.receive_now((frame,))
        return not unheard

    async def receive(self, frame: Frame) -> None:
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
                if where is None or where in connection.channels:
                    await connection.receive_all((frame,))
                elif where not in connection.closed_namespaces:
                    connection.session.close(1002, INVALID_STATE)

    async def _open(self, frame: Open) -> None:
        namespace, connection, app = frame.namespace, self._connection, self._app
        if namespace in connection.channels:
            connection.session.close(1002, INVALID_STATE)
            return
        spoken: Dialect | None = None
        try:
            if not connection.may_open():
                raise Refusal(RATE_LIMITED, "Too many namespaces")
            shown = self._auth_object(frame.auth)
            asked = self._query.get("dialect") or shown.get("dialect")
            if asked is not None and not isinstance(asked, str):
                raise Refusal(BAD_REQUEST, "auth.dialect must be the name of a dialect")
            spoken = app.dialect_of(namespace, asked)
            actor = await self._authenticate(shown, spoken)
            recovers = self._recovers(shown)
            face = app.encoder(spoken, namespace, app.push_since if recovers else SocketIo.push, frame_text)
            channel = Channel(connection, face, actor, app.codec(spoken, namespace))
            if recovers:
                await self._open_recovering(channel, shown)
            else:
                await join_fresh(connection, [channel], partial(self._accept, channel))
        except Refusal as refusal:
            connection.entering = ()
            if self._let_in_to is not None and self._let_in_to.encoder.namespace == namespace:
                connection.close_with(closing_of(refusal))  # it was let in, and has no seat: it must come back
            else:
                self._reject(namespace, spoken, refusal)
        self._let_in_to = None

    def _recovers(self, shown: dict[str, Any]) -> bool:
        """Whether this client can be told what it missed: the offsets in its events are asked for, or the rule."""
        rule = self._app.config.socketio.recovery
        asked = shown.get("recovery") is True or self._query.get("recovery") == "1"
        return rule == "always" or (rule == "ask" and asked)

    async def _open_recovering(self, channel: Channel, shown: dict[str, Any]) -> None:
        """Recovery, as the client does it: `pid` is its session's private name, `offset` the last event it heard.

        A pid that is wrong, somebody else's or forgotten is a new connection, and so is an offset that is too old.
        """
        connection, app, actor = self._connection, self._app, channel.actor
        back = await self._resume_request(actor, shown)
        if back is not None:
            channel.remembered_as = back.session
            take_seats = partial(join_resumed, connection, [channel], back, partial(self._accept, channel))
            await open_while_reading(take_seats, partial(connection.session.listen, self.take_early))
            connection.full, connection.early_bytes = False, 0
            return
        name = f"{secrets.token_urlsafe(PID_BYTES)}.{app.database.epoch}-{app.broker.position}"
        channel.remembered_as = name
        await app.database.write(lambda tx: sessions.open(tx, name, actor.id))
        await join_fresh(connection, [channel], partial(self._accept, channel))

    async def _resume_request(self, actor: Actor, shown: dict[str, Any]) -> ResumeRequest | None:
        """Where somebody was; None when they can't go on there."""
        app, pid, offset = self._app, shown.get("pid"), shown.get("offset")
        if not isinstance(pid, str):
            return None
        where = SocketIo.read_offset(offset if isinstance(offset, str) else pid.partition(".")[2])
        if await app.database.read(lambda tx: sessions.owner(tx, pid)) != actor.id:
            return None
        position = position_of(where.position)
        mark = where.mark if position > 0 else b""  # nothing happened at 0
        back = ResumeRequest(where.epoch, position, pid, mark, (pid,))
        return back if await find_gap(app, actor, back) is None else None

    def _accept(self, channel: Channel, position: int, recovered: bool, gap: str | None) -> None:
        connection, pid = self._connection, channel.remembered_as
        connection.admit()
        self._let_in_to = channel
        sid = secrets.token_urlsafe(SID_BYTES) if pid is None else sid_of(pid)
        connection.write_packet(SocketIo.opened(channel.encoder.namespace, sid, pid))

    @staticmethod
    def _auth_object(auth: Raw) -> dict[str, Any]:
        shown = msgspec.json.decode(auth) if bytes(auth) else {}
        return shown if isinstance(shown, dict) else {}

    async def _authenticate(self, shown: dict[str, Any], spoken: Dialect) -> Actor:
        app, query = self._app, self._query
        said = shown.get("token")
        token: str | None = said if isinstance(said, str) else self._authorization
        if token is None and "query" in spoken.token_in:
            token = query.get("token")
        if token is not None:
            actor = await app.authenticate(bearer(token), self._charged)
            self._charged = ""
            return same_user(actor, query, [spoken])
        if app.config.auth.insecure_userid and "userId" in query:
            app.refund(self._charged)
            self._charged = ""
            return await app.authenticator.user_by_id(query["userId"])
        raise Refusal(AUTH_INVALID, "No token was shown")

    def _reject(self, namespace: str, spoken: Dialect | None, refusal: Refusal) -> None:
        """A refusal, in the way that the dialect's specification has it."""
        connection = self._connection
        CONNECTIONS_REFUSED.child(refusal.code.code).add()
        if spoken is None or spoken.rejects_with == "connect_error":
            data = plain_refusal(refusal)["error"] if spoken is None else error_body(spoken, refusal)
            connection.write_packet(SocketIo.rejected(namespace, refusal.message, data))
            return
        connection.write_packet(SocketIo.opened(namespace, secrets.token_urlsafe(SID_BYTES)))
        if spoken.rejects_with == "error":
            _, _, told = self._app.codec(spoken, namespace).refuse(None, refusal, wants_ack=False)
            if told is not None:
                connection.write_packet(SocketIo.push(namespace, *told, None, None))
        connection.write_packet(SocketIo.closed(namespace))


def sid_of(pid: str) -> str:
    """The public id of a session that recovers: the same again each time, and nothing to guess the pid from."""
    return urlsafe_b64encode(blake2b(pid.encode(), digest_size=SID_BYTES).digest()).decode()
