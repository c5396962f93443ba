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
from chatd.connections.channel import Chair
from chatd.connections.connection import Connection, plainly
from chatd.connections.join import EARLY_BYTES, EARLY_FRAMES, begin, open_while_reading, position_of
from chatd.connections.resume import Back
from chatd.core.app import House
from chatd.net.framer import Message
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
    if "token" in query and any("query" in spoken.token for spoken in dialects):
        return bearer(query["token"])
    return None


def query_of(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.query.decode("latin-1"), keep_blank_values=True, encoding="utf-8", errors="replace"))


def dialects_of(house: House, path: str, query: Mapping[str, str]) -> dict[str, Dialect]:
    """The namespaces that a path opens, and what each of them speaks to this client."""
    namespaces = list(house.config.dialects) if path == SHARED_PATH else [path]
    return {namespace: house.dialect_of(namespace, query.get("dialect")) for namespace in namespaces}


class RpcConnection(Connection):
    """A Connection on a WebSocket of its own."""

    __slots__ = ("_early_bytes", "_pinged", "_progress", "charged", "early", "websocket")

    def __init__(self, house: House, framing: JsonRpc, websocket: WebSocket, charged: str = "") -> None:
        super().__init__(house, framing, websocket.outbox.way)
        self.websocket = websocket
        self.charged = charged
        websocket.outbox.moved = self.moved
        self._pinged = 0.0
        self._progress = 0.0
        self.early: list[Frame] = []  # what came before the seats were taken: it is heard when they are
        self._early_bytes = 0

    @property
    def waiting(self) -> int:
        return self.websocket.outbox.waiting

    @property
    def crowded(self) -> bool:
        return 2 * self.websocket.outbox.waiting > self.house.config.limits.outbox_bytes > 0

    def keep_rest(self, data: bytes, taken: int) -> None:
        self.websocket.outbox.keep_rest(data, taken)

    def shut(self, code: int, reason: str) -> None:
        self.websocket.close(code, reason)

    async def drained(self) -> None:
        await self.websocket.outbox.drained()

    def session_name(self, connection: str, namespace: str) -> str:
        return connection + namespace if isinstance(self.framing, SharedJsonRpc) else connection

    def take_early(self, messages: list[Message]) -> bool:
        """Keep calls until the seats are taken; whether more may come."""
        for data, binary in messages:
            self._early_bytes += len(data)
            self.early += self.framing.receive(Packet(data, binary))
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

    def look(self, now: float, clock: float) -> None:
        """Ask a silent client whether it is there, and end it when it does not answer."""
        limits = self.house.config.limits
        silent = now - max(self.websocket.last_heard, self._progress)
        if limits.ping_interval and silent > limits.ping_interval + limits.ping_timeout:
            self.end(SILENT)
        elif limits.ping_interval and silent > limits.ping_interval and self._pinged < self.websocket.last_heard:
            self._pinged = now
            self.websocket.ping()
        else:
            super().look(now, clock)


async def serve_jsonrpc(house: House, request: Request, websocket: WebSocket) -> None:
    """The whole life of a JSON-RPC connection."""
    query = query_of(request)
    spoken = dialects_of(house, request.path, query)
    namespaces, dialects = list(spoken), list(spoken.values())
    framing = (SharedJsonRpc if request.path == SHARED_PATH else JsonRpc)(namespaces[0])
    connection = RpcConnection(house, framing, websocket, request.charged)
    token = shown_token(request, query, dialects)
    del request
    try:
        CONNECTIONS_OPENED.child("jsonrpc").add()
        actor = await _authenticate(connection, token, query, dialects)
        if actor is None:
            return
        framing.batch_limit = house.batch_limit
        push = framing.push_with_room if query.get("rooms") == "1" else framing.push
        try:
            await _open(connection, actor, namespaces, dialects, push, back_of(query))
        except Refusal as refusal:
            await house.broker.flush()
            _send_away(connection, dialects[0], refusal)
            return
        del query, token, dialects
        early, connection.early = connection.early, []
        await connection.hear_all(early)
        del early
        while True:
            unheard: list[Frame] = []
            await websocket.listen(partial(_take, connection, unheard))
            await connection.hear_all(unheard)
    finally:
        connection.leave_all()


def _take(connection: RpcConnection, unheard: list[Frame], messages: list[Message]) -> bool:
    """Hear what has just arrived; whether all of it could be heard."""
    read = connection.framing.receive
    frames = read(Packet(*messages[0])) if len(messages) == 1 else [f for m in messages for f in read(Packet(*m))]
    unheard += connection.hear_now(frames)
    return not unheard


async def _authenticate(
    connection: RpcConnection, token: str | None, query: dict[str, str], dialects: list[Dialect]
) -> Actor | None:
    """Who it is; None when they were sent away."""
    house = connection.house
    with trio.move_on_after(house.config.limits.auth_timeout or float("inf")):
        try:
            if token is not None:
                return same_user(await house.admit(token, connection.charged), query, dialects)
            if house.config.auth.insecure_userid and "userId" in query:
                house.refund(connection.charged)
                return await house.doorman.name_user(query["userId"])
            return await _wait_for_auth(connection, query, dialects)
        except Refusal as refusal:
            _send_away(connection, dialects[0], refusal)
            return None
    _send_away(connection, dialects[0], Refusal(AUTH_INVALID, "No token was shown in time"))
    return None


def same_user(actor: Actor, query: dict[str, str], dialects: list[Dialect]) -> Actor:
    """The user of the token, if the handshake names no other."""
    named = query.get("userId")
    if named is not None and any(spoken.claims_user for spoken in dialects) and named != str(actor.id):
        raise Refusal(FORBIDDEN, "userId must be the token's own user")
    return actor


def _send_away(connection: RpcConnection, spoken: Dialect, refusal: Refusal) -> None:
    """Say why in the dialect's words, or nothing where its specification has the client shown out without an event."""
    CONNECTIONS_REFUSED.child(refusal.code.code).add()
    _, _, told = connection.house.speech(spoken, next(iter(spoken.vocabularies))).refuse(None, refusal, asked=False)
    if told is not None and spoken.turns_away != "disconnect":
        connection.websocket.write(frame_text(JsonRpc.push("", *told, None, None)))
    connection.end(closing_of(refusal))


async def _wait_for_auth(connection: RpcConnection, query: dict[str, str], dialects: list[Dialect]) -> Actor:
    """Read until a call of `auth` shows a token. What came right behind it is heard once the seats are taken."""
    receive, read = connection.websocket.receive, connection.framing.receive
    while True:
        frames = [frame for message in await receive() for frame in read(Packet(*message))]
        for place, frame in enumerate(frames):
            if isinstance(frame, Call) and frame.name == "auth":
                connection.early = frames[place + 1 :]
                return await _hear_auth(connection, frame, query, dialects)
            _not_yet(connection, frame)


async def _hear_auth(connection: RpcConnection, call: Call, query: dict[str, str], dialects: list[Dialect]) -> Actor:
    try:
        shown: Any = msgspec.json.decode(call.arguments) if call.arguments != Raw(b"") else {}
        shown = shown[0] if isinstance(shown, list) and shown else shown
        token = shown.get("token") if isinstance(shown, dict) else None
        if not isinstance(token, str):
            raise Refusal(AUTH_INVALID, "auth takes {token}")
        actor = same_user(await connection.house.admit(bearer(token), connection.charged), query, dialects)
    except Refusal as refusal:
        if call.id is not None:
            connection.send(connection.framing.refuse(call.id, refusal, encode(plainly(refusal))))
            await connection.house.broker.flush()
        raise
    query |= {key: str(value) for key, value in shown.items() if key in ("epoch", "pos", "connection", "rooms")}
    if call.id is not None:
        connection.send(connection.framing.answer(call.id, b'{"ok":true}'))
    return actor


def _not_yet(connection: RpcConnection, frame: Frame) -> None:
    if connection.ended:
        return
    if not isinstance(frame, Call):
        connection.hear(frame)
    elif connection.may_call(frame.id) and frame.id is not None:
        refusal = Refusal(AUTH_INVALID, "The first call must be auth {token}")
        connection.send(connection.framing.refuse(frame.id, refusal, encode(plainly(refusal))))


async def _open(
    connection: RpcConnection,
    actor: Actor,
    namespaces: list[str],
    dialects: list[Dialect],
    push: Push,
    back: Back | None,
) -> None:
    """Take the seats. `ready` is the first thing said."""
    house = connection.house
    chairs = []
    for namespace, spoken in zip(namespaces, dialects, strict=True):
        face = house.face(spoken, namespace, push, frame_text)
        memory = connection.session_name(connection.name, namespace)
        chairs.append(Chair(connection, face, actor, house.speech(spoken, namespace), memory=memory))
    if back is not None and back.session is not None:
        back = back._replace(names=tuple(connection.session_name(back.session, one) for one in namespaces))
    take_seats = partial(begin, connection, chairs, back, partial(_say_ready, connection, chairs[0]))
    if back is None:
        await take_seats()
    else:
        await open_while_reading(take_seats, partial(connection.websocket.listen, connection.take_early))


def back_of(query: Mapping[str, str]) -> Back | None:
    """Where a client says that it was, if it says so."""
    if "epoch" not in query and "pos" not in query:
        return None
    return Back(query.get("epoch", ""), position_of(query.get("pos", "")), query.get("connection"))


def _say_ready(connection: RpcConnection, chair: Chair, position: int, recovered: bool, gap: str | None) -> None:
    house = connection.house
    limits = house.config.limits
    ready = {
        "connection": connection.name,
        "user": chair.face.dialect.user.spell(chair.actor.ref),
        "epoch": house.database.epoch,
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
    connection.push(chair, "ready", encode(ready))
