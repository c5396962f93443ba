"""Probes of a running server: what the live settings change, as a client or the server's own objects show it."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from chatd.auth.tokens import make_refresh_token
from chatd.engineio.session import EngineSession
from chatd.net.framer import FrameReader
from chatd.net.request import Request
from chatd.net.socket import frame_text
from chatd.rate_limit import Bucket, Rate
from chatd.rest.unsent import Unsent
from chatd.server.retention import clean
from chatd.services.context import Published
from chatd.telemetry.log import log
from protocol.errors import Refusal
from protocol.ids import Ref
from protocol.strict import check_size
from tests.outside.raw import PING, TEXT, Raw, frame, upgrade
from tests.scenes.live_server import LiveServer

WAITS = object()
MANY = 1_000
HTTP = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
Probe = Callable[[LiveServer], Awaitable[object]]


def page(origin: str, host: str = "127.0.0.1:3000") -> Probe:
    async def probe(server: LiveServer) -> bool:
        headers = [(b"host", host.encode()), (b"origin", origin.encode())]
        return server.running.site.refuse(Request("POST", b"/conversations", headers)) is None

    return probe


async def client_behind_a_proxy(server: LiveServer) -> str:
    return server.running.front._locate("127.0.0.1", [(b"x-forwarded-for", b"192.0.2.9")])[0]


async def registers(server: LiveServer) -> int:
    name = f"new{time.monotonic_ns()}"
    return (await server.rest.ask("POST", "/auth/register", {"username": name, "password": "correct horse"}))[0]


async def access_seconds(server: LiveServer) -> int:
    ann = {"username": (await server.register("ann")).name, "password": "correct horse"}
    said = (await server.rest.ask("POST", "/auth/login", ann))[1]
    return int(said["expiresIn"])


async def refresh_milliseconds(server: LiveServer) -> int:
    return server.running.accounts._refresh_row(make_refresh_token())[2]


async def answer_or_end(socket: Raw) -> object:
    """The answer, or the close code if the server closes."""
    while isinstance(found := await socket.next_or_end(), dict):
        if "method" not in found:
            return "answered"
    return found


async def big_message(server: LiveServer) -> object:
    async with server.socket() as socket:
        await socket.say({"jsonrpc": "2.0", "id": 1, "method": "no", "params": {"x": "x" * 500}})
        return await answer_or_end(socket)


def fragments(server: LiveServer) -> list[bool]:
    """Whether three fragments are too many, on a plain WebSocket and on one of Socket.IO."""
    data = frame(TEXT, b"a", final=False) + frame(0, b"b", final=False) + frame(0, b"c")
    assert server.running.front._server is not None
    assert server.running.site._engine is not None
    engine = server.running.site._engine.rules
    readers = [
        FrameReader(server.running.front._server.sockets.reading),
        FrameReader(type(server.running.front._server.sockets.reading)(engine.payload_bytes, engine.fragments)),
    ]
    for reader in readers:
        reader.feed(data, lambda opcode, payload: None)
    return [reader.violation is not None for reader in readers]


async def too_many_fragments(server: LiveServer) -> list[bool]:
    return fragments(server)


async def deep_json(server: LiveServer) -> bool:
    try:
        check_size(b"[[[[[]]]]]")
    except Refusal:
        return False
    return True


async def slow_client(server: LiveServer) -> tuple[int, bool]:
    """The limit of waiting bytes of a WebSocket, and whether a polling session with 2,000 bytes is too slow."""
    assert server.running.front._server is not None
    assert server.running.site._engine is not None
    session = EngineSession("sid", server.running.site._engine.rules, server.running.site._engine)
    session.write(frame_text(b"x" * 2_000))
    return server.running.front._server.sockets.sending.max_bytes, session.closing


async def big_body(server: LiveServer) -> int:
    return (await server.rest.ask("POST", "/auth/login", {"username": "x" * 200, "password": "y"}))[0]


async def many_values(server: LiveServer) -> bool:
    try:
        check_size(b"[1,1,1,1,1,1]")
    except Refusal:
        return False
    return True


async def unread_answers(server: LiveServer) -> int:
    """The limit that a request is held to; tests/outside/test_unsent.py fills it."""
    limits: list[int] = []
    check = Unsent.check

    def checked(unsent: Unsent, user: object, limit: int, more_bytes: int = 0) -> None:
        limits.append(limit)
        check(unsent, user, limit, more_bytes)

    setattr(Unsent, "check", checked)  # noqa: B010 - a type checker would object
    try:
        await server.rest.ask("GET", "/users/me", token=(await server.register("ann")).token)
    finally:
        setattr(Unsent, "check", check)  # noqa: B010
    return limits[0]


async def control_frames(server: LiveServer) -> object:
    """Whether three pings at once are too many."""
    async with server.socket() as socket:
        await socket.send(b"".join(frame(PING, b"") for _ in range(3)))
        await socket.say({"jsonrpc": "2.0", "id": 1, "method": "no", "params": {}})
        return await answer_or_end(socket)


async def big_head(server: LiveServer) -> int:
    async with server.raw() as connection:
        return (await connection.asks(HTTP.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * 1_000 + b"\r\n\r\n")))[0]


async def half_a_head(server: LiveServer) -> str:
    async with server.raw(HTTP[:10]) as connection:
        await connection.is_hung_up()
        return "hung up"


async def idle_connection(server: LiveServer) -> str:
    async with server.raw() as connection:
        assert (await connection.asks(HTTP))[0] == 200
        await connection.is_hung_up()
        return "hung up"


async def handshake_seconds(server: LiveServer) -> float:
    return server.running.front._rules.handshake_seconds


async def silent_socket(server: LiveServer) -> int:
    async with server.socket(token=False) as socket:
        return await socket.closed()


async def first_ping(server: LiveServer) -> str:
    async with server.socket() as socket:
        while (found := await socket.frame()) is not None:
            if found[0] == PING:
                return "ping"
        return "hung up"


async def announced_timeout(server: LiveServer) -> float:
    token = (await server.register("ann")).token
    async with server.raw(upgrade(token=token)) as connection:
        assert (await connection.answer())[0] == 101
        return float((await connection.message())["params"]["heartbeat"]["timeout"])


def taken(take: Callable[[], bool]) -> int:
    """How many tokens a bucket gives at one moment."""
    return next((count for count in range(MANY) if not take()), MANY)


def takes(rate_of: Callable[[LiveServer], Rate]) -> Probe:
    """Empty a bucket of this kind: its size, and the seconds until the next token."""

    async def probe(server: LiveServer) -> tuple[int, float]:
        bucket = Bucket(rate_of(server))
        return taken(lambda: bucket.take(0.0)), round(bucket.retry_after(0.0), 3)

    return probe


call_rate = takes(lambda server: server.running.app.call_rate)
typing_rate = takes(lambda server: server.running.app.typing_rate)


def keyed(buckets_of: Callable[[LiveServer], Any], key: Callable[[], Any] = lambda: -time.monotonic_ns()) -> Probe:
    """A bucket of a new key among these: its size and its pause. What older keys have taken outlives SIGHUP."""

    async def probe(server: LiveServer) -> tuple[int, float]:
        buckets, new = buckets_of(server), key()
        return taken(lambda: buckets.take(new, 0.0)), round(buckets.retry_after(new, 0.0), 3)

    return probe


sends = keyed(lambda server: server.running.app.command_limits._sends)
groups = keyed(lambda server: server.running.app.command_limits._groups)
additions = keyed(lambda server: server.running.app.command_limits._additions)
registrations = keyed(lambda server: server.running.app.command_limits.registrations, lambda: str(time.monotonic_ns()))
renewals = keyed(lambda server: server.running.app.command_limits.renewals, lambda: str(time.monotonic_ns()))
anonymous = keyed(lambda server: server.running.app.anonymous, lambda: str(time.monotonic_ns()))
page_files = keyed(lambda server: server.running.app.page_files, lambda: str(time.monotonic_ns()))
requests = keyed(lambda server: server.running.app.rest)


def logins(accounts: int) -> Probe:
    """Attempts at one moment, for one account or many, until one is refused; and the seconds to wait."""

    async def probe(server: LiveServer) -> tuple[int, int]:
        new = time.monotonic_ns()  # what older names and addresses have taken outlives SIGHUP
        for count in range(MANY):
            try:
                server.running.accounts.logins.request_attempt(f"{new} {count % accounts}", f"address {new}", 1_000.0)
            except Refusal as refusal:
                return count, round(refusal.retry_after or 0)
        return MANY, 0

    return probe


async def calls_too_often(server: LiveServer) -> object:
    """Three calls with a burst of one: the third is answered, or the second closes the connection."""
    async with server.socket() as socket:
        call = {"jsonrpc": "2.0", "id": 1, "method": "conversation:join", "params": {}}
        await socket.send(b"".join(frame(TEXT, json.dumps(call).encode()) for _ in range(3)))
        found = [await answer_or_end(socket) for _ in range(3)]
        return found[2]


async def second_connection(server: LiveServer) -> tuple[int, int]:
    assert server.running.site._engine is not None
    async with server.raw() as first, server.raw() as second:
        assert (await first.asks(HTTP))[0] == 200
        return (await second.asks(HTTP))[0], server.running.site._engine._per_address


async def connections_in_all(server: LiveServer) -> bool:
    return server.running.front._limit > 1_000_000


async def long_text(server: LiveServer) -> int:
    return await server.sends(await server.group(), "123456")


async def two_reactions(server: LiveServer) -> int:
    """The status of a second kind of reaction to a message."""
    ann, talk = await server.register("ann"), await server.group()
    number = int(talk[8:], 16)
    status, message, _ = await server.rest.ask(
        "POST", f"/v1/conversations/{number}/messages", {"content": "hello"}, token=ann.token
    )
    assert status == 201, message
    for emoji in ("👍", "🎉"):
        path = f"/v1/messages/{message['id']}/reactions"
        status, _, _ = await server.rest.ask("POST", path, {"emoji": emoji}, token=ann.token)
    return status


async def two_attachments(server: LiveServer) -> int:
    return await server.sends(await server.group(), attachments=["https://a.example/1", "https://a.example/2"])


async def group_of_three(server: LiveServer) -> int:
    others = [(await server.register(name)).id for name in ("bob", "cid")]
    ann = await server.register("ann")
    body = {"type": "group", "participants": others}
    return (await server.rest.ask("POST", "/conversations", body, token=ann.token))[0]


async def second_room(server: LiveServer) -> bool:
    rooms = [await server.group(), await server.group()]
    async with server.socket() as socket:
        answers = [await socket.call("conversation:join", {"conversationId": room}) for room in rooms]
    return "error" not in answers[-1]


def rows(query: str) -> Probe:
    async def probe(server: LiveServer) -> int:
        talk = await server.group()
        for number in range(3):
            await server.sends(talk, str(number))
        ann = await server.register("ann")
        found = (await server.rest.ask("GET", f"/conversations/{talk}/messages{query}", token=ann.token))[1]
        return len(found if isinstance(found, list) else next(one for one in found.values() if isinstance(one, list)))

    return probe


async def pieces_of_a_replay(server: LiveServer) -> bool:
    """Whether a replay reads three events in more than one piece."""
    from chatd.connections.resume import catch_up

    talk, start = await server.group(), server.running.app.broker.position
    for number in range(3):
        await server.sends(talk, str(number))
    pieces: list[list[Published]] = []

    async def tell(told: list[Published]) -> None:
        pieces.append(told)

    ann = await server.register("ann")
    actor = await server.running.app.authenticator.authenticate(ann.token)
    limits: list[int] = []
    read = server.running.app.database.read

    async def reading(unit: Any) -> Any:
        limits.append(unit.keywords["limit"])
        return await read(unit)

    server.running.app.database.read = reading  # type: ignore[method-assign]
    try:
        await catch_up(server.running.app, actor, start, tell)
    finally:
        server.running.app.database.read = read  # type: ignore[method-assign]
    return limits[0] == 1


async def typing_ends_by_itself(server: LiveServer) -> int:
    typing_tracker = server.running.app.typing_tracker
    from protocol.events import Typing

    told: list[Typing] = []
    typing_tracker._publish = told.append
    typing_tracker._typing.clear()
    typing_tracker.typing_changed(Typing(Ref(1, 0), Ref(1, 0), True), 100.0)
    typing_tracker.sweep(102.0)
    return len(told)


async def user_without_sockets(server: LiveServer) -> bool:
    presence = server.running.app.presence
    presence.user_connected(Ref(99, 0))
    presence.user_disconnected(99)
    return bool(presence.online_among([99]))


def cleaned(days: float) -> Probe:
    """Whether retention removes events, so many days later."""

    async def probe(server: LiveServer) -> bool:
        talk = await server.group()
        for number in range(3):
            await server.sends(talk, str(number))
        clock = server.running.app.database.clock
        server.running.app.database.clock = lambda: clock() + int(days * 86_400_000)
        try:
            return await clean(server.running.app) > 0
        finally:
            server.running.app.database.clock = clock

    return probe


async def log_line(server: LiveServer) -> str:
    import io

    log.stream = io.StringIO()
    try:
        log.warning("tried")
        return log.stream.getvalue()[:1].replace("2", "text")
    finally:
        log.stream = None
