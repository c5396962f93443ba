"""How a Socket.IO connection begins, lives and ends: one Engine.IO session, and the namespaces that its client opens.

    CONNECT ns {auth}         authenticate, choose the dialect, join, answer, greet. A refusal is what the dialect
                              documents: CONNECT_ERROR; or the namespace opens, an event may follow, and it closes
    EVENT ns                  to chatd/connections/incoming_calls.py
    DISCONNECT ns             the namespace closes, the connection stays
    what can't be parsed      the session ends, as it does on the reference server; so it does with an event for a
                              namespace that was never open, and with a second CONNECT for one that is

The token comes in `auth.token`, in the Authorization header of the handshake, or in its query where the dialect
documents that. The dialect is `?dialect=`, else `auth.dialect`, else the [dialects] table's.

A client that recovers gets a private name for the session of each namespace, `pid`. It ends with where the session
began: a client that has received no event since has no offset to send. The rooms of the session are in the database
under that name, so it outlives the connection and the server. A client that leaves the namespace on purpose ends it.

When the server ends a connection for good, it first closes each of its namespaces. The client then reports "io server
disconnect" and does not reconnect. Without that it sees a lost transport, and connects again.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Any

import msgspec
import outcome
import trio
from msgspec import Raw

from chatd.auth.verifier import bearer
from chatd.config.settings import Config
from chatd.connections.channel import Channel
from chatd.connections.connection import Connection
from chatd.connections.join import (
    MAX_EARLY_BYTES,
    MAX_EARLY_FRAMES,
    join_fresh,
    join_resumed,
    join_while_reading,
    position_of,
)
from chatd.connections.jsonrpc import query_of, same_user
from chatd.connections.replies import plain_refusal
from chatd.connections.resume import ResumeRequest, find_gap
from chatd.core.app import App
from chatd.engineio.engine import Engine, EngineSession, Headers, SessionRules
from chatd.net.request import Request
from chatd.net.socket import frame_text
from chatd.services.context import Actor
from chatd.services.sessions import close_session, open_session
from chatd.store.queries import sessions
from chatd.telemetry.log import log
from chatd.telemetry.metrics import CONNECTIONS_OPENED, CONNECTIONS_REFUSED
from protocol.dialects.codec import error_body
from protocol.dialects.grammar import Dialect
from protocol.errors import AUTH_INVALID, BAD_REQUEST, RATE_LIMITED, Closing, Refusal, closing_of
from protocol.frames import Acknowledged, Call, Close, Frame, Open, Packet
from protocol.framings.socketio import SocketIo, SocketIoLimits

MAX_NAMESPACES = 16
MAX_CLOSED_NAMESPACES = 64
"""Namespaces that were open once: a packet for them may have been sent before the client knew that they are closed."""
FIRST_PACKET_BYTES = 16_384
"""The longest packet that a client may send before it has authenticated."""
SID_BYTES = 15
PID_BYTES = 18
DRAINED_BYTES = 65_536
DRAIN_POLL_SECONDS = 0.02
INVALID_STATE = "invalid state"


class SocketIoConnection(Connection):
    """A Connection on an Engine.IO session."""

    __slots__ = ("_packet_bytes", "closed_namespaces", "early_bytes", "has_too_many_early_frames", "session")

    framing: SocketIo

    def __init__(self, app: App, session: EngineSession) -> None:
        framing = SocketIo(SocketIoLimits(packet_bytes=app.config.socketio.max_payload))
        self._packet_bytes, framing.packet_bytes = framing.packet_bytes, FIRST_PACKET_BYTES
        super().__init__(app, framing, session.outbox)
        self.session = session
        self.closed_namespaces: set[str] = set()
        self.early_bytes = 0
        self.has_too_many_early_frames = False  # the server does not read from the client then

    @property
    def waiting(self) -> int:
        return self.session.outbox.waiting

    def close_transport(self, code: int, reason: str) -> None:
        self.session.close(code, reason)

    async def drained(self) -> None:
        """Wait until the client has received most of what is queued for it, by any transport."""
        limit = self.app.config.limits.outbox_bytes
        # what is sent until the next wait must fit into the rest of the outbox
        most_bytes = min(DRAINED_BYTES, limit // 4) if limit else DRAINED_BYTES
        while self.session.outbox.waiting > most_bytes and not self.session.closing:  # noqa: ASYNC110 - there is no event
            await trio.sleep(DRAIN_POLL_SECONDS)

    def progressed(self) -> None:
        if self.has_too_many_early_frames:
            self.session.postpone()

    def leave(self, namespace: str) -> None:
        if namespace in self.channels:
            if len(self.closed_namespaces) >= MAX_CLOSED_NAMESPACES:
                self.closed_namespaces.clear()
            self.closed_namespaces.add(namespace)
        super().leave(namespace)

    def end_session(self, namespace: str) -> None:
        """Delete the session of a namespace: the client does not resume it."""
        channel = self.channels.get(namespace)
        if channel is not None and channel.session is not None:
            unit = partial(close_session, name=channel.session, user=channel.actor.id)
            self.app.database.submit(unit, _ignore_result)

    def close_with(self, closing: Closing) -> None:
        if not closing.retry:
            for namespace in self.channels:
                self.session.write(frame_text(SocketIo.closed(namespace)))
        super().close_with(closing)

    def admit(self) -> None:
        """The client has authenticated: it may stay connected and send longer packets."""
        self.framing.packet_bytes = self._packet_bytes
        self.session.namespace_opened()

    def count_packet(self) -> None:
        """Count a packet that is no call, but costs as much as one."""
        self.calls.is_allowed(None, None)

    def may_open(self) -> bool:
        """Whether one more CONNECT is within the limits."""
        return self.calls.is_allowed(None, None) and len(self.channels) < MAX_NAMESPACES

    def write_packet(self, packet: bytes) -> None:
        self.replies.send((Packet(packet),))


def open_engine(app: App, nursery: trio.Nursery, headers: Callable[[Request], Headers]) -> Engine:
    """The Engine.IO server of an app, with its settings."""
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
    waiting: list[Frame] = []
    opener = NamespaceOpener(connection, query_of(request), request.get(b"authorization"), waiting, request.charged)
    del request
    try:
        CONNECTIONS_OPENED.child("socketio").add()
        while True:
            connection.outbox = session.outbox
            await session.listen(opener.receive_now)
            for frame in waiting:  # more frames may be added while one is received
                await opener.receive(frame)
            waiting.clear()
    finally:
        connection.leave_all()


class NamespaceOpener:
    """Opens and closes the namespaces of a connection, and passes its calls on.

    It keeps the handshake, which each CONNECT may need. `waiting` are the frames that wait, in their order.
    """

    __slots__ = ("_app", "_authorization", "_charged", "_connection", "_opened", "_query", "_waiting")

    def __init__(
        self,
        connection: SocketIoConnection,
        query: dict[str, str],
        authorization: str | None,
        waiting: list[Frame],
        charged: str = "",
    ) -> None:
        self._connection = connection
        self._app = connection.app
        self._query = query
        self._authorization = authorization
        self._waiting = waiting
        self._opened: Channel | None = None
        """The channel whose CONNECT has been answered and which has not joined yet."""
        self._charged = charged

    def take_early(self, packets: list[Packet]) -> bool:
        """Keep frames while a namespace opens. Return whether the server may read more."""
        connection = self._connection
        for packet in packets:
            connection.early_bytes += len(packet.data)
            self._waiting += connection.framing.receive(packet)
        full = len(self._waiting) >= MAX_EARLY_FRAMES or connection.early_bytes >= MAX_EARLY_BYTES
        connection.has_too_many_early_frames = full
        return not full

    def receive_now(self, packets: list[Packet]) -> bool:
        """Receive the calls that have arrived, without waiting. Return whether no frame must wait."""
        connection, waiting = self._connection, self._waiting
        for packet in packets:
            for frame in connection.framing.receive(packet):
                if waiting or type(frame) is not Call or frame.namespace not in connection.channels:
                    waiting.append(frame)
                else:
                    waiting += connection.calls.receive_now((frame,))
        return not waiting

    async def receive(self, frame: Frame) -> None:
        connection = self._connection
        match frame:
            case Open():
                await self._open(frame)
            case Close(namespace=str(namespace)):
                connection.count_packet()
                connection.end_session(namespace)
                connection.leave(namespace)
            case Close(fault=fault):
                connection.session.close(1002, fault)
            case Acknowledged():
                connection.count_packet()  # the server asks for no acknowledgement
            case _:
                target: str | None = getattr(frame, "namespace", None)
                if target is None or target in connection.channels:
                    await connection.calls.receive_all((frame,))
                elif target not in connection.closed_namespaces:
                    connection.session.close(1002, INVALID_STATE)

    async def _open(self, frame: Open) -> None:
        namespace, connection, app = frame.namespace, self._connection, self._app
        if namespace in connection.channels:
            connection.session.close(1002, INVALID_STATE)
            return
        dialect: Dialect | None = None
        try:
            if not connection.may_open():
                raise Refusal(RATE_LIMITED, "Too many namespaces")
            auth = self._auth_object(frame.auth)
            asked = self._query.get("dialect") or auth.get("dialect")
            if asked is not None and not isinstance(asked, str):
                raise Refusal(BAD_REQUEST, "auth.dialect must be the name of a dialect")
            dialect = app.dialect_of(namespace, asked)
            actor = await self._authenticate(auth, dialect)
            recovers = self._recovers(auth)
            encoder = app.encoder(dialect, namespace, app.push_since if recovers else SocketIo.push, frame_text)
            channel = Channel(connection, encoder, actor, app.codec(dialect, namespace))
            if recovers:
                await self._open_recovering(channel, auth)
            else:
                await join_fresh(connection, [channel], partial(self._accept, channel))
        except Refusal as refusal:
            connection.joining = ()
            if self._opened is not None:
                connection.close_with(closing_of(refusal))  # CONNECT has been answered: the client must connect again
            else:
                self._reject(namespace, dialect, refusal)
        self._opened = None

    def _recovers(self, auth: dict[str, Any]) -> bool:
        """Whether this client can resume: its events carry offsets when it asks for them, or by the setting."""
        setting = self._app.config.socketio.recovery
        asked = auth.get("recovery") is True or self._query.get("recovery") == "1"
        return setting == "always" or (setting == "ask" and asked)

    async def _open_recovering(self, channel: Channel, auth: dict[str, Any]) -> None:
        """Recovery, as the official client does it.

        `pid` is the private name of its session, `offset` the last event that it received. A pid that is
        wrong, of another user or no longer stored makes a new session. So does an offset that is too old.
        """
        connection, app, actor = self._connection, self._app, channel.actor
        resume = await self._resume_request(actor, auth)
        if resume is not None:
            channel.session = resume.session
            join_channel = partial(join_resumed, connection, [channel], resume, partial(self._accept, channel))
            await join_while_reading(join_channel, partial(connection.session.listen, self.take_early))
            connection.has_too_many_early_frames, connection.early_bytes = False, 0
            return
        name = f"{secrets.token_urlsafe(PID_BYTES)}.{app.database.epoch}-{app.broker.position}"
        channel.session = name
        await app.database.write(lambda tx: open_session(tx, name, actor.id))
        await join_fresh(connection, [channel], partial(self._accept, channel))

    async def _resume_request(self, actor: Actor, auth: dict[str, Any]) -> ResumeRequest | None:
        """Where the client was; None when it can't resume there."""
        app, pid, offset = self._app, auth.get("pid"), auth.get("offset")
        if not isinstance(pid, str):
            return None
        last = SocketIo.read_offset(offset if isinstance(offset, str) else pid.partition(".")[2])
        if await app.database.read(lambda tx: sessions.owner(tx, pid)) != actor.id:
            return None
        position = position_of(last.position)
        mark = last.mark if position > 0 else b""  # no event has position 0
        resume = ResumeRequest(last.epoch, position, pid, mark, (pid,))
        return resume if await find_gap(app, actor, resume) is None else None

    def _accept(self, channel: Channel, position: int, recovered: bool, gap: str | None) -> None:
        """Answer CONNECT: the namespace is open. The arguments are those of OnReady."""
        connection, pid = self._connection, channel.session
        connection.admit()
        self._opened = channel
        sid = secrets.token_urlsafe(SID_BYTES) if pid is None else sid_of(pid)
        connection.write_packet(SocketIo.opened(channel.encoder.namespace, sid, pid))

    @staticmethod
    def _auth_object(auth: Raw) -> dict[str, Any]:
        decoded = msgspec.json.decode(auth) if bytes(auth) else {}
        return decoded if isinstance(decoded, dict) else {}

    async def _authenticate(self, auth: dict[str, Any], dialect: Dialect) -> Actor:
        app, query = self._app, self._query
        in_auth = auth.get("token")
        token: str | None = in_auth if isinstance(in_auth, str) else self._authorization
        if token is None and "query" in dialect.token_in:
            token = query.get("token")
        if token is not None:
            actor = await app.authenticate(bearer(token), self._charged)
            self._charged = ""
            return same_user(actor, query, [dialect])
        if app.config.auth.insecure_userid and "userId" in query:
            app.refund(self._charged)
            self._charged = ""
            return await app.authenticator.user_by_id(query["userId"])
        raise Refusal(AUTH_INVALID, "No token was sent")

    def _reject(self, namespace: str, dialect: Dialect | None, refusal: Refusal) -> None:
        """Refuse CONNECT in the way that the dialect's specification documents."""
        connection = self._connection
        CONNECTIONS_REFUSED.child(refusal.code.code).add()
        if dialect is None or dialect.rejects_with == "connect_error":
            data = plain_refusal(refusal)["error"] if dialect is None else error_body(dialect, refusal)
            connection.write_packet(SocketIo.rejected(namespace, refusal.message, data))
            return
        connection.write_packet(SocketIo.opened(namespace, secrets.token_urlsafe(SID_BYTES)))
        if dialect.rejects_with == "error":
            _, _, event = self._app.codec(dialect, namespace).refuse(None, refusal, wants_ack=False)
            if event is not None:
                connection.write_packet(SocketIo.push(namespace, *event, None, None))
        connection.write_packet(SocketIo.closed(namespace))


def sid_of(pid: str) -> str:
    """The public id of a session that recovers: always the same, and the pid can't be derived from it."""
    return urlsafe_b64encode(blake2b(pid.encode(), digest_size=SID_BYTES).digest()).decode()


def _ignore_result(result: outcome.Outcome[Any]) -> None:
    """The client does not wait for the result."""
