"""The entry to Engine.IO: requests and upgrades find their session here. One sweep runs the heartbeats of all sessions.

    GET      no sid    polling       opens a session, which runs in a task of its own
    upgrade  no sid    websocket     opens a session, which runs in the connection's task
    GET      sid       polling       a poll, held until packets wait
    POST     sid       polling       packets of the client; the answer is "ok"
    upgrade  sid       websocket     the probe of an upgrade
    OPTIONS                          a CORS preflight

All other requests are refused with the errors of the reference server, which clients know:

    0 Transport unknown           neither polling nor websocket
    1 Session ID unknown          the session has ended, never existed, or has another owner
    2 Bad handshake method        a session is opened with GET
    3 Bad request                 two requests at once, polling after the upgrade, a malformed body
    5 Unsupported protocol version    EIO is not 4

A session belongs to the client that opened it: `owner(request)` identifies the client. A request with another owner, or
a poll without an owner, gets "Session ID unknown". An upgrade may come without an owner, because a browser can't set a
header for it.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias
from urllib.parse import parse_qsl

import msgspec
import trio

from chatd.engineio.rules import OutOfTurn, SessionRules
from chatd.engineio.session import EngineSession
from chatd.engineio.transports import begin_post, poll, post, spoil_post, upgrade
from chatd.net.framer import ReadRules, frame_text
from chatd.net.handshake import wants_websocket
from chatd.net.http import BodyHandler, Direct, LongPollHandler
from chatd.net.proxies import address_block
from chatd.net.request import Request, Response, refusal
from chatd.net.socket import Gone, WebSocket
from chatd.net.timer_wheel import NO_SLOT, TimerWheel
from protocol.errors import TOO_LARGE, UNAVAILABLE
from protocol.framings.engineio import MalformedPacket, write_open

__all__ = ["Engine", "EngineSession", "SessionRules"]

ERRORS = {
    0: "Transport unknown",
    1: "Session ID unknown",
    2: "Bad handshake method",
    3: "Bad request",
    5: "Unsupported protocol version",
}
UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_METHOD, BAD_REQUEST, BAD_VERSION = ERRORS
TEXT = ((b"content-type", b"text/plain; charset=UTF-8"),)
JSON = ((b"content-type", b"application/json"),)
UPGRADES = ("websocket",)
SID_BYTES = 18
MAX_QUERY_FIELDS = 64
MAX_SWEEP_SECONDS = 0.5
MAX_UNCHECKED_SECONDS = 3600.0  # a session is due much earlier
SWEEPS_PER_INTERVAL = 20

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]
Serve: TypeAlias = Callable[[EngineSession, Request], Awaitable[None]]


class EngineRefusal(Exception):
    """A request that is refused with a row of ERRORS."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def authorization_of(request: Request) -> object:
    """The default owner of a session: the Authorization header."""
    return request.get(b"authorization")


def no_headers(request: Request) -> Headers:
    return ()


def _fields(request: Request) -> dict[str, str]:
    """The query; ValueError when it has too many fields."""
    return dict(reversed(parse_qsl(request.query.decode("latin-1"), max_num_fields=MAX_QUERY_FIELDS)))


def sweep_seconds(rules: SessionRules) -> float:
    """The time between two looks for sessions that are due."""
    return min(MAX_SWEEP_SECONDS, min(rules.interval_seconds, rules.timeout_seconds) / SWEEPS_PER_INTERVAL)


def make_timers(rules: SessionRules) -> TimerWheel[EngineSession]:
    return TimerWheel(sweep_seconds(rules), MAX_UNCHECKED_SECONDS)


class Engine:
    """All sessions. `serve(session, request)` runs one client's session; `headers(request)` are the CORS headers."""

    def __init__(
        self,
        rules: SessionRules,
        serve: Serve,
        nursery: trio.Nursery,
        *,
        owner: Callable[[Request], object] = authorization_of,
        headers: Callable[[Request], Headers] = no_headers,
        crashed: Callable[[BaseException], None] = lambda error: None,
        sessions_per_address: int = 0,
    ) -> None:
        self.rules = rules
        self.sessions: dict[str, EngineSession] = {}
        self._serve = serve
        self._nursery = nursery
        self._owner = owner
        self._headers = headers
        self._crashed = crashed
        self._per_address = sessions_per_address
        self._by_address: Counter[str] = Counter()
        self._timers = make_timers(rules)

    def adopt(self, rules: SessionRules, sessions_per_address: int) -> None:
        """Use other rules, for new sessions."""
        self.rules, self._per_address = rules, sessions_per_address
        self._timers.end_wait()
        self._timers = make_timers(rules)
        for session in self.sessions.values():
            session.slot = NO_SLOT
            self.reschedule(session)

    # -- HTTP ------------------------------------------------------------------------------------------------------

    def refuse(self, request: Request) -> Response | None:
        """The refusal before an upgrade or before a body is read, or None."""
        too_large = self._declared_length(request) > self.rules.payload_bytes > 0
        try:
            if wants_websocket(request):
                self._match(request, upgrade=True)
            elif too_large and (session := self._match(request, upgrade=False)) is not None:
                spoil_post(session)
        except EngineRefusal as error:
            if not too_large:
                return self._error(request, error.number)
        return refusal(TOO_LARGE, headers=self._headers(request), close=True) if too_large else None

    def direct(self, request: Request) -> Direct:
        """The handler of a request whose head has been read (HttpRouter.direct)."""
        if request.method == "OPTIONS":
            return self._preflight
        try:
            session = self._match(request, upgrade=False)
            if session is None:
                return self._handshake
            if request.method == "GET":
                return LongPollHandler(partial(self._poll, session))
            if request.method == "POST":
                begin_post(session)
                return BodyHandler(partial(self._post, session), partial(spoil_post, session))
            raise EngineRefusal(BAD_REQUEST)
        except EngineRefusal as error:
            return partial(self._refuse_directly, error.number)
        except OutOfTurn:
            return partial(self._refuse_directly, BAD_REQUEST)

    def has_session(self, request: Request) -> bool:
        """Whether the request names a session that is open."""
        try:
            return _fields(request).get("sid") in self.sessions
        except ValueError:
            return False

    def body_limit(self, request: Request) -> int:
        return self.rules.payload_bytes

    async def _preflight(self, request: Request, body: bytes) -> Response:
        return Response(204, b"", self._headers(request))

    async def _refuse_directly(self, number: int, request: Request, body: bytes) -> Response:
        return self._error(request, number)

    async def _handshake(self, request: Request, body: bytes) -> Response:
        block = address_block(request.client)
        if 0 < self._per_address <= self._by_address[block]:
            return refusal(UNAVAILABLE, "Too many sessions from your address", headers=self._headers(request))
        session = self._open_session(request, None)
        session.address = block
        self._by_address[block] += 1
        self._nursery.start_soon(self._run, session, request)
        return self._answer(request, self._open_packet(session, UPGRADES))

    async def _poll(self, session: EngineSession, request: Request, body: bytes) -> Response:
        try:
            return self._answer(request, await poll(session))
        except OutOfTurn:
            return self._error(request, BAD_REQUEST)

    async def _post(self, session: EngineSession, request: Request, body: bytes) -> Response:
        try:
            await post(session, body)
        except (MalformedPacket, OutOfTurn):
            return self._error(request, BAD_REQUEST)
        return self._answer(request, b"ok")

    def _answer(self, request: Request, body: bytes) -> Response:
        return Response(200, body, TEXT + self._headers(request))

    def _error(self, request: Request, number: int) -> Response:
        body = msgspec.json.encode({"code": number, "message": ERRORS[number]})
        return Response(400, body, JSON + self._headers(request))

    @staticmethod
    def _declared_length(request: Request) -> int:
        declared = request.get(b"content-length") or ""
        return int(declared) if declared.isascii() and declared.isdigit() else 0

    # -- WebSocket -------------------------------------------------------------------------------------------------

    async def websocket(self, request: Request, socket: WebSocket) -> None:
        """Run a WebSocket: as a session of its own, or as the new transport of an open session."""
        socket.set_limits(ReadRules(self.rules.payload_bytes, self.rules.fragments))
        try:
            session = self._match(request, upgrade=True)
        except EngineRefusal:  # the session ended while the handshake was sent
            return
        if session is None:
            session = self._open_session(request, socket)
            socket.write(frame_text(self._open_packet(session, ())))
            running = self._run(session, request)
            del request  # an idle session keeps its request only as long as `serve` does
            await running
        elif await upgrade(session, socket):
            await session.wait_over()

    # -- sessions --------------------------------------------------------------------------------------------------

    def _match(self, request: Request, *, upgrade: bool) -> EngineSession | None:
        """The session that a request names, or None when the request may open one."""
        try:
            query = _fields(request)
        except ValueError:
            raise EngineRefusal(BAD_REQUEST) from None
        transport = query.get("transport")
        if transport not in ("polling", "websocket"):
            raise EngineRefusal(UNKNOWN_TRANSPORT)
        sid = query.get("sid")
        if sid:
            session = self._find(sid, request, upgrade)
            if upgrade is not (transport == "websocket") or query.get("EIO") != "4":
                session.count_stray()
            if not upgrade and transport != "polling":
                raise EngineRefusal(BAD_REQUEST)
        else:
            session = None
            if request.method != "GET":
                raise EngineRefusal(BAD_METHOD)
        if upgrade is not (transport == "websocket"):
            raise EngineRefusal(BAD_REQUEST)
        if query.get("EIO") != "4":
            raise EngineRefusal(BAD_VERSION)
        return session

    def _find(self, sid: str, request: Request, upgrade: bool) -> EngineSession:
        session = self.sessions.get(sid)
        if session is not None:
            session.catch_up(trio.current_time())
            session = self.sessions.get(sid)
        if session is None:
            raise EngineRefusal(UNKNOWN_SID)
        claimed = self._owner(request)
        if session.owner != claimed and not (upgrade and claimed is None):
            raise EngineRefusal(UNKNOWN_SID)
        return session

    def _open_session(self, request: Request, socket: WebSocket | None) -> EngineSession:
        session = EngineSession(secrets.token_urlsafe(SID_BYTES), self.rules, self, socket)
        session.owner = self._owner(request)
        self.sessions[session.sid] = session
        self.reschedule(session)
        return session

    def _open_packet(self, session: EngineSession, upgrades: tuple[str, ...]) -> bytes:
        rules = self.rules
        return write_open(session.sid, upgrades, rules.interval_seconds, rules.timeout_seconds, rules.payload_bytes)

    def reschedule(self, session: EngineSession) -> None:
        """The session has another deadline now."""
        self._timers.set(session, session.next_due, trio.current_time())

    def forget(self, session: EngineSession) -> None:
        """No request may find the session by its sid any more."""
        self._timers.remove(session)
        if self.sessions.pop(session.sid, None) is not None and session.address:
            self._by_address[session.address] -= 1
            if not self._by_address[session.address]:
                del self._by_address[session.address]

    async def _run(self, session: EngineSession, request: Request) -> None:
        """Run a session until `serve` ends. An exception ends this session only."""
        serving = self._serve(session, request)
        del request
        try:
            await serving
        except Gone:
            pass
        except Exception as error:
            self._crashed(error)
            session.close(1011, "internal error")
        finally:
            session.leave()

    # -- all of them -----------------------------------------------------------------------------------------------

    async def sweep(self) -> None:
        """Do the due work of every session, until cancelled."""
        while True:
            await self._timers.wait()
            now = trio.current_time()
            for session in self._timers.due(now):
                self._timers.set(session, session.next_due, now)
                session.beat(now)
                if session.slot != NO_SLOT:
                    self._timers.set(session, session.next_due, now)

    def close(self, code: int, reason: str) -> None:
        """End all sessions."""
        for session in list(self.sessions.values()):
            session.close(code, reason)
