"""The tokens that this server issues: signed access tokens and random refresh tokens.

A refresh token has 512 random bits and no content: 256 bits find its session and 256 bits prove it. So it can be
revoked, it cannot be forged, and it does not look like an access token. The store has only its SHA-256 digest. Random
bits need no slow hash.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

from chatd.auth.claims import MAX_USER_ID, OWN_ISSUER
from chatd.auth.jws import Signer, sign_token

REFRESH_SECRET_BYTES = 32


class Issuer:
    """Signs access tokens."""

    def __init__(self, signer: Signer, *, now: Callable[[], float] = time.time) -> None:
        self._signer = signer
        self._now = now

    def access(
        self,
        user_id: int,
        *,
        ttl: float,
        name: str | None = None,
        admin: bool = False,
        token_id: str | None = None,
        issued: int | None = None,
        sid: str | None = None,
    ) -> str:
        """Make an access token. `exp` is rounded up, so the token is valid for at least `ttl` seconds.

        `issued` is the second in which the store granted the token; it may be in the past. `sid` is the session of the
        token. The token is invalid after the session has ended.
        """
        if not 0 < user_id <= MAX_USER_ID:
            raise ValueError("a user id is a positive integer below 2^53")
        now = self._now()
        payload: dict[str, Any] = {
            "iss": OWN_ISSUER,
            "sub": str(user_id),
            "user_id": user_id,
            "iat": int(now) if issued is None else issued,
            "exp": math.ceil(now + ttl),
            "jti": token_id or secrets.token_urlsafe(16),
        }
        if sid is not None:
            payload["sid"] = sid
        if name is not None:
            payload["name"] = name
        if admin:
            payload["role"] = "admin"
        return sign_token(payload, self._signer)


class RefreshToken(NamedTuple):
    """`family.secret`. The family stays the same during a session; the secret changes at each use.

    So one stored row for each session is enough to recognize an old token: its family is known, its secret is not.
    """

    family: str
    secret: str

    @property
    def text(self) -> str:
        return f"{self.family}.{self.secret}"

    @property
    def family_digest(self) -> str:
        return digest(self.family)

    @property
    def digest(self) -> str:
        return digest(self.text)

    def rotate(self) -> RefreshToken:
        """Make the token that replaces this one."""
        return RefreshToken(self.family, secrets.token_urlsafe(REFRESH_SECRET_BYTES))


def make_refresh_token() -> RefreshToken:
    """Make the first token of a new session."""
    return RefreshToken(secrets.token_urlsafe(REFRESH_SECRET_BYTES), "").rotate()


def parse_refresh_token(presented: str) -> RefreshToken:
    """Parse a presented token. Any text is accepted; the store does not find an unknown one."""
    family, _, secret = presented.partition(".")
    return RefreshToken(family, secret)


def digest(text: str) -> str:
    """Return the digest that the store keeps of a token."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
