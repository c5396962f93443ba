"""Engine.IO's door: handshakes, polls and upgrades find their session here; one sweep keeps all hearts beating.

    GET      no sid    polling       a session begins; it runs in a task of its own
    upgrade  no sid    websocket     a session begins; it runs in the connection's task
    GET      sid       polling       the poll, held until there is something to say
    POST     sid       polling       what the client says: "ok"
    upgrade  sid       websocket     the probe of an upgrade
    OPTIONS                          a browser asks for leave

What is none of these is refused in the words of the reference server, which clients know by heart:

    0 Transport unknown           neither polling nor websocket
    1 Session ID unknown          over, never there, or somebody else's
    2 Bad handshake method        a session begins with GET
    3 Bad request                 two requests at once, polling after the upgrade, a body that is no packets
    5 Unsupported protocol version    EIO is not 4

A session belongs to whoever began it: `owner(request)` names him, and a request that names another, or a poll that
names nobody, hears that there is no such session. A WebSocket may name nobody, for browsers can't give it a header.
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
from chatd.net.framer import ReadRules, frame_text
from chatd.net.handshake import wants_websocket
from chatd.net.http import BodyHandler, Direct, LongPollHandler
from chatd.net.proxies import block
from chatd.net.request import Request, Response, refusal
from chatd.net.socket import Gone, WebSocket
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
FIELDS = 64
LONGEST_TICK = 1.0
TICKS = 20

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]
Serve: TypeAlias = Callable[[EngineSession, Request], Awaitable[None]]


class EngineRefusal(Exception):
    """A request that is answered by a row of ERRORS."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def shown_credentials(request: Request) -> object:
    """The plainest owner of a session: the Authorization header."""
    return request.get(b"authorization")


def no_headers(request: Request) -> Headers:
    return ()


def _fields(request: Request) -> dict[str, str]:
    """The query; ValueError when it has too many fields."""
    return dict(reversed(parse_qsl(request.query.decode("latin-1"), max_num_fields=FIELDS)))


class Engine:
    """All sessions. `serve(session, request)` is one client's whole life; `headers(request)` are those of CORS."""

    def __init__(
        self,
        rules: SessionRules,
        serve: Serve,
        nursery: trio.Nursery,
        *,
        owner: Callable[[Request], object] = shown_credentials,
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

    def adopt(self, rules: SessionRules, sessions_per_address: int) -> None:
        """Take up other rules: for sessions from now on."""
        self.rules, self._per_address = rules, sessions_per_address

    # -- HTTP ------------------------------------------------------------------------------------------------------

    def refuse(self, request: Request) -> Response | None:
        """What can be said before an upgrade or a body: the answer no, or None."""
        too_large = self._declared(request) > self.rules.payload_bytes > 0
        try:
            if wants_websocket(request):
                self._judge(request, upgrade=True)
            elif too_large and (session := self._judge(request, upgrade=False)) is not None:
                session.spoil_post()
        except EngineRefusal as refused:
            if not too_large:
                return self._error(request, refused.number)
        return refusal(TOO_LARGE, headers=self._headers(request), close=True) if too_large else None

    def direct(self, request: Request) -> Direct:
        """The handler for a request whose head is here: as in Site.direct."""
        if request.method == "OPTIONS":
            return self._preflight
        try:
            session = self._judge(request, upgrade=False)
            if session is None:
                return self._handshake
            if request.method == "GET":
                return LongPollHandler(partial(self._poll, session))
            if request.method == "POST":
                session.begin_post()
                return BodyHandler(partial(self._post, session), session.spoil_post)
            raise EngineRefusal(BAD_REQUEST)
        except EngineRefusal as refused:
            return partial(self._say_no, refused.number)
        except OutOfTurn:
            return partial(self._say_no, BAD_REQUEST)

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

    async def _say_no(self, number: int, request: Request, body: bytes) -> Response:
        return self._error(request, number)

    async def _handshake(self, request: Request, body: bytes) -> Response:
        place = block(request.client)
        if 0 < self._per_address <= self._by_address[place]:
            return refusal(UNAVAILABLE, "Too many sessions from your address", headers=self._headers(request))
        session = self._begin(request, None)
        session.address = place
        self._by_address[place] += 1
        self._nursery.start_soon(self._run, session, request)
        return self._words(request, self._open(session, UPGRADES))

    async def _poll(self, session: EngineSession, request: Request, body: bytes) -> Response:
        try:
            return self._words(request, await session.poll())
        except OutOfTurn:
            return self._error(request, BAD_REQUEST)

    async def _post(self, session: EngineSession, request: Request, body: bytes) -> Response:
        try:
            await session.post(body)
        except (MalformedPacket, OutOfTurn):
            return self._error(request, BAD_REQUEST)
        return self._words(request, b"ok")

    def _words(self, request: Request, body: bytes) -> Response:
        return Response(200, body, TEXT + self._headers(request))

    def _error(self, request: Request, number: int) -> Response:
        body = msgspec.json.encode({"code": number, "message": ERRORS[number]})
        return Response(400, body, JSON + self._headers(request))

    @staticmethod
    def _declared(request: Request) -> int:
        declared = request.get(b"content-length") or ""
        return int(declared) if declared.isascii() and declared.isdigit() else 0

    # -- WebSocket -------------------------------------------------------------------------------------------------

    async def websocket(self, request: Request, socket: WebSocket) -> None:
        """A WebSocket's whole life: a session of its own, or the new transport of one that is there."""
        socket.allow(ReadRules(self.rules.payload_bytes, self.rules.fragments))
        try:
            session = self._judge(request, upgrade=True)
        except EngineRefusal:  # it ended while the handshake went out
            return
        if session is None:
            session = self._begin(request, socket)
            socket.write(frame_text(self._open(session, ())))
            life = self._run(session, request)
            del request  # a session that idles keeps it only as long as whoever serves it does
            await life
        elif await session.upgrade(socket):
            await session.wait_over()

    # -- sessions --------------------------------------------------------------------------------------------------

    def _judge(self, request: Request, *, upgrade: bool) -> EngineSession | None:
        """The session that a request is for, None when it may begin one."""
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
                session.stray()
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

    def _begin(self, request: Request, socket: WebSocket | None) -> EngineSession:
        session = EngineSession(secrets.token_urlsafe(SID_BYTES), self.rules, self._forget, socket)
        session.owner = self._owner(request)
        self.sessions[session.sid] = session
        return session

    def _open(self, session: EngineSession, upgrades: tuple[str, ...]) -> bytes:
        rules = self.rules
        return write_open(session.sid, upgrades, rules.interval, rules.timeout, rules.payload_bytes)

    def _forget(self, session: EngineSession) -> None:
        if self.sessions.pop(session.sid, None) is not None and session.address:
            self._by_address[session.address] -= 1
            if not self._by_address[session.address]:
                del self._by_address[session.address]

    async def _run(self, session: EngineSession, request: Request) -> None:
        """The session's life, behind a guard of its own; whatever comes, it is over afterwards."""
        life = self._serve(session, request)
        del request
        try:
            await life
        except Gone:
            pass
        except Exception as error:
            self._crashed(error)
            session.close(1011, "internal error")
        finally:
            session.leave()

    # -- all of them -----------------------------------------------------------------------------------------------

    async def sweep(self) -> None:
        """Do for every session what is due, for ever. Whoever asks for a session in between is not kept waiting."""
        tick = min(LONGEST_TICK, min(self.rules.interval, self.rules.timeout) / TICKS)
        while True:
            await trio.sleep(tick)
            now = trio.current_time()
            for session in list(self.sessions.values()):
                if now >= session.due or now >= session.connect_by:
                    session.beat(now)

    def close(self, code: int, reason: str) -> None:
        """End them all."""
        for session in list(self.sessions.values()):
            session.close(code, reason)
