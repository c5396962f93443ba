"""HTTP/1.1 on one stream: h11 with deadlines, limits and the default headers.

    waiting for a request         idle_seconds (head_seconds for the first one)
    reading its head              head_seconds for the whole of it, head_bytes: 431
    reading its body              body_seconds, one more for every MIN_BYTES_PER_SECOND received: 408; body_limit: 413
                                  the framing of chunks may add an eighth, and FRAMING_BYTES: 413
    sending                       write_seconds for each PIECE_BYTES: the client is dropped

A head that two parsers could read differently is refused, and the connection ends (RFC 9112, 2.2, 5.2, 6.1, 6.3). Such
are a line that ends without CR, a folded line, and a Transfer-Encoding beside a Content-Length or in HTTP/1.0. h11
refuses all other heads of that kind.

After an answer that ends the connection the server reads the client's input for a short, bounded time. A close with
unread bytes would reset the connection, and the client could lose the answer.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Sized
from email.utils import formatdate
from http import HTTPStatus

import h11
import trio
from msgspec import Struct

from chatd.net.request import Headers, Request, Response, refusal
from chatd.net.stream import Stream, send_all
from protocol.errors import BAD_REQUEST, HEAD_TOO_LARGE, TOO_LARGE, Code

PIECE_BYTES = 65_536
READ_BYTES = 16_384
MIN_BYTES_PER_SECOND = 32_768
FRAMING_BYTES = 32_768
LINGER_BYTES = 1 << 20
LINGER_SECONDS = 2.0

DEFAULT_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
CONTENT_LENGTH = b"content-length"
TRANSFER_ENCODING = b"transfer-encoding"
FRAMING_HEADERS = frozenset([CONTENT_LENGTH, TRANSFER_ENCODING, b"connection"])
BODILESS = frozenset([204, 304])
REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


class HttpRules(Struct, frozen=True):
    """The numbers of the table in the module's docstring (0 bytes: no limit)."""

    head_bytes: int = 16_384
    head_seconds: float = 10.0
    idle_seconds: float = 75.0
    body_seconds: float = 30.0
    write_seconds: float = 30.0


class Reject(Exception):
    """A request that can't be read to its end: the last answer on the connection (None: no answer)."""

    def __init__(self, answer: Response | None) -> None:
        super().__init__(answer)
        self.answer = answer


def reject(code: Code, text: str = "", *, status: int = 0) -> Reject:
    return Reject(refusal(code, text, status=status, close=True))


class HttpConnection:
    """One connection, one request at a time."""

    __slots__ = (
        "_body_deadline",
        "_body_ended",
        "_first",
        "_h11",
        "_read",
        "_received",
        "_silent",
        "answered",
        "body_limit",
        "extra_headers",
        "read_bytes",
        "request",
        "rules",
        "stream",
    )

    def __init__(self, stream: Stream, rules: HttpRules, answered: Callable[[int], None] = lambda status: None) -> None:
        self.stream = stream
        self.rules = rules
        self.body_limit = 0
        self.answered = answered  # called with the status of each answer
        self.extra_headers: Headers = ()  # the headers that the router adds to all answers to this request
        self.request: Request | None = None
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=(rules.head_bytes or 1 << 30) + 2)
        self._first = True
        self.read_bytes = READ_BYTES  # at once; more for a body that is expected to be large
        self._received = 0  # bytes of this request's body
        self._read = 0  # bytes received since its head was read
        self._silent = False  # this answer has no body, even if the handler gives one
        self._body_ended = True
        self._body_deadline = 0.0

    @property
    def begun(self) -> bool:
        """Whether the head of the answer is sent, so that no other answer can be sent."""
        return self._h11.our_state not in (h11.IDLE, h11.SEND_RESPONSE)

    @property
    def complete(self) -> bool:
        """Whether the answer is sent."""
        return self._h11.our_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)

    @property
    def has_input(self) -> bool:
        """Whether bytes behind the request have arrived."""
        return bool(self._h11.trailing_data[0])

    # -- in ------------------------------------------------------------------------------------------------------

    async def wait_request(self) -> bool:
        """Wait for the first byte of a request; False when none comes."""
        if self.has_input:
            return True
        seconds = self.rules.head_seconds if self._first else self.rules.idle_seconds
        self._first = False
        with trio.move_on_after(seconds):
            return await self._receive()
        return False

    async def read_head(self) -> Request | None:
        """The next request's head; None when the client left in the middle of it or took too long."""
        event = self._head_now()
        if event is None:
            with trio.move_on_after(self.rules.head_seconds):
                event = await self._event(self._head_now)
        return self._begin_request(event) if isinstance(event, h11.Request) else None

    def _begin_request(self, event: h11.Request) -> Request:
        size = len(event.target) + sum(len(name) + len(value) + 4 for name, value in event.headers)
        if size > self.rules.head_bytes > 0:
            raise reject(HEAD_TOO_LARGE)
        if not event.http_version.startswith(b"1."):
            raise reject(BAD_REQUEST, "This server speaks HTTP/1.1")
        headers = [(bytes(name), bytes(value)) for name, value in event.headers]
        names = {name for name, _ in headers}
        if TRANSFER_ENCODING in names and (CONTENT_LENGTH in names or event.http_version < b"1.1"):
            raise reject(BAD_REQUEST, "Transfer-Encoding stands alone, and in HTTP/1.1")
        self.request = Request(event.method.decode(), bytes(event.target), headers, event.http_version.decode())
        self.extra_headers = ()
        self._received = self._read = 0
        self.read_bytes = READ_BYTES
        self._body_ended = False
        self._body_deadline = trio.current_time() + self.rules.body_seconds
        return self.request

    async def read_body(self) -> bytes:
        """The whole body."""
        pieces = []
        while piece := await self.read_piece():
            pieces.append(piece)
        return b"".join(pieces)

    async def read_piece(self) -> bytes:
        """The next piece of the body, b"" at its end."""
        if self._body_ended:
            return b""
        if not self._received:
            await self._prepare_body()
        event = self._event_now()
        if event is None:
            with trio.CancelScope(deadline=self._body_deadline):
                event = await self._event(self._event_now)
        if isinstance(event, h11.Data):
            return self._count(self._all_data(event))
        if isinstance(event, h11.EndOfMessage):
            self._body_ended = True
            return b""
        if event is None:
            raise reject(BAD_REQUEST, "The body took too long", status=408)
        raise Reject(None)

    def _all_data(self, event: h11.Data) -> bytes:
        """All of the body that has arrived, as one piece: the client may have sent it in many chunks."""
        pieces = [bytes(event.data)]
        while isinstance(following := self._event_now(), h11.Data):
            pieces.append(bytes(following.data))
        self._body_ended = isinstance(following, h11.EndOfMessage)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _count(self, piece: bytes) -> bytes:
        self._received += len(piece)
        self._body_deadline += len(piece) / MIN_BYTES_PER_SECOND
        framing = self._read - self._received
        if self._received > self.body_limit > 0 or framing > self._received // 8 + FRAMING_BYTES:
            raise reject(TOO_LARGE)
        return piece

    @property
    def declares_more(self) -> bool:
        """Whether the body may be longer than `body_limit`, according to the head."""
        request = self.request
        if request is None or not self.body_limit:
            return False
        return bool(request.all(TRANSFER_ENCODING)) or int(request.get(CONTENT_LENGTH) or 0) > self.body_limit

    async def _prepare_body(self) -> None:
        """Before the first byte of a body: check the declared length, and send 100 to a client that expects it."""
        declared = self.request.get(CONTENT_LENGTH) if self.request is not None else None
        if declared is not None and int(declared) > self.body_limit > 0:
            raise reject(TOO_LARGE)
        if self._h11.they_are_waiting_for_100_continue:
            await self._transmit(
                self._h11.send(h11.InformationalResponse(status_code=100, headers=[], reason="Continue"))
            )

    async def _event(self, now: Callable[[], h11.Event | None]) -> h11.Event:
        while (event := now()) is None:
            await self._receive()
        return event

    def _head_now(self) -> h11.Event | None:
        """The next event, or None. All lines of a request's head end with CR LF, and none is folded."""
        before = self._h11.trailing_data[0]
        event = self._event_now()
        if isinstance(event, h11.Request):
            head = before[: len(before) - len(self._h11.trailing_data[0])]
            if head.count(b"\n") != head.count(b"\r\n") or b"\n " in head or b"\n\t" in head:
                raise reject(BAD_REQUEST, "Each line of the head ends with CR LF, and none is folded")
        return event

    def _event_now(self) -> h11.Event | None:
        """The next event, or None while bytes are missing. Most requests arrive in one piece and need no deadline."""
        try:
            event = self._h11.next_event()
        except h11.RemoteProtocolError as error:
            raise self._malformed(error) from None
        if event is h11.PAUSED:
            raise Reject(None)
        return event if isinstance(event, h11.Event) else None

    async def _receive(self) -> bool:
        data = await self.stream.receive_some(self.read_bytes)
        self._h11.receive_data(data)
        self._read += len(data)
        return bool(data)

    @staticmethod
    def _malformed(error: h11.RemoteProtocolError) -> Reject:
        if error.error_status_hint == 431:
            return reject(HEAD_TOO_LARGE)
        return reject(BAD_REQUEST, "That is not HTTP/1.1")  # never 5xx: what a client sends is not the server's fault

    # -- out -----------------------------------------------------------------------------------------------------

    async def respond(self, answer: Response) -> None:
        """Send a whole answer."""
        data = self.head(answer.status, answer.headers, length=len(answer.body), close=answer.close)
        await self._transmit(data + self.body(answer.body) + self.end())

    def head(
        self,
        status: int,
        headers: Iterable[tuple[bytes, bytes]],
        *,
        length: int | None = None,
        close: bool = False,
    ) -> bytes:
        """The bytes of an answer's head, with the default headers that the answer does not set itself."""
        self.answered(status)
        self._silent = status in BODILESS or (self.request is not None and self.request.method == "HEAD")
        framing: list[tuple[bytes, bytes]] = []
        own: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            name = name.lower()
            if name in FRAMING_HEADERS:
                framing.append((name, value))
            else:
                own.setdefault(name, []).append(value)
        if length is not None and status not in BODILESS and not any(name == CONTENT_LENGTH for name, _ in framing):
            framing.append((CONTENT_LENGTH, b"%d" % length))
        if close:
            framing.append((b"connection", b"close"))
        lines = self._lines(own)
        reason = REASONS.get(status, b"")
        head = self._h11.send(h11.Response(status_code=status, headers=framing, reason=reason)) or b""
        return head[:-2] + lines + b"\r\n"

    def _lines(self, own: dict[bytes, list[bytes]]) -> bytes:
        """The header lines that do not concern framing. h11 would take 4 µs to check each of them."""
        for name, value in (*self.extra_headers, *DEFAULT_HEADERS, (b"date", http_date())):
            if name not in own:
                own[name] = [value]
        lines = [b"%s: %s\r\n" % (name, value) for name, values in own.items() for value in values]
        text = b"".join(lines)
        if not text.count(b"\n") == text.count(b"\r") == len(lines) or b"\0" in text:
            raise ValueError("a header with a line break in it")
        return text

    def body(self, data: bytes) -> bytes:
        """The bytes of a piece of the answer's body; empty for an answer without a body (HEAD, 204, 304)."""
        if not data or self._silent:
            return b""
        return self._h11.send(h11.Data(data=data)) or b""

    def count_part(self, part: Sized) -> None:
        """Count a part of the body that the kernel sends. h11 asks for its length only."""
        self._h11.send_with_data_passthrough(h11.Data(data=part))  # type: ignore[arg-type]

    def end(self) -> bytes:
        return self._h11.send(h11.EndOfMessage()) or b""

    async def send(self, data: bytes) -> None:
        """Send. A client that does not take PIECE_BYTES within the time is dropped."""
        await self._transmit(data)

    async def _transmit(self, data: bytes | None) -> None:
        rest = memoryview(data or b"")
        with contextlib.suppress(BlockingIOError):
            rest = rest[self.stream.send_now(rest) :]
        while rest or self.stream.pending:
            with trio.move_on_after(self.rules.write_seconds) as time_left:
                await send_all(self.stream, rest[:PIECE_BYTES])
            if time_left.cancelled_caught:
                raise TimeoutError("the client does not read")
            rest = rest[PIECE_BYTES:]

    # -- between and after ---------------------------------------------------------------------------------------

    async def next_cycle(self) -> bool:
        """Prepare for the next request on this connection; False when the connection can't have another."""
        while not self._body_ended:
            await self.read_piece()
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
            self.request = None
            return True
        return False

    async def watch(self) -> None:
        """Return when the client has left before its answer is sent."""
        if not self._h11.trailing_data[0] and not await self._receive():
            return
        await trio.sleep_forever()

    async def switch(self) -> bytes:
        """End HTTP on this connection, and return the bytes behind the request's head. The request has no body."""
        if await self.read_piece():
            raise reject(BAD_REQUEST, "A WebSocket's request has no body")
        return self._h11.trailing_data[0]

    async def reject(self, rejected: Reject) -> None:
        """Send the last answer, to a request that can't be read to its end."""
        with contextlib.suppress(OSError):
            if rejected.answer is not None and not self.begun:
                await self.respond(rejected.answer)
            if self.complete:  # also when the answer was sent before the rest of the request failed
                await self.linger()
                return
        self.stream.abort()

    async def linger(self) -> None:
        """End the connection, and read the client's input for a while so that the client gets the answer."""
        left = LINGER_BYTES
        self.stream.shutdown_write()
        with trio.move_on_after(LINGER_SECONDS):
            while left > 0 and (data := await self.stream.receive_some()):
                left -= len(data)


class _Date:
    """The time of day in HTTP's format, computed once a second."""

    second = 0
    text = b""


def http_date() -> bytes:
    now = int(time.time())
    if now != _Date.second:
        _Date.second, _Date.text = now, formatdate(now, usegmt=True).encode()
    return _Date.text
