"""The tokens that this server gives out: signed access tokens, and refresh tokens that are only random.

A refresh token is 256 random bits that mean nothing by themselves: it can be revoked, cannot be forged, and cannot be
taken for an access token. Only its SHA-256 is stored; random bits need no slow hash.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from chatd.claims import LARGEST_ID, OWN_ISSUER
from chatd.jws import Signer, compose

REFRESH_BYTES = 32


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
    ) -> str:
        """An access token. `exp` is rounded up: the token lasts at least as long as it was promised to."""
        if not 0 < user_id <= LARGEST_ID:
            raise ValueError("a user id is a positive integer below 2^53")
        now = self._now()
        payload: dict[str, Any] = {
            "iss": OWN_ISSUER,
            "sub": str(user_id),
            "user_id": user_id,
            "iat": int(now),
            "exp": math.ceil(now + ttl),
            "jti": token_id or secrets.token_urlsafe(16),
        }
        if name is not None:
            payload["name"] = name
        if admin:
            payload["role"] = "admin"
        return compose(payload, self._signer)


def make_refresh() -> tuple[str, bytes]:
    """A new refresh token, and the digest that is stored of it."""
    token = secrets.token_urlsafe(REFRESH_BYTES)
    return token, refresh_digest(token)


def refresh_digest(token: str) -> bytes:
    """What a presented refresh token is looked up by. Any text will do; what was never given out is not found."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
