"""The parsers that the trial `linear` measures. A probe reads one input."""

from __future__ import annotations

import contextlib
import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any

import trio
from h11 import RemoteProtocolError

from chatd.auth import claims
from chatd.auth.jws import parse
from chatd.auth.keys import KeySettings, make_ring
from chatd.auth.passwords import check_password
from chatd.auth.tokens import parse_refresh_token
from chatd.auth.verifier import Verifier, bearer
from chatd.config.load import ASSIGNMENT, HEADER
from chatd.config.settings import ROWS
from chatd.connections.join import position_of
from chatd.connections.jsonrpc import query_of, token_of
from chatd.net.framer import FrameReader, ReadRules, Violation
from chatd.net.handshake import BadHandshake, accept, wants_websocket
from chatd.net.http import HOST
from chatd.net.http_connection import HttpConnection, HttpRules, Reject
from chatd.net.memory import memory_pair
from chatd.net.origins import listed, normal
from chatd.net.proxies import Proxies, address_block, read_address
from chatd.net.request import Request
from chatd.services import accounts
from chatd.telemetry.log import as_text, cleaned
from chatd.telemetry.redact import redact
from protocol.dialects import accounts as shared
from protocol.dialects import dialect, names
from protocol.dialects.decode import CallDecoder, call_decoder
from protocol.dialects.grammar import ErrorTexts, Field
from protocol.dialects.routing import RouteCodec
from protocol.errors import Refusal
from protocol.frames import Packet
from protocol.framings.engineio import read_payload
from protocol.framings.jsonrpc import JsonRpc, SharedJsonRpc
from protocol.framings.socketio import SocketIo
from protocol.framings.sse import read_id
from protocol.ids import DECIMAL, DIGITS, OBJECT_ID, UUID
from protocol.strict import check_keys, check_size
from tests.outside.raw import BINARY, TEXT, frame

REFUSED = (Refusal, ValueError, RecursionError, OverflowError, Violation, Reject, BadHandshake, RemoteProtocolError)

Probe = Callable[[bytes], Any]


def text(read: Callable[[str], Any]) -> Probe:
    return lambda data: read(data.decode())


def headed(read: Callable[[Request], Any], *headers: bytes) -> Probe:
    """Read a request whose headers are the input."""
    return lambda data: read(Request("GET", b"/ws?token=" + data, [(name, data) for name in headers]))


def framed(receive: Callable[[Packet], Any], before: bytes = b"", after: bytes = b"") -> Probe:
    return lambda data: receive(Packet(before + data + after))


def signed(where: str) -> Probe:
    """A token with a valid signature, whose header or payload is the input, up to the length limit of tokens."""
    secret = b"s" * 32
    verifier = Verifier(make_ring(KeySettings(secret, secret.decode())), claims.ClaimRules())

    def probe(data: bytes) -> Any:
        part = urlsafe_b64encode(data).rstrip(b"=")
        header = part if where == "header" else urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=")
        body = b"%b.%b" % (header, part)
        token = body + b"." + urlsafe_b64encode(hmac.digest(secret, body, "sha256")).rstrip(b"=")
        return verifier.verify(token.decode())

    return probe


def claimed(data: bytes) -> Any:
    """A payload whose every claim is the input, read as if its signature were valid."""
    value = data.decode()
    payload = dict.fromkeys(("sub", "name", "email", "jti", "iss", "aud", "typ", "role", "roles"), value)
    return claims.read_claims({**payload, "exp": 9e9}, claims.ClaimRules(), 0.0, kid=None, own_key=False)


def pieces(size: int, opcode: int, final: bool) -> Probe:
    """The input in WebSocket frames of that size."""

    def probe(data: bytes) -> Any:
        reader = FrameReader(ReadRules(0))
        whole = b"".join(
            frame(opcode if final or not at else 0, data[at : at + size], final=final)
            for at in range(0, len(data), size)
        )
        began = time.thread_time()
        reader.feed(whole, lambda *_: None)
        return time.thread_time() - began

    return probe


def fed(size: int) -> Probe:
    """One WebSocket message with the input. It arrives `size` bytes at a time."""

    def probe(data: bytes) -> None:
        reader, whole = FrameReader(ReadRules(0, 0)), frame(TEXT, data)
        for at in range(0, len(whole), size):
            reader.feed(whole[at : at + size], lambda *_: None)

    return probe


def http(before: bytes, after: bytes = b"\r\n\r\n", *, arrives: int = 16_384, chunk: int = 0) -> Probe:
    """The input as an HTTP request, `arrives` bytes at a time; or as a body in chunks of `chunk` bytes."""

    async def serve(data: bytes) -> None:
        if chunk:
            parts = [data[at : at + chunk] for at in range(0, len(data), chunk)]
            data = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
        whole = before.replace(b"LENGTH", b"%d" % len(data)) + data + after
        server, client = memory_pair(capacity=len(whole) + 1)
        channel = HttpConnection(server, HttpRules())
        channel.body_limit = 1 << 20

        async def send() -> None:
            for at in range(0, len(whole), arrives):
                await client.send_all(whole[at : at + arrives])
                await trio.lowlevel.checkpoint()
            client.close()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            with contextlib.suppress(*REFUSED, OSError):
                if await channel.wait_request() and await channel.read_head() is not None:
                    await channel.read_body()
            nursery.cancel_scope.cancel()

    return serve


def locate(data: bytes) -> Any:
    headers = [(name, data) for name in (b"x-forwarded-for", b"forwarded", b"x-forwarded-proto")]
    return Proxies(("0.0.0.0/0", "::/0")).locate("192.0.2.1", headers)


def guided(guide: RouteCodec) -> Probe:
    """A route whose query string and body are the input."""

    def probe(data: bytes) -> None:
        query = query_of(Request("GET", b"/?" + data, ())).items()
        with contextlib.suppress(*REFUSED):
            guide.decode({}, query, b"{}")
        guide.decode({}, (), data)

    return probe


def logged(data: bytes) -> str:
    return as_text("", "info", {"event": cleaned(data.decode()), "value": cleaned(data.decode())})


def places(data: bytes) -> None:
    for line in data.decode().splitlines():
        HEADER.match(line)
        ASSIGNMENT.match(line)


REQUEST = b"POST / HTTP/1.1\r\nHost: h\r\n"
CHUNKED = REQUEST + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = REQUEST + b"Content-Length: LENGTH\r\n\r\n"
HANDSHAKE = (b"upgrade", b"connection", b"sec-websocket-version", b"sec-websocket-key", b"sec-websocket-protocol")
DIALECTS = [dialect(name) for name in names()]

PROBES: dict[str, Probe] = {
    "bearer": text(bearer),
    "bearer, then a token": text(lambda shown: parse(bearer(shown))),
    "a token": text(parse),
    "a token's header": signed("header"),
    "a token's payload": signed("payload"),
    "claims": claimed,
    "a refresh token": text(lambda shown: parse_refresh_token(shown).digest),
    "a name": text(accounts.check_name),
    "an email": text(accounts.check_email),
    "a name from an email": text(accounts.default_name),
    "a display name": text(accounts.check_display),
    "a name to compare": text(accounts.normalize_name),
    "a password": text(lambda word: check_password(word, "password")),
    **{f"an id: {spelling.name}": text(spelling.read) for spelling in (DECIMAL, DIGITS, OBJECT_ID, UUID)},
    **{f"an id in text: {spelling.name}": text(spelling.read_text) for spelling in (DECIMAL, DIGITS, OBJECT_ID, UUID)},
    "a position": text(position_of),
    "an offset": text(SocketIo.read_offset),
    "a Last-Event-ID": text(read_id),
    "an origin": text(normal),
    "a list of origins": text(lambda origin: listed([origin])),
    "an address": text(read_address),
    "an address's block": text(address_block),
    "forwarded headers": locate,
    "a host": text(HOST.fullmatch),
    "a path": lambda data: Request("GET", b"/" + data, ()).path,
    "a target": lambda data: Request("GET", data, ()).path,
    "a query": headed(query_of),
    "an upgrade": headed(wants_websocket, *HANDSHAKE),
    "a handshake": headed(lambda request: accept(request, ("chatd.jsonrpc",)), *HANDSHAKE),
    "a handshake's token": headed(lambda request: token_of(request, query_of(request), DIALECTS), *HANDSHAKE),
    "a handshake's header": headed(lambda request: token_of(request, {}, DIALECTS), b"authorization"),
    "a target to log": text(redact),
    "a value to log": logged,
    "lines of a configuration": places,
    "JSON's size": check_size,
    "JSON's keys": check_keys,
    "JSON-RPC": framed(JsonRpc("/").receive),
    "JSON-RPC: members": framed(SharedJsonRpc("/").receive, b'{"id":1,"method":"a",', b"}"),
    "JSON-RPC: id": framed(JsonRpc("/").receive, b'{"method":"a","id":', b"}"),
    "JSON-RPC: params": framed(JsonRpc("/").receive, b'{"id":1,"method":"a","params":', b"}"),
    "JSON-RPC: method": framed(JsonRpc("/").receive, b'{"id":1,"method":', b"}"),
    "JSON-RPC: a response": framed(JsonRpc("/").receive, b'{"id":1,"result":', b"}"),
    "JSON-RPC: id twice": framed(JsonRpc("/").receive, b'{"id":1,"id":', b"}"),
    "JSON-RPC: a batch": framed(JsonRpc("/", lambda: 1 << 30).receive, b"[", b"]"),
    "JSON-RPC: a batch, not known": framed(JsonRpc("/").receive, b"[", b"]"),
    **{
        f"Socket.IO: {head.decode() or 'anything'}": framed(lambda packet: SocketIo().receive(packet), head, tail)
        for head, tail in (
            (b"", b""),
            (b"0", b""),
            (b"0/", b""),
            (b'0{"token":', b"}"),
            (b"1", b""),
            (b"2", b""),
            (b"2/", b""),
            (b'2["a",', b"]"),
            (b"2[", b"]"),
            (b"3", b""),
            (b"31[", b"]"),
            (b"4", b""),
            (b"51-", b""),
            (b'51-["a",', b"]"),
            (b"61-1[", b"]"),
        )
    },
    "Engine.IO: a payload": read_payload,
    "Engine.IO: a packet of base64": lambda data: read_payload(b"b" + data),
    "WebSocket: one frame": pieces(1 << 30, TEXT, True),
    "WebSocket: small frames": pieces(1, TEXT, True),
    "WebSocket: small binary frames": pieces(1, BINARY, True),
    "WebSocket: fragments": pieces(1, TEXT, False),
    "WebSocket: a frame in small reads": fed(7),
    "HTTP: anything": http(b""),
    "HTTP: a target": http(b"GET /", b" HTTP/1.1\r\nHost: h\r\n\r\n"),
    "HTTP: headers": http(REQUEST),
    "HTTP: headers in small reads": http(REQUEST, arrives=16),
    "HTTP: a header": http(REQUEST + b"A: "),
    "HTTP: a length": http(REQUEST + b"Content-Length: "),
    "HTTP: a body": http(WHOLE),
    "HTTP: a body in small reads": http(WHOLE, arrives=64),
    "HTTP: a body of chunks": http(CHUNKED, b"0\r\n\r\n", chunk=1),
    "HTTP: chunks": http(CHUNKED),
    "HTTP: an extension of a chunk": http(CHUNKED + b"1;"),
    "HTTP: trailers": http(CHUNKED + b"0\r\n"),
    **{f"[{section}] {key}": text(row.parse_text) for section, rows in ROWS.items() for key, row in rows.items()},
}

PAYLOADS: dict[str, tuple[CallDecoder, tuple[Field, ...]]] = {
    f"{spoken.name} {call.name}": (call_decoder(call, spoken.replies.error_texts), call.fields)
    for spoken in DIALECTS
    for vocabulary in spoken.vocabularies.values()
    for call in vocabulary.inbound
}
ROUTES: dict[str, RouteCodec] = {
    f"{route.method} {route.path}": RouteCodec(route, ErrorTexts())
    for route in (*shared.ROUTES, *(route for spoken in DIALECTS for route in spoken.routes))
}


def payload_probes() -> Iterator[tuple[str, Probe]]:
    """Every call of every dialect: the input is each field, then an unknown field, then the whole payload."""
    for name, (receives, takes) in PAYLOADS.items():
        for wanted in (*(field.name for field in takes), "unknown"):
            yield f"{name}: {wanted}", checked(receives, b'{"%b":' % wanted.encode(), b"}")
        yield name, checked(receives)
        yield f"{name}: arguments", checked(receives, b"[", b"]")


def checked(receives: CallDecoder, before: bytes = b"", after: bytes = b"") -> Probe:
    """A payload as a framing returns it, with its size checked."""

    def probe(data: bytes) -> Any:
        whole = before + data + after
        check_size(whole)
        return receives.decode(whole)

    return probe
