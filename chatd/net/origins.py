"""Which web pages may use this server, and the CORS headers with that permission for browsers.

One rule holds for REST, the WebSocket handshake and polling. Three kinds of request are allowed. A request without an
Origin is not from a browser, and needs a token anyway. A request with the server's own origin is from its own pages.
Any other origin must be on the list, letter for letter. `"*"` on the list allows every origin. The answer is then `*`
without credentials, which is the rule of browsers.

The server's own origin is `server.public_url` when that is set, for any Host that a proxy passes on. Otherwise it comes
from the Host header, but only for a name of this server. With DNS rebinding, a foreign page points its own name at this
server. Its Origin and Host are then equal. An attacker can't do that with a loopback name, a literal address, or the
names of this machine and its settings.

Only an allowed origin is reflected. `Vary: Origin` is on every answer; otherwise a cache could give the permission of
one page to another.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

Headers: TypeAlias = tuple[tuple[str, str], ...]
ANY = "*"
PORTS = {"http": "80", "https": "443"}
VARY: Headers = (("Vary", "Origin"),)
EXPOSED = (
    "Link, Retry-After, Content-Disposition, ETag, Location, Content-Location, Content-Range, Accept-Ranges, "
    "Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Upload-Offset, Upload-Length, Upload-Expires"
)
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
REQUEST_HEADERS = (
    "Authorization, Content-Type, Accept, Idempotency-Key, If-None-Match, If-Range, Range, Last-Event-ID, "
    "X-Requested-With, Tus-Resumable, Upload-Length, Upload-Offset, Upload-Metadata, Upload-Checksum"
)
PREFLIGHT_AGE = "600"


def normal(origin: str) -> str | None:
    """An origin in lower case, without the scheme's default port. None if the text is no origin (`null` too)."""
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
    """The list in normal form; ValueError names the entry that is no origin."""
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


class OriginPolicy(Struct, frozen=True):
    """The settings about origins. The server's own is `public` when set, otherwise an origin at one of `hosts`."""

    public: str | None = None
    hosts: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    def own(self, scheme: str, host: str | None) -> str | None:
        """The server's own origin, for a request with this scheme and Host header."""
        if self.public is not None:
            return self.public
        return own(scheme, host) if self.knows(host) else None

    def knows(self, host: str | None) -> bool:
        """Whether a Host header names this server. A page of a foreign name can't make a browser send such a Host."""
        name = host_name(host)
        return name in self.hosts or name.endswith(".localhost") or name == "localhost" or is_address(name)

    def advice(self, origin: str, host: str | None) -> str:
        """Why an origin was refused, and the setting that would allow it."""
        canonical = normal(origin)
        if canonical is None:
            return "Pages without an origin of their own may not use this server"
        refused = f"Pages of {canonical} may not use this server"
        if self.public is not None:
            return (
                f"{refused}: its own origin is server.public_url, {self.public}; add others to server.allowed_origins"
            )
        name = host_name(host)
        if name == host_name(canonical.partition("://")[2]) and not self.knows(host):
            return f"{refused}: if that is this server, add {name} to server.hosts, or set server.public_url"
        return (
            f"{refused}: if that is this server behind a proxy, set server.public_url to it; "
            "if it is another site, add it to server.allowed_origins"
        )


def host_name(host: str | None) -> str:
    """The name or address in a Host header, in lower case, without the port; empty when there is none."""
    try:
        return urlsplit(f"//{host or ''}").hostname or ""
    except ValueError:
        return ""


def is_address(name: str) -> bool:
    """Whether a host is a literal IP address."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def allowed(origin: str | None, mine: str | None, others: frozenset[str]) -> bool:
    """Whether a request with this Origin header is allowed. `mine` comes from `own`, `others` from `listed`."""
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
    """Whether a request is a CORS preflight: OPTIONS with Origin and Access-Control-Request-Method."""
    return method == "OPTIONS" and origin is not None and asks_method is not None


def preflight(origin: str, mine: str | None, others: frozenset[str]) -> Headers:
    """The headers of the answer (204) to a preflight. Without the permission in them the browser sends no request."""
    headers = cors(origin, mine, others)
    if headers == VARY:
        return VARY
    return (
        *(header for header in headers if header[0] != "Access-Control-Expose-Headers"),
        ("Access-Control-Allow-Methods", METHODS),
        ("Access-Control-Allow-Headers", REQUEST_HEADERS),
        ("Access-Control-Max-Age", PREFLIGHT_AGE),
    )
