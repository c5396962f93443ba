"""How a JSON-RPC connection begins, lives and ends.

    /chat, /notifications, /      one namespace, the path
    /ws                           all namespaces of the [dialects] table, each message naming its own in "ns"

The token comes in one of four ways: the Authorization header; the subprotocol pair `chatd.jsonrpc, bearer.<token>`; the
query, where the dialect documents that; or a first call `auth {token}`. A rejected client receives an `error` push with
the reason, and a close code: a browser sees only the code.

With `?rooms=1` every push names the conversation in whose room the event happened. Not all dialects do so in the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import trio
from msgspec import Raw

from chatd.auth.verifier import bearer
from chatd.connections.channel import Channel
from chatd.connections.connection import Connection
from chatd.connections.join import MAX_EARLY_BYTES, MAX_EARLY_FRAMES, join, join_while_reading, position_of
from chatd.connections.replies import plain_refusal
from chatd.connections.resume import ResumeRequest
from chatd.core.app import App
from chatd.net.request import Request
from chatd.net.socket import WebSocket, frame_text
from chatd.realtime.encoder import Push
from chatd.services.context import Actor
from chatd.telemetry.metrics import CONNECTIONS_OPENED, CONNECTIONS_REFUSED
from protocol.dialects.encode import encode
from protocol.dialects.grammar import Dialect
from protocol.errors import AUTH_INVALID, FORBIDDEN, SILENT, Refusal, closing_of
from protocol.frames import Call, Frame, Packet
from protocol.framings.jsonrpc import JsonRpc, SharedJsonRpc

SHARED_PATH = "/ws"
SUBPROTOCOL = "chatd.jsonrpc"


def token_of(request: Request, query: dict[str, str], dialects: list[Dialect]) -> str | None:
    """The token of a handshake; None when it has none."""
    header = request.get(b"authorization")
    if header is not None:
        return bearer(header)
    for subprotocol in request.tokens(b"sec-websocket-protocol", lower=False):
        if subprotocol.startswith("bearer."):
            return subprotocol.removeprefix("bearer.")
    if "token" in query and any("query" in dialect.token_in for dialect in dialects):
        return bearer(query["token"])
    return None


def query_of(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.query.decode("latin-1"), keep_blank_values=True, encoding="utf-8", errors="replace"))


def dialects_of(app: App, path: str, query: Mapping[str, str]) -> dict[str, Dialect]:
    """The namespaces that a path opens, and the dialect of each for this client."""
    namespaces = list(app.config.dialects) if path == SHARED_PATH else [path]
    return {namespace: app.dialect_of(namespace, query.get("dialect")) for namespace in namespaces}


class JsonRpcConnection(Connection):
    """A Connection on its own WebSocket.

    `early` are the frames that arrived before the channels joined: they are received after the join.
    """

    __slots__ = ("_early_bytes", "_pinged_at", "_progressed_at", "charged", "early", "websocket")

    def __init__(self, app: App, framing: JsonRpc, websocket: WebSocket, charged: str = "") -> None:
        super().__init__(app, framing, websocket.outbox)
        self.websocket = websocket
        self.charged = charged
        self._pinged_at = 0.0
        self._progressed_at = 0.0
        self.early: list[Frame] = []
        self._early_bytes = 0

    @property
    def waiting(self) -> int:
        return self.websocket.outbox.waiting

    def close_transport(self, code: int, reason: str) -> None:
        self.websocket.close(code, reason)

    async def drained(self) -> None:
        await self.websocket.outbox.drained()

    def session_name(self, connection: str, namespace: str) -> str:
        return connection + namespace if isinstance(self.framing, SharedJsonRpc) else connection

    def take_early(self, messages: list[Packet]) -> bool:
        """Keep frames until the channels have joined. Return whether the server may read more."""
        for message in messages:
            self._early_bytes += len(message.data)
            self.early += self.framing.receive(message)
        return not self._has_too_many_early_frames

    @property
    def _has_too_many_early_frames(self) -> bool:
        return len(self.early) >= MAX_EARLY_FRAMES or self._early_bytes >= MAX_EARLY_BYTES

    def progressed(self) -> None:
        """Note that the client receives: its pongs are not read while it has too many early frames."""
        if self._has_too_many_early_frames:
            self._progressed_at = trio.current_time()

    def check(self, now: float, clock: float) -> float:
        """Ping a silent client, and close the connection when the client does not answer."""
        expires, limits = super().check(now, clock), self.app.config.limits
        if not limits.ping_interval:
            return expires
        received = max(self.websocket.last_received, self._progressed_at)
        ping_due, end_due = received + limits.ping_interval, received + limits.ping_interval + limits.ping_timeout
        if now > end_due:
            self.close_with(SILENT)
        elif now > ping_due and self._pinged_at < self.websocket.last_received:
            self._pinged_at = now
            self.websocket.ping()
        return min(expires, ping_due if now <= ping_due else end_due)


async def serve_jsonrpc(app: App, request: Request, websocket: WebSocket) -> None:
    """The whole life of a JSON-RPC connection."""
    query = query_of(request)
    by_namespace = dialects_of(app, request.path, query)
    namespaces, dialects = list(by_namespace), list(by_namespace.values())
    framing = (SharedJsonRpc if request.path == SHARED_PATH else JsonRpc)(namespaces[0])
    connection = JsonRpcConnection(app, framing, websocket, request.charged)
    token = token_of(request, query, dialects)
    del request
    try:
        CONNECTIONS_OPENED.child("jsonrpc").add()
        actor = await _authenticate(connection, token, query, dialects)
        if actor is None:
            return
        framing.batch_limit = app.batch_limit
        push = framing.push_with_room if query.get("rooms") == "1" else framing.push
        try:
            await _open(connection, actor, namespaces, dialects, push, resume_request(query))
        except Refusal as refusal:
            await app.broker.flush()
            _reject(connection, dialects[0], refusal)
            return
        del query, token, dialects
        early, connection.early = connection.early, []
        await connection.calls.receive_all(early)
        del early
        while True:
            waiting: list[Frame] = []
            await websocket.listen(partial(_receive_now, connection, waiting))
            await connection.calls.receive_all(waiting)
    finally:
        connection.leave_all()


def _receive_now(connection: JsonRpcConnection, waiting: list[Frame], messages: list[Packet]) -> bool:
    """Receive what has arrived, without waiting. Add the frames that must wait; return whether there are none."""
    read = connection.framing.receive
    frames = read(messages[0]) if len(messages) == 1 else [frame for message in messages for frame in read(message)]
    waiting += connection.calls.receive_now(frames)
    return not waiting


async def _authenticate(
    connection: JsonRpcConnection, token: str | None, query: dict[str, str], dialects: list[Dialect]
) -> Actor | None:
    """The user of the connection; None when the client was rejected."""
    app = connection.app
    with trio.move_on_after(app.config.limits.auth_timeout or float("inf")):
        try:
            if token is not None:
                return same_user(await app.authenticate(token, connection.charged), query, dialects)
            if app.config.auth.insecure_userid and "userId" in query:
                app.refund(connection.charged)
                return await app.authenticator.user_by_id(query["userId"])
            return await _wait_for_auth(connection, query, dialects)
        except Refusal as refusal:
            _reject(connection, dialects[0], refusal)
            return None
    _reject(connection, dialects[0], Refusal(AUTH_INVALID, "No token was sent in time"))
    return None


def same_user(actor: Actor, query: dict[str, str], dialects: list[Dialect]) -> Actor:
    """The user of the token. Refuse a handshake that names another user."""
    named = query.get("userId")
    if named is not None and any(dialect.user_id_in_query for dialect in dialects) and named != str(actor.id):
        raise Refusal(FORBIDDEN, "userId must be the token's own user")
    return actor


def _reject(connection: JsonRpcConnection, dialect: Dialect, refusal: Refusal) -> None:
    """Send the dialect's event for a rejected client, if its specification has one, and close the connection."""
    CONNECTIONS_REFUSED.child(refusal.code.code).add()
    codec = connection.app.codec(dialect, next(iter(dialect.vocabularies)))
    _, _, event = codec.refuse(None, refusal, wants_ack=False)
    if event is not None and dialect.rejects_with != "disconnect":
        connection.websocket.write(frame_text(JsonRpc.push("", *event, None, None)))
    connection.close_with(closing_of(refusal))


async def _wait_for_auth(connection: JsonRpcConnection, query: dict[str, str], dialects: list[Dialect]) -> Actor:
    """Read until a call of `auth` has a token. The frames after it are received once the channels have joined."""
    while True:
        frames: list[Frame] = []
        await connection.websocket.listen(partial(_keep_one_read, connection, frames))
        for index, frame in enumerate(frames):
            if isinstance(frame, Call) and frame.name == "auth":
                connection.early = frames[index + 1 :]
                return await _perform_auth(connection, frame, query, dialects)
            _receive_before_auth(connection, frame)


def _keep_one_read(connection: JsonRpcConnection, frames: list[Frame], messages: list[Packet]) -> bool:
    for message in messages:
        frames += connection.framing.receive(message)
    return False


async def _perform_auth(
    connection: JsonRpcConnection, call: Call, query: dict[str, str], dialects: list[Dialect]
) -> Actor:
    try:
        arguments: Any = msgspec.json.decode(call.arguments) if call.arguments != Raw(b"") else {}
        arguments = arguments[0] if isinstance(arguments, list) and arguments else arguments
        token = arguments.get("token") if isinstance(arguments, dict) else None
        if not isinstance(token, str):
            raise Refusal(AUTH_INVALID, "auth takes {token}")
        actor = same_user(await connection.app.authenticate(bearer(token), connection.charged), query, dialects)
    except Refusal as refusal:
        if call.id is not None:
            connection.replies.send(connection.framing.refuse(call.id, refusal, encode(plain_refusal(refusal))))
            await connection.app.broker.flush()
        raise
    query |= {key: str(value) for key, value in arguments.items() if key in ("epoch", "pos", "connection", "rooms")}
    if call.id is not None:
        connection.replies.send(connection.framing.answer(call.id, b'{"ok":true}'))
    return actor


def _receive_before_auth(connection: JsonRpcConnection, frame: Frame) -> None:
    if connection.is_closing:
        return
    if not isinstance(frame, Call):
        connection.calls.receive(frame)
    elif connection.calls.is_allowed(None, frame.id) and frame.id is not None:
        refusal = Refusal(AUTH_INVALID, "The first call must be auth {token}")
        connection.replies.send(connection.framing.refuse(frame.id, refusal, encode(plain_refusal(refusal))))


async def _open(
    connection: JsonRpcConnection,
    actor: Actor,
    namespaces: list[str],
    dialects: list[Dialect],
    push: Push,
    resume: ResumeRequest | None,
) -> None:
    """Join the channels. `ready` is the first event."""
    app = connection.app
    channels = []
    for namespace, dialect in zip(namespaces, dialects, strict=True):
        encoder = app.encoder(dialect, namespace, push, frame_text)
        session = connection.session_name(connection.name, namespace)
        channels.append(Channel(connection, encoder, actor, app.codec(dialect, namespace), session=session))
    if resume is not None and resume.session is not None:
        names = tuple(connection.session_name(resume.session, namespace) for namespace in namespaces)
        resume = resume._replace(session_names=names)
    join_channels = partial(join, connection, channels, resume, partial(_push_ready, connection, channels[0]))
    if resume is None:
        await join_channels()
    else:
        await join_while_reading(join_channels, partial(connection.websocket.listen, connection.take_early))


def resume_request(query: Mapping[str, str]) -> ResumeRequest | None:
    """Where the client was, according to its query; None when the query has neither epoch nor position."""
    if "epoch" not in query and "pos" not in query:
        return None
    return ResumeRequest(query.get("epoch", ""), position_of(query.get("pos", "")), query.get("connection"))


def _push_ready(
    connection: JsonRpcConnection, channel: Channel, position: int, recovered: bool, gap: str | None
) -> None:
    app = connection.app
    limits = app.config.limits
    ready = {
        "connection": connection.name,
        "user": channel.encoder.dialect.user_id.write(channel.actor.ref),
        "epoch": app.database.epoch,
        "pos": position,
        "recovered": recovered,
        "heartbeat": {"interval": limits.ping_interval, "timeout": limits.ping_timeout},
        "limits": {
            "message_bytes": limits.message_bytes,
            "text_characters": limits.text_characters,
            "calls_per_second": limits.calls_per_connection,
            "calls_burst": limits.calls_per_connection_burst,
        },
    }
    if gap is not None:
        ready["reason"] = gap
    connection.replies.push(channel, "ready", encode(ready))
