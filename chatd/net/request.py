"""The head of one HTTP request, and one complete response, for the layers above HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from msgspec import Struct, json

from protocol.errors import Code

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]


class Request:
    """The head of a request. Header names are lower-case. Values are bytes, because any byte may occur."""

    __slots__ = ("charged", "client", "headers", "method", "path", "query", "scheme", "target", "version")

    def __init__(self, method: str, target: bytes, headers: Headers, version: str = "1.1") -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.version = version
        path, _, query = origin_form(target).partition(b"?")
        self.path = unquote_to_bytes(path).decode(errors="replace")
        self.query = query
        self.client = ""  # the address of the client, also behind trusted proxies (Proxies.locate)
        self.scheme = "http"
        self.charged = ""  # the address block whose limit for requests without a known token has paid for this one

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]

    def get(self, name: bytes) -> str | None:
        """The first value of a header, or None."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return None

    def tokens(self, name: bytes, *, lower: bool = True) -> list[str]:
        """The comma-separated tokens of all values of a header."""
        tokens = [token.strip().decode("latin-1") for value in self.all(name) for token in value.split(b",")]
        return [token.lower() for token in tokens if token] if lower else [token for token in tokens if token]


def origin_form(target: bytes) -> bytes:
    """`/path?query` of any request target: absolute ones lose scheme and authority, `*` is the root."""
    if target.startswith(b"/"):
        return target
    _, found, rest = target.partition(b"://")
    slash = rest.find(b"/")
    return rest[slash:] if found and slash >= 0 else b"/"


class Response(Struct, frozen=True):
    """A complete answer. `close` ends the connection after it; `delay_seconds` pass before a refusal is sent.

    `on_sent` is called when the answer is sent or can't be sent.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    close: bool = False
    delay_seconds: float = 0.0
    on_sent: Callable[[], None] | None = None


def challenge(code: Code) -> tuple[tuple[bytes, bytes], ...]:
    """The header that belongs to a 401."""
    return ((b"www-authenticate", b"Bearer"),) if code.status == 401 else ()


PHRASES = {status.value: status.phrase for status in HTTPStatus}


def refusal(
    code: Code,
    text: str = "",
    *,
    field: str | None = None,
    status: int = 0,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    close: bool = False,
    delay_seconds: float = 0.0,
) -> Response:
    """The answer for a row of protocol/errors.py, in the form of chatd's own errors and of RFC 9457.

    `field` is the field of the request that is wrong, if there is one.
    """
    status = status or code.status
    detail = text or code.text
    body = {
        "code": code.code,
        "message": detail,
        "type": "about:blank",
        "title": PHRASES.get(status, code.text),
        "status": status,
        "detail": detail,
    }
    if field is not None:
        body["field"] = field
    kind = ((b"content-type", b"application/problem+json"),)
    return Response(status, json.encode(body), kind + headers, close, delay_seconds)
