"""Payloads whose cost for a careless parser grows faster than their size."""

from __future__ import annotations

import json

from tests.outside.raw import request

BODY = 1_000_000  # below limits.body_bytes
CALL = '{"jsonrpc":"2.0","id":1,"method":"auth","params":{"token":%s}}'
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def blanks(count: int) -> str:
    """A token with blanks in the middle: quadratic for a pattern that strips them."""
    return f"x{' ' * count}x"


def quotes(size: int) -> str:
    """Open brackets, and then a string that never ends, with an escaped quote at every second byte."""
    return "[" * 40 + '"' + '\\"' * (size // 2)


def marks(size: int) -> str:
    """Combining marks in the wrong order: quadratic for Unicode normalisation. Each takes two bytes."""
    return "a" + "\u0300\u0316" * (size // 4)


def batch(size: int) -> str:
    """A JSON-RPC batch of nothing."""
    return f"[{','.join(['{}'] * (size // 3 - 1))}]"


def unknown_keys(count: int) -> bytes:
    return json.dumps({f"k{number}": 0 for number in range(count)}, separators=(",", ":")).encode()


def lists(count: int) -> bytes:
    """A password that is a list of lists."""
    return b'{"username":"romeo","password":[%s]}' % b",".join([b"[]"] * count)


def attachments(count: int) -> bytes:
    return b'{"content":"hi","attachments":[%s]}' % b",".join([b'""'] * count)


def auth(token: str) -> str:
    return CALL % json.dumps(token)


def credentials(name: str) -> bytes:
    said = {"username": name, "password": "correct horse battery staple"}
    return json.dumps(said, ensure_ascii=False).encode()


def smuggle() -> bytes:
    """A request with two lengths: one request by Content-Length, two by the chunks."""
    body = b"0\r\n\r\n" + SMUGGLED
    return request("POST", "/auth/logout", body, Transfer_Encoding="chunked")
