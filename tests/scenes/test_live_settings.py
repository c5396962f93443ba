"""Every setting that is marked live changes the behaviour of a running server after SIGHUP.

One row for each setting: the new value, a probe of the behaviour, and the results of the probe before and after. WAITS
stands where the probe waits for something that the old value would cause much later.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trio

from chatd.auth.tokens import make_refresh_token
from chatd.config.load import load
from chatd.config.settings import ROWS
from chatd.engineio.session import EngineSession
from chatd.net.framer import FrameReader
from chatd.net.request import Request
from chatd.net.socket import frame_text
from chatd.rate_limit import Bucket, Rate
from chatd.rest.unsent import Unsent
from chatd.server.main import RunningServer, running
from chatd.server.retention import clean
from chatd.services.context import Published
from chatd.telemetry.log import log
from protocol.errors import Refusal
from protocol.ids import Ref
from protocol.strict import MAX_DEPTH, MAX_VALUES, allow_depth, allow_values, check_size
from tests.outside.raw import PING, TEXT, Raw, frame, upgrade
from tests.scenes.stage import TIMEOUT, Person, Rest

WAITS = object()
MANY = 1_000
BASE = '[server]\nport = 0\n[auth]\nregistration = "open"\n'
HTTP = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


class On:
    """A running server, with what the probes need."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.address = server.front.addresses[0]
        self.rest = Rest(f"http://{self.address}")
        self.people: dict[str, Person] = {}

    async def person(self, name: str) -> Person:
        if name not in self.people:
            account = {"username": name, "password": "correct horse"}
            status, said, _ = await self.rest.ask("POST", "/auth/register", account)
            assert status == 201, said
            self.people[name] = Person(self.rest, said)
        return self.people[name]

    async def group(self) -> str:
        made = await (await self.person("ann")).asks("POST", "/conversations", {"type": "group", "participants": []})
        return str(made["_id"])

    async def sends(self, talk: str, content: str = "hello", **more: Any) -> int:
        ann = await self.person("ann")
        path, body = f"/conversations/{talk}/messages", {"content": content, **more}
        return (await self.rest.ask("POST", path, body, token=ann.token))[0]

    @asynccontextmanager
    async def raw(self, data: bytes = b"") -> AsyncIterator[Raw]:
        async with await Raw.connect(self.address) as connection:
            await connection.send(data)
            yield connection

    @asynccontextmanager
    async def socket(self, *, token: bool = True) -> AsyncIterator[Raw]:
        shown = (await self.person("ann")).token if token else ""
        async with await Raw.open(self.address, shown) as connection:
            yield connection


Probe = Callable[[On], Awaitable[object]]


class Case(NamedTuple):
    value: str
    probe: Probe
    before: object
    after: object
    base: str = ""
    more: str = ""


# ---- probes


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


sends = keyed(lambda on: on.server.app.command_limits._sends)
groups = keyed(lambda on: on.server.app.command_limits._groups)
additions = keyed(lambda on: on.server.app.command_limits._additions)
registrations = keyed(lambda on: on.server.app.command_limits.registrations, lambda: str(time.monotonic_ns()))
renewals = keyed(lambda on: on.server.app.command_limits.renewals, lambda: str(time.monotonic_ns()))
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


# ---- the table

LIVE: dict[str, Case] = {
    "server.public_url": Case('"https://x.example"', page("https://x.example"), False, True),
    "server.hosts": Case('["x.lan"]', page("http://x.lan", "x.lan"), False, True),
    "server.allowed_origins": Case('["https://x.example"]', page("https://x.example"), False, True),
    "server.trusted_proxies": Case('["127.0.0.1"]', client_behind_a_proxy, "127.0.0.1", "192.0.2.9"),
    "auth.registration": Case('"closed"', registers, 201, 403),
    "auth.access_ttl": Case("100", access_seconds, 900, 100),
    "auth.refresh_ttl": Case("100", refresh_milliseconds, 30 * 86_400_000, 100_000),
    "limits.message_bytes": Case("300", big_message, "answered", 1009),
    "limits.message_fragments": Case("2", too_many_fragments, [False, False], [True, True]),
    "limits.json_depth": Case("4", deep_json, True, False),
    "limits.outbox_bytes": Case("1000", slow_client, (1 << 20, False), (1000, True)),
    "limits.body_bytes": Case("100", big_body, 401, 413),
    "limits.first_body_bytes": Case("100", big_body, 401, 413),
    "limits.json_values": Case("3", many_values, True, False),
    "limits.page_bytes": Case("1", rows(""), 3, 1),
    "limits.unsent_per_user": Case("10", unread_answers, 16 << 20, 10),
    "limits.control_frames_per_connection": Case(
        "0.001", control_frames, "answered", 4029, more="control_frames_per_connection_burst = 1\n"
    ),
    "limits.control_frames_per_connection_burst": Case("1", control_frames, "answered", 4029),
    "limits.groups_per_user": Case("10", groups, (30, 120.0), (30, 0.1)),
    "limits.groups_per_user_burst": Case("7", groups, (30, 120.0), (7, 120.0)),
    "limits.additions_per_user": Case("10", additions, (1000, 3.6), (1000, 0.1)),
    "limits.additions_per_user_burst": Case("7", additions, (1000, 3.6), (7, 3.6)),
    "limits.registrations_per_address": Case("10", registrations, (5, 720.0), (5, 0.1)),
    "limits.registrations_per_address_burst": Case("7", registrations, (5, 720.0), (7, 720.0)),
    "limits.renewals_per_address": Case("10", renewals, (100, 0.2), (100, 0.1)),
    "limits.renewals_per_address_burst": Case("7", renewals, (100, 0.2), (7, 0.2)),
    "limits.anonymous_per_address": Case("10", anonymous, (100, 0.02), (100, 0.1)),
    "limits.anonymous_per_address_burst": Case("7", anonymous, (100, 0.02), (7, 0.02)),
    "limits.head_bytes": Case("500", big_head, 200, 431),
    "limits.head_timeout": Case("0.05", half_a_head, WAITS, "hung up"),
    "limits.tls_timeout": Case("3", handshake_seconds, 10.0, 3.0),
    "limits.auth_timeout": Case("0.05", silent_socket, WAITS, 4401),
    "limits.idle_timeout": Case("0.05", idle_connection, WAITS, "hung up"),
    "limits.ping_interval": Case("0.05", first_ping, WAITS, "ping"),
    "limits.ping_timeout": Case("7", announced_timeout, 20.0, 7.0),
    "limits.calls_per_connection": Case("10", takes(lambda on: on.server.app.call_rate), (100, 0.02), (100, 0.1)),
    "limits.calls_per_connection_burst": Case("7", takes(lambda on: on.server.app.call_rate), (100, 0.02), (7, 0.02)),
    "limits.typing_per_connection": Case("10", takes(lambda on: on.server.app.typing_rate), (5, 0.2), (5, 0.1)),
    "limits.typing_per_connection_burst": Case("7", takes(lambda on: on.server.app.typing_rate), (5, 0.2), (7, 0.2)),
    "limits.sends_per_user": Case("10", sends, (60, 0.05), (60, 0.1)),
    "limits.sends_per_user_burst": Case("7", sends, (60, 0.05), (7, 0.05)),
    "limits.rest_per_user": Case("10", requests, (100, 0.02), (100, 0.1)),
    "limits.rest_per_user_burst": Case("7", requests, (100, 0.02), (7, 0.02)),
    "limits.logins_per_account": Case('"5/10m"', logins(1), (5, 360), (5, 120)),
    "limits.logins_per_account_burst": Case("3", logins(1), (5, 360), (3, 360)),
    "limits.logins_per_address": Case('"30/10m"', logins(MANY), (30, 60), (30, 20)),
    "limits.logins_per_address_burst": Case("7", logins(MANY), (30, 60), (7, 60)),
    "limits.refusals": Case(
        "1", calls_too_often, "answered", 4029,
        "[limits]\ncalls_per_connection = 0.001\ncalls_per_connection_burst = 1\n",
    ),
    "limits.connections_per_address": Case("1", second_connection, (200, 200), (503, 1)),
    "limits.connections_share": Case("0", connections_in_all, False, True),
    "limits.text_characters": Case("5", long_text, 201, 400),
    "limits.attachments": Case("1", two_attachments, 201, 400),
    "limits.members": Case("2", group_of_three, 201, 400),
    "limits.rooms_per_socket": Case("1", second_room, True, False),
    "limits.page_default": Case("2", rows(""), 3, 2),
    "limits.page": Case("2", rows("?limit=3"), 3, 2, more="page_default = 1\n"),
    "limits.replay_batch": Case("1", pieces_of_a_replay, False, True),
    "typing.expire": Case("1", typing_ends_by_itself, 0, 1),
    "presence.grace": Case("0", user_without_sockets, True, False),
    "events.keep_days": Case("1", cleaned(2), False, True),
    "events.keep_count": Case("1", cleaned(0), False, True),
    "log.format": Case('"json"', log_line, "text", "{"),
    "log.level": Case('"error"', log_line, "text", ""),
}  # fmt: skip


def test_every_live_setting_has_its_row() -> None:
    live = {f"{section}.{key}" for section, keys in ROWS.items() for key, row in keys.items() if row.live}
    assert set(LIVE) == live


@pytest.mark.parametrize("name", LIVE)
async def test_a_hangup_changes_what_the_server_does(tmp_path: Path, name: str) -> None:
    case, (section, _, key) = LIVE[name], name.partition(".")
    file = tmp_path / "chatd.toml"
    base = tables(f'[data]\ndirectory = "{tmp_path}/data"\n{BASE}{case.base}')
    file.write_text(written(base))
    try:
        async with running(load(str(file), environ={})) as server:
            with trio.fail_after(TIMEOUT):
                while server.site._engine is None:
                    await trio.lowlevel.checkpoint()
            on = On(server)
            await on.person("ann")
            if case.before is not WAITS:
                assert await case.probe(on) == case.before
            base.setdefault(section, {})[key] = case.value
            base[section] |= tables(f"[{section}]\n{case.more}")[section]
            file.write_text(written(base))
            server.reread()
            assert await case.probe(on) == case.after
    finally:
        log.configure("text", "info")
        allow_depth(MAX_DEPTH)
        allow_values(MAX_VALUES)


def tables(text: str) -> dict[str, dict[str, str]]:
    """`[section]` and `key = value` lines; a section may come twice."""
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line:
            key, _, value = line.partition(" = ")
            section[key] = value
    return found


def written(found: dict[str, dict[str, str]]) -> str:
    return "".join(
        f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
        for section, keys in found.items()
    )
