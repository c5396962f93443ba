"""The tokens that this server gives out: signed access tokens, and refresh tokens that are only random.

A refresh token is random bits (256 to find its session, 256 to prove it) that mean nothing by themselves: it can be
revoked, cannot be forged, and cannot be taken for an access token. Only SHA-256 of it is stored; random bits need no
slow hash.
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
        """An access token. `exp` is rounded up: the token lasts at least as long as it was promised to.

        `issued` is the second in which the store found that the user may have it, which may be a while ago.
        `sid` is the session that it is given out for: it is worth nothing once that has ended.
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
    """`family.secret`. The family is the same while a session lasts; the secret is new at every use.

    So one row a session is enough to know an old token from one that never was: its family is known, its secret isn't.
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
        """The one that replaces it."""
        return RefreshToken(self.family, secrets.token_urlsafe(REFRESH_SECRET_BYTES))


def make_refresh_token() -> RefreshToken:
    """The first of a new session."""
    return RefreshToken(secrets.token_urlsafe(REFRESH_SECRET_BYTES), "").rotate()


def parse_refresh_token(shown: str) -> RefreshToken:
    """A presented one. Any text will do; what was never given out is not found."""
    family, _, secret = shown.partition(".")
    return RefreshToken(family, secret)


def digest(text: str) -> str:
    """What is stored of it."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
