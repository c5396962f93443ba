"""Which web pages may use this server, and what a browser is told about it.

One rule for REST, the WebSocket handshake and polling. An origin is allowed when there is none (no browser sends the
request; a token is needed anyway), when it is the server's own, or when it is on the list, letter for letter.
`"*"` on the list takes every origin, and then browsers are told `*` without credentials, as they demand.

A reflected origin is always one that was allowed. `Vary: Origin` is on every answer, or a cache could give one
page's permission to another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import urlsplit

Headers: TypeAlias = tuple[tuple[str, str], ...]
ANY = "*"
PORTS = {"http": "80", "https": "443"}
VARY: Headers = (("Vary", "Origin"),)
EXPOSED = "Link, Retry-After, Content-Disposition, ETag"
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
REQUEST_HEADERS = "Authorization, Content-Type, Accept, Idempotency-Key, If-None-Match, Last-Event-ID, X-Requested-With"
PREFLIGHT_AGE = "600"


def normal(origin: str) -> str | None:
    """An origin as it is compared: lower case, without the scheme's own port. None if it is none (`null` too)."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname
    bare = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    if not parts.scheme or not host or not bare or not origin.isascii() or not origin.isprintable():
        return None
    host = f"[{host}]" if ":" in host else host
    default = port is None or str(port) == PORTS.get(parts.scheme)
    return f"{parts.scheme}://{host}" if default else f"{parts.scheme}://{host}:{port}"


def listed(origins: Iterable[str]) -> frozenset[str]:
    """The list, ready to be asked; ValueError names what is no origin."""
    found = set()
    for origin in origins:
        canonical = ANY if origin == ANY else normal(origin)
        if canonical is None:
            raise ValueError(f"{origin!r} is no origin, expected something like https://chat.example.org")
        found.add(canonical)
    return frozenset(found)


def own(scheme: str, host: str | None) -> str | None:
    """The server's own origin, from the scheme of the connection and the Host header."""
    return normal(f"{scheme}://{host}") if host else None


def allowed(origin: str | None, mine: str | None, others: frozenset[str]) -> bool:
    """Whether a request with this Origin header is taken. `mine` as `own` gives it, `others` as `listed` does."""
    if origin is None or ANY in others:
        return True
    canonical = normal(origin)
    return canonical is not None and (canonical == mine or canonical in others)


def cors(origin: str | None, mine: str | None, others: frozenset[str]) -> Headers:
    """The headers for an answer to a page of this origin."""
    if origin is None:
        return VARY
    canonical = normal(origin)
    if canonical is not None and (canonical == mine or canonical in others):
        return (
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Expose-Headers", EXPOSED),
            *VARY,
        )
    if ANY in others:
        return (("Access-Control-Allow-Origin", ANY), ("Access-Control-Expose-Headers", EXPOSED), *VARY)
    return VARY


def is_preflight(method: str, origin: str | None, asks_method: str | None) -> bool:
    """Whether a browser asks for leave: OPTIONS with Origin and Access-Control-Request-Method."""
    return method == "OPTIONS" and origin is not None and asks_method is not None


def preflight(origin: str, mine: str | None, others: frozenset[str]) -> Headers:
    """The headers of the answer (204) to a preflight; without leave in them, the browser stops there."""
    headers = cors(origin, mine, others)
    if headers == VARY:
        return VARY
    return (
        *(header for header in headers if header[0] != "Access-Control-Expose-Headers"),
        ("Access-Control-Allow-Methods", METHODS),
        ("Access-Control-Allow-Headers", REQUEST_HEADERS),
        ("Access-Control-Max-Age", PREFLIGHT_AGE),
    )
