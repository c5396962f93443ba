"""Signed links: a URL that gives one user one file for a while, for an `<img>` of a page that shows no token.

The signature covers the file, the user and both times. Whether the account is still open, and whether the user may have
the file, is checked at every request, as with a token.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlencode

from msgspec import Struct

from protocol.errors import AUTH_INVALID, Refusal

MAX_NUMBER_CHARS = 16


class Link(Struct, frozen=True):
    """Who may have which file. Times are seconds since 1970."""

    file: int
    user: int
    issued: int
    until: int


class Links:
    """Makes and checks signed links."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def query(self, link: Link) -> str:
        """The query of a link's URL."""
        times = {"user": link.user, "issued": link.issued, "until": link.until}
        return urlencode({**times, "signature": self._signature(link)})

    def check(self, file: int, query: dict[str, str], now: float) -> Link:
        """The link of a request for a file. A Refusal if it is not signed, or over."""
        numbers = [query.get(name, "") for name in ("user", "issued", "until")]
        if not all(text.isascii() and text.isdigit() and len(text) <= MAX_NUMBER_CHARS for text in numbers):
            raise Refusal(AUTH_INVALID, "The link is not valid")
        link = Link(file, *map(int, numbers))
        if not hmac.compare_digest(self._signature(link).encode(), query.get("signature", "").encode()):
            raise Refusal(AUTH_INVALID, "The link is not valid")
        if now >= link.until:
            raise Refusal(AUTH_INVALID, "The link is over; ask for a new one")
        return link

    def _signature(self, link: Link) -> str:
        text = f"{link.file}.{link.user}.{link.issued}.{link.until}"
        return hmac.digest(self._key, text.encode(), "sha256").hex()
