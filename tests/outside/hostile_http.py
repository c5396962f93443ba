"""HTTP that no client should send, and the allowed statuses of the answer (0: closed without an answer)."""

from __future__ import annotations

from tests.outside.raw import request, upgrade

HOST = b"Host: 127.0.0.1\r\n"
HOSTED = b"GET /conversations HTTP/1.1\r\nHost: %b\r\n\r\n"


def get(*lines: bytes, path: bytes = b"/healthz", method: bytes = b"GET", version: bytes = b"HTTP/1.1") -> bytes:
    return b"%b %b %b\r\n%b%b\r\n" % (method, path, version, HOST, b"".join(line + b"\r\n" for line in lines))


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return get(b"Content-Type: application/json", *lines, path=b"/auth/login", method=b"POST") + body


REFUSED: dict[str, tuple[bytes, set[int]]] = {
    "a head of 17 KiB": (get(b"X-Long: " + b"a" * 17_000), {431}),
    "a head that never ends": (b"GET /" + b"a" * 40_000, {431, 414}),
    "10,000 headers": (get(*[b"a: b"] * 10_000), {431}),
    "a negative length": (post(b"Content-Length: -1"), {400}),
    "a length with a sign": (post(b"Content-Length: +5", body=b"hello"), {400}),
    "a length of letters": (post(b"Content-Length: five"), {400}),
    "a length of twenty digits and more": (post(b"Content-Length: " + b"9" * 30), {400, 413}),
    "a body of a terabyte is declared": (post(b"Content-Length: 1099511627776"), {413}),
    "two lengths": (post(b"Content-Length: 5", b"Content-Length: 6", body=b"hello!"), {400}),
    "a length and chunks": (
        post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        {400},
    ),
    "chunks in HTTP/1.0": (get(b"Transfer-Encoding: chunked", method=b"POST", version=b"HTTP/1.0"), {400}),
    "a head whose lines end with LF": (get(b"X-A: 1").replace(b"\r\n", b"\n"), {400}),
    "chunks of garbage": (post(b"Transfer-Encoding: chunked", body=b"zz\r\nhello\r\n0\r\n\r\n"), {400}),
    "a chunk of minus one": (post(b"Transfer-Encoding: chunked", body=b"-1\r\n\r\n"), {400}),
    "a chunk of 2^84": (post(b"Transfer-Encoding: chunked", body=b"F" * 21 + b"\r\nabc"), {400}),
    "another encoding of transfers": (post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), {400, 501}),
    "a header folded": (get(b"X-A: 1", b" folded"), {400}),
    "a header without a colon": (get(b"X-A"), {400}),
    "a header with a space in its name": (get(b"X A: 1"), {400}),
    "NUL in a header": (get(b"X-A: a\0b"), {400}),
    "two hosts": (get(b"Host: other.example"), {400}),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", {400}),
    "a host with an empty label": (HOSTED % b"127..0.1", {400}),
    "a host with a label too long": (HOSTED % (b"a" * 64 + b".example"), {400}),
    "a host that is not ASCII": (HOSTED % b"ch\xe4t.example", {400}),
    "a host that is a path": (HOSTED % b"example/../", {400}),
    "a host and a password": (HOSTED % b"a:b@example", {400}),
    "HTTP/2, at once": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
    "HTTP/9.9": (get(version=b"HTTP/9.9"), {400, 505}),
    "TLS where there is none": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500, {400}),
    "garbage": (bytes(range(256)) * 8, {400}),
    "a method of garbage": (get(method=b"G\xc3\xa4T"), {400}),
    "CONNECT": (get(method=b"CONNECT", path=b"example.org:443"), {400}),
    "TRACE": (get(method=b"TRACE", path=b"/conversations"), {404, 405, 501}),
    "a path up": (get(path=b"/files/../../../../etc/passwd"), {401, 404}),
    "a path up, escaped": (get(path=b"/files/%2e%2e%2f%2e%2e%2fetc%2fpasswd"), {401, 404}),
    "NUL in a path": (get(path=b"/conversations/%00"), {400, 401, 404}),
    "bad UTF-8 in a path": (get(path=b"/conversations/%ff%fe"), {400, 401, 404}),
    "a body that is no JSON": (request("POST", "/auth/login", b"{"), {400}),
    "a body deep as a well": (request("POST", "/auth/login", b"[" * 8_000), {400}),
    "a long login body": (request("POST", "/auth/login", b"[" * 100_000), {413}),
    "a long body without a token": (request("POST", "/conversations", b"[" * 100_000), {401}),
    "a long body with a token of garbage": (request("POST", "/conversations", b"[" * 100_000, token="x"), {401}),
    "a token of 12 KB of blanks": (get(b"Authorization: Bearer" + b" " * 12_000 + b"x", path=b"/conversations"), {401}),
    "a body with a lone surrogate": (
        request("POST", "/auth/login", b'{"username":"\\ud800","password":"x"}'),
        {400, 401},
    ),
    "a body that says a key twice": (
        request("POST", "/auth/login", b'{"username":"a","username":"b","password":"x"}'),
        {400},
    ),
    "a socket of another version": (upgrade(headers={"Sec-WebSocket-Version": "8"}), {426}),
    "a socket without a key": (upgrade(headers={"Sec-WebSocket-Key": ""}), {400}),
    "a socket with half a key": (upgrade(headers={"Sec-WebSocket-Key": "abcd"}), {400}),
    "a socket by POST": (upgrade().replace(b"GET", b"POST", 1), {400}),
    "a socket over HTTP/1.0": (upgrade().replace(b"HTTP/1.1", b"HTTP/1.0", 1), {400, 426}),
    "a socket that brings a body": (upgrade(headers={"Content-Length": "5"}) + b"hello", {400}),
    "a socket of a foreign page": (upgrade(headers={"Origin": "https://evil.example"}), {403}),
    "a socket of a page without an origin": (upgrade(headers={"Origin": "null"}), {403}),
    "a page of a foreign origin": (get(b"Origin: https://evil.example", path=b"/conversations"), {403}),
    "a poll with a thousand fields": (get(path=b"/socket.io/?EIO=4&transport=polling" + b"&a=b" * 1_000), {400}),
    "a socket to nowhere": (upgrade("/nowhere"), {404}),
    "a socket in a dialect that is not there": (upgrade("/chat?dialect=klingon"), {404}),
}

PASSED_OVER: dict[str, tuple[bytes, set[int]]] = {
    "h2c with settings of garbage": (
        get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: \xff\xfe!!!"),
        {200, 400},
    ),
    "another protocol": (get(b"Connection: Upgrade", b"Upgrade: gopher"), {200}),
    "a subprotocol that is not ASCII": (
        upgrade(headers={"Sec-WebSocket-Protocol": "chatd.jsonrpc, bearer.\xe9\xff"}),
        {101, 400},
    ),
    "an extension that is not ASCII": (upgrade(headers={"Sec-WebSocket-Extensions": "permessage-d\xe9flate"}), {101}),
    "an extension that is a bomb": (
        upgrade(headers={"Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits=99"}),
        {101},
    ),
    "a token that is not ASCII": (upgrade(headers={"Authorization": "Bearer \xe9\xff"}), {101, 400}),
    "a query that is not UTF-8": (upgrade("/chat?dialect=%ff%fe&\xff"), {101, 400, 404}),
}
"""Unusual requests that are allowed: no 101 has an extension."""
