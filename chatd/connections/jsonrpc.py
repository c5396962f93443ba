"""How a JSON-RPC connection begins, lives and ends.

    /chat, /notifications, /      one namespace, the path
    /ws                           all namespaces of the [dialects] table, each message naming its own in "ns"

The token comes in the Authorization header, in the subprotocol pair `chatd.jsonrpc, bearer.<token>`, in the query where
the dialect documents that, or in a first call `auth {token}`. With `?rooms=1` every push says in which conversation's
room it happened, which not all dialects' bodies do. Whoever is not let in is told why in an `error` push and by the
close code, which is all that a browser can see.
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
from chatd.connections.connection import Connection, plain_refusal
from chatd.connections.join import EARLY_BYTES, EARLY_FRAMES, join, open_while_reading, position_of
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


def shown_token(request: Request, query: dict[str, str], dialects: list[Dialect]) -> str | None:
    """The token that a handshake shows, None when it shows none."""
    header = request.get(b"authorization")
    if header is not None:
        return bearer(header)
    for word in request.tokens(b"sec-websocket-protocol", lower=False):
        if word.startswith("bearer."):
            return word.removeprefix("bearer.")
    if "token" in query and any("query" in spoken.token_in for spoken in dialects):
        return bearer(query["token"])
    return None


def query_of(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.query.decode("latin-1"), keep_blank_values=True, encoding="utf-8", errors="replace"))


def dialects_of(app: App, path: str, query: Mapping[str, str]) -> dict[str, Dialect]:
    """The namespaces that a path opens, and what each of them speaks to this client."""
    namespaces = list(app.config.dialects) if path == SHARED_PATH else [path]
    return {namespace: app.dialect_of(namespace, query.get("dialect")) for namespace in namespaces}


class JsonRpcConnection(Connection):
    """A Connection on a WebSocket of its own."""

    __slots__ = ("_early_bytes", "_pinged", "_progress", "charged", "early", "websocket")

    def __init__(self, app: App, framing: JsonRpc, websocket: WebSocket, charged: str = "") -> None:
        super().__init__(app, framing, websocket.outbox)
        self.websocket = websocket
        self.charged = charged
        self._pinged = 0.0
        self._progress = 0.0
        self.early: list[Frame] = []  # what came before the seats were taken: it is heard when they are
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
        """Keep calls until the seats are taken; whether more may come."""
        for message in messages:
            self._early_bytes += len(message.data)
            self.early += self.framing.receive(message)
        return not self._full

    @property
    def _full(self) -> bool:
        return len(self.early) >= EARLY_FRAMES or self._early_bytes >= EARLY_BYTES

    def progressed(self) -> None:
        """Its pongs are not read while too much waits to be heard: that it takes bytes shows that it is there."""
        if self._full:
            self._progress = trio.current_time()

    def may_call(self, id: Any) -> bool:
        """Whether one more call is within the limit, from somebody who has no seat yet."""
        return self._allowed(None, id)

    def check(self, now: float, clock: float) -> None:
        """Ask a silent client whether it is there, and end it when it does not answer."""
        limits = self.app.config.limits
        silent = now - max(self.websocket.last_received, self._progress)
        if limits.ping_interval and silent > limits.ping_interval + limits.ping_timeout:
            self.close_with(SILENT)
        elif limits.ping_interval and silent > limits.ping_interval and self._pinged < self.websocket.last_received:
            self._pinged = now
            self.websocket.ping()
        else:
            super().check(now, clock)


async def serve_jsonrpc(app: App, request: Request, websocket: WebSocket) -> None:
    """The whole life of a JSON-RPC connection."""
    query = query_of(request)
    spoken = dialects_of(app, request.path, query)
    namespaces, dialects = list(spoken), list(spoken.values())
    framing = (SharedJsonRpc if request.path == SHARED_PATH else JsonRpc)(namespaces[0])
    connection = JsonRpcConnection(app, framing, websocket, request.charged)
    token = shown_token(request, query, dialects)
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
        await connection.receive_all(early)
        del early
        while True:
            unheard: list[Frame] = []
            await websocket.listen(partial(_take, connection, unheard))
            await connection.receive_all(unheard)
    finally:
        connection.leave_all()


def _take(connection: JsonRpcConnection, unheard: list[Frame], messages: list[Packet]) -> bool:
    """Hear what has just arrived; whether all of it could be heard."""
    read = connection.framing.receive
    frames = read(messages[0]) if len(messages) == 1 else [frame for message in messages for frame in read(message)]
    unheard += connection.receive_now(frames)
    return not unheard


async def _authenticate(
    connection: JsonRpcConnection, token: str | None, query: dict[str, str], dialects: list[Dialect]
) -> Actor | None:
    """Who it is; None when they were sent away."""
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
    _reject(connection, dialects[0], Refusal(AUTH_INVALID, "No token was shown in time"))
    return None


def same_user(actor: Actor, query: dict[str, str], dialects: list[Dialect]) -> Actor:
    """The user of the token, if the handshake names no other."""
    named = query.get("userId")
    if named is not None and any(spoken.user_id_in_query for spoken in dialects) and named != str(actor.id):
        raise Refusal(FORBIDDEN, "userId must be the token's own user")
    return actor


def _reject(connection: JsonRpcConnection, spoken: Dialect, refusal: Refusal) -> None:
    """Say why in the dialect's words, or nothing where its specification has the client shown out without an event."""
    CONNECTIONS_REFUSED.child(refusal.code.code).add()
    _, _, told = connection.app.codec(spoken, next(iter(spoken.vocabularies))).refuse(None, refusal, wants_ack=False)
    if told is not None and spoken.rejects_with != "disconnect":
        connection.websocket.write(frame_text(JsonRpc.push("", *told, None, None)))
    connection.close_with(closing_of(refusal))


async def _wait_for_auth(connection: JsonRpcConnection, query: dict[str, str], dialects: list[Dialect]) -> Actor:
    """Read until a call of `auth` shows a token. What came right behind it is heard once the seats are taken."""
    while True:
        frames: list[Frame] = []
        await connection.websocket.listen(partial(_keep_one_read, connection, frames))
        for place, frame in enumerate(frames):
            if isinstance(frame, Call) and frame.name == "auth":
                connection.early = frames[place + 1 :]
                return await _perform_auth(connection, frame, query, dialects)
            _not_yet(connection, frame)


def _keep_one_read(connection: JsonRpcConnection, frames: list[Frame], messages: list[Packet]) -> bool:
    for message in messages:
        frames += connection.framing.receive(message)
    return False


async def _perform_auth(
    connection: JsonRpcConnection, call: Call, query: dict[str, str], dialects: list[Dialect]
) -> Actor:
    try:
        shown: Any = msgspec.json.decode(call.arguments) if call.arguments != Raw(b"") else {}
        shown = shown[0] if isinstance(shown, list) and shown else shown
        token = shown.get("token") if isinstance(shown, dict) else None
        if not isinstance(token, str):
            raise Refusal(AUTH_INVALID, "auth takes {token}")
        actor = same_user(await connection.app.authenticate(bearer(token), connection.charged), query, dialects)
    except Refusal as refusal:
        if call.id is not None:
            connection.send(connection.framing.refuse(call.id, refusal, encode(plain_refusal(refusal))))
            await connection.app.broker.flush()
        raise
    query |= {key: str(value) for key, value in shown.items() if key in ("epoch", "pos", "connection", "rooms")}
    if call.id is not None:
        connection.send(connection.framing.answer(call.id, b'{"ok":true}'))
    return actor


def _not_yet(connection: JsonRpcConnection, frame: Frame) -> None:
    if connection.is_closing:
        return
    if not isinstance(frame, Call):
        connection.receive(frame)
    elif connection.may_call(frame.id) and frame.id is not None:
        refusal = Refusal(AUTH_INVALID, "The first call must be auth {token}")
        connection.send(connection.framing.refuse(frame.id, refusal, encode(plain_refusal(refusal))))


async def _open(
    connection: JsonRpcConnection,
    actor: Actor,
    namespaces: list[str],
    dialects: list[Dialect],
    push: Push,
    back: ResumeRequest | None,
) -> None:
    """Take the seats. `ready` is the first thing said."""
    app = connection.app
    channels = []
    for namespace, spoken in zip(namespaces, dialects, strict=True):
        face = app.encoder(spoken, namespace, push, frame_text)
        memory = connection.session_name(connection.name, namespace)
        channels.append(Channel(connection, face, actor, app.codec(spoken, namespace), memory=memory))
    if back is not None and back.session is not None:
        back = back._replace(names=tuple(connection.session_name(back.session, one) for one in namespaces))
    take_seats = partial(join, connection, channels, back, partial(_push_ready, connection, channels[0]))
    if back is None:
        await take_seats()
    else:
        await open_while_reading(take_seats, partial(connection.websocket.listen, connection.take_early))


def resume_request(query: Mapping[str, str]) -> ResumeRequest | None:
    """Where a client says that it was, if it says so."""
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
    connection.push(channel, "ready", encode(ready))
