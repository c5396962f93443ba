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
from tests.scenes.live_server import On

WAITS = object()
MANY = 1_000
HTTP = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
Probe = Callable[[On], Awaitable[object]]


def page(origin: str, host: str = "127.0.0.1:3000") -> Probe:
    async def probe(on: On) -> bool:
        headers = [(b"host", host.encode()), (b"origin", origin.encode())]
        return on.server.site.refuse(Request("POST", b"/conversations", headers)) is None

    return probe


async def client_behind_a_proxy(on: On) -> str:
    return on.server.front._locate("127.0.0.1", [(b"x-forwarded-for", b"192.0.2.9")])[0]


async def registers(on: On) -> int:
    name = f"new{time.monotonic_ns()}"
    return (await on.rest.ask("POST", "/auth/register", {"username": name, "password": "correct horse"}))[0]


async def access_seconds(on: On) -> int:
    ann = {"username": (await on.person("ann")).name, "password": "correct horse"}
    said = (await on.rest.ask("POST", "/auth/login", ann))[1]
    return int(said["expiresIn"])


async def refresh_milliseconds(on: On) -> int:
    return on.server.accounts._refresh_row(make_refresh_token())[2]


async def answer_or_end(socket: Raw) -> object:
    """The answer, or the close code if the server closes."""
    while isinstance(found := await socket.next_or_end(), dict):
        if "method" not in found:
            return "answered"
    return found


async def big_message(on: On) -> object:
    async with on.socket() as socket:
        await socket.say({"jsonrpc": "2.0", "id": 1, "method": "no", "params": {"x": "x" * 500}})
        return await answer_or_end(socket)


def fragments(on: On) -> list[bool]:
    """Whether three fragments are too many, on a plain WebSocket and on one of Socket.IO."""
    data = frame(TEXT, b"a", final=False) + frame(0, b"b", final=False) + frame(0, b"c")
    assert on.server.front._server is not None
    assert on.server.site._engine is not None
    engine = on.server.site._engine.rules
    readers = [
        FrameReader(on.server.front._server.sockets.reading),
        FrameReader(type(on.server.front._server.sockets.reading)(engine.payload_bytes, engine.fragments)),
    ]
    for reader in readers:
        reader.feed(data, lambda opcode, payload: None)
    return [reader.violation is not None for reader in readers]


async def too_many_fragments(on: On) -> list[bool]:
    return fragments(on)


async def deep_json(on: On) -> bool:
    try:
        check_size(b"[[[[[]]]]]")
    except Refusal:
        return False
    return True


async def slow_client(on: On) -> tuple[int, bool]:
    """The limit of waiting bytes of a WebSocket, and whether a polling session with 2,000 bytes is too slow."""
    assert on.server.front._server is not None
    assert on.server.site._engine is not None
    session = EngineSession("sid", on.server.site._engine.rules, lambda session: None)
    session.write(frame_text(b"x" * 2_000))
    return on.server.front._server.sockets.sending.max_bytes, session.closing


async def big_body(on: On) -> int:
    return (await on.rest.ask("POST", "/auth/login", {"username": "x" * 200, "password": "y"}))[0]


async def many_values(on: On) -> bool:
    try:
        check_size(b"[1,1,1,1,1,1]")
    except Refusal:
        return False
    return True


async def unread_answers(on: On) -> int:
    """The limit that a request is held to; tests/outside/test_unsent.py fills it."""
    limits: list[int] = []
    check = Unsent.check

    def checked(unsent: Unsent, user: object, limit: int, more_bytes: int = 0) -> None:
        limits.append(limit)
        check(unsent, user, limit, more_bytes)

    setattr(Unsent, "check", checked)  # noqa: B010 - a type checker would object
    try:
        await on.rest.ask("GET", "/users/me", token=(await on.person("ann")).token)
    finally:
        setattr(Unsent, "check", check)  # noqa: B010
    return limits[0]


async def control_frames(on: On) -> object:
    """Whether three pings at once are too many."""
    async with on.socket() as socket:
        await socket.send(b"".join(frame(PING, b"") for _ in range(3)))
        await socket.say({"jsonrpc": "2.0", "id": 1, "method": "no", "params": {}})
        return await answer_or_end(socket)


async def big_head(on: On) -> int:
    async with on.raw() as connection:
        return (await connection.asks(HTTP.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * 1_000 + b"\r\n\r\n")))[0]


async def half_a_head(on: On) -> str:
    async with on.raw(HTTP[:10]) as connection:
        await connection.is_hung_up()
        return "hung up"


async def idle_connection(on: On) -> str:
    async with on.raw() as connection:
        assert (await connection.asks(HTTP))[0] == 200
        await connection.is_hung_up()
        return "hung up"


async def handshake_seconds(on: On) -> float:
    return on.server.front._rules.handshake_seconds


async def silent_socket(on: On) -> int:
    async with on.socket(token=False) as socket:
        return await socket.closed()


async def first_ping(on: On) -> str:
    async with on.socket() as socket:
        while (found := await socket.frame()) is not None:
            if found[0] == PING:
                return "ping"
        return "hung up"


async def announced_timeout(on: On) -> float:
    token = (await on.person("ann")).token
    async with on.raw(upgrade(token=token)) as connection:
        assert (await connection.answer())[0] == 101
        return float((await connection.message())["params"]["heartbeat"]["timeout"])


def taken(take: Callable[[], bool]) -> int:
    """How many tokens a bucket gives at one moment."""
    return next((count for count in range(MANY) if not take()), MANY)


def takes(rate_of: Callable[[On], Rate]) -> Probe:
    """Empty a bucket of this kind: its size, and the seconds until the next token."""

    async def probe(on: On) -> tuple[int, float]:
        bucket = Bucket(rate_of(on))
        return taken(lambda: bucket.take(0.0)), round(bucket.retry_after(0.0), 3)

    return probe


def keyed(buckets_of: Callable[[On], Any], key: Callable[[], Any] = lambda: -time.monotonic_ns()) -> Probe:
    """A bucket of a new key among these: its size and its pause. What older keys have taken outlives SIGHUP."""

    async def probe(on: On) -> tuple[int, float]:
        buckets, new = buckets_of(on), key()
        return taken(lambda: buckets.take(new, 0.0)), round(buckets.retry_after(new, 0.0), 3)

    return probe


sends = keyed(lambda on: on.server.app.user_limits._sends)
groups = keyed(lambda on: on.server.app.user_limits._groups)
additions = keyed(lambda on: on.server.app.user_limits._additions)
registrations = keyed(lambda on: on.server.accounts.registrations, lambda: str(time.monotonic_ns()))
renewals = keyed(lambda on: on.server.accounts.renewals, lambda: str(time.monotonic_ns()))
anonymous = keyed(lambda on: on.server.app.anonymous, lambda: str(time.monotonic_ns()))
requests = keyed(lambda on: on.server.app.rest)


def logins(accounts: int) -> Probe:
    """Attempts at one moment, for one account or many, until one is refused; and the seconds to wait."""

    async def probe(on: On) -> tuple[int, int]:
        new = time.monotonic_ns()  # what older names and addresses have taken outlives SIGHUP
        for count in range(MANY):
            try:
                on.server.accounts.logins.request_attempt(f"{new} {count % accounts}", f"address {new}", 1_000.0)
            except Refusal as refusal:
                return count, round(refusal.retry_after or 0)
        return MANY, 0

    return probe


async def calls_too_often(on: On) -> object:
    """Three calls with a burst of one: the third is answered, or the second closes the connection."""
    async with on.socket() as socket:
        call = {"jsonrpc": "2.0", "id": 1, "method": "conversation:join", "params": {}}
        await socket.send(b"".join(frame(TEXT, json.dumps(call).encode()) for _ in range(3)))
        found = [await answer_or_end(socket) for _ in range(3)]
        return found[2]


async def second_connection(on: On) -> tuple[int, int]:
    assert on.server.site._engine is not None
    async with on.raw() as first, on.raw() as second:
        assert (await first.asks(HTTP))[0] == 200
        return (await second.asks(HTTP))[0], on.server.site._engine._per_address


async def connections_in_all(on: On) -> bool:
    return on.server.front._limit > 1_000_000


async def long_text(on: On) -> int:
    return await on.sends(await on.group(), "123456")


async def two_attachments(on: On) -> int:
    return await on.sends(await on.group(), attachments=["https://a.example/1", "https://a.example/2"])


async def group_of_three(on: On) -> int:
    others = [(await on.person(name)).id for name in ("bob", "cid")]
    ann = await on.person("ann")
    body = {"type": "group", "participants": others}
    return (await on.rest.ask("POST", "/conversations", body, token=ann.token))[0]


async def second_room(on: On) -> bool:
    rooms = [await on.group(), await on.group()]
    async with on.socket() as socket:
        answers = [await socket.call("conversation:join", {"conversationId": room}) for room in rooms]
    return "error" not in answers[-1]


def rows(query: str) -> Probe:
    async def probe(on: On) -> int:
        talk = await on.group()
        for number in range(3):
            await on.sends(talk, str(number))
        ann = await on.person("ann")
        found = (await on.rest.ask("GET", f"/conversations/{talk}/messages{query}", token=ann.token))[1]
        return len(found if isinstance(found, list) else next(one for one in found.values() if isinstance(one, list)))

    return probe


async def pieces_of_a_replay(on: On) -> bool:
    """Whether a replay reads three events in more than one piece."""
    from chatd.connections.resume import catch_up

    talk, start = await on.group(), on.server.app.broker.position
    for number in range(3):
        await on.sends(talk, str(number))
    pieces: list[list[Published]] = []

    async def tell(told: list[Published]) -> None:
        pieces.append(told)

    ann = await on.person("ann")
    actor = await on.server.app.authenticator.authenticate(ann.token)
    limits: list[int] = []
    read = on.server.app.database.read

    async def reading(unit: Any) -> Any:
        limits.append(unit.keywords["limit"])
        return await read(unit)

    on.server.app.database.read = reading  # type: ignore[method-assign]
    try:
        await catch_up(on.server.app, actor, start, tell)
    finally:
        on.server.app.database.read = read  # type: ignore[method-assign]
    return limits[0] == 1


async def typing_ends_by_itself(on: On) -> int:
    typing_tracker = on.server.app.typing_tracker
    from protocol.events import Typing

    told: list[Typing] = []
    typing_tracker._publish = told.append
    typing_tracker._typing.clear()
    typing_tracker.typing_changed(Typing(Ref(1, 0), Ref(1, 0), True), 100.0)
    typing_tracker.sweep(102.0)
    return len(told)


async def user_without_sockets(on: On) -> bool:
    presence = on.server.app.presence
    presence.user_connected(Ref(99, 0))
    presence.user_disconnected(99)
    return bool(presence.online_among([99]))


def cleaned(days: float) -> Probe:
    """Whether retention removes events, so many days later."""

    async def probe(on: On) -> bool:
        talk = await on.group()
        for number in range(3):
            await on.sends(talk, str(number))
        clock = on.server.app.database.clock
        on.server.app.database.clock = lambda: clock() + int(days * 86_400_000)
        try:
            return await clean(on.server.app) > 0
        finally:
            on.server.app.database.clock = clock

    return probe


async def log_line(on: On) -> str:
    import io

    log.stream = io.StringIO()
    try:
        log.warning("tried")
        return log.stream.getvalue()[:1].replace("2", "text")
    finally:
        log.stream = None
