"""The verifier: checks a token and returns its claims. No other module decides whether a token is valid.

The verifier caches the claims of a valid token under its SHA-256, until it expires or the keys change. So the signature
of a REST client's token is checked once. A later call takes 0.7 µs; a check takes 14 (HS256), 29 (RS256) or 58 (ES256).
Only valid tokens are cached; an invalid token takes no memory. chatd/core/authenticator.py checks at each use whether
the user or the token is revoked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256

from chatd.auth.claims import ClaimRules, Claims, check_expiry, check_header, read_claims
from chatd.auth.jwks import JwksSource
from chatd.auth.jws import MAX_TOKEN_BYTES, Token, parse
from chatd.auth.keys import KeyRing
from protocol.errors import AUTH_INVALID, UNAVAILABLE, Refusal

MAX_CACHED_TOKENS = 4096
KEY_WAIT_SECONDS = 5.0
MAX_HEADER_CHARS = MAX_TOKEN_BYTES + 64  # a token, its scheme and some spaces


def bearer(header: str) -> str:
    """Return the token in `Bearer x` or `x`. A text that is too long is returned unchanged; the verifier rejects it."""
    if len(header) > MAX_HEADER_CHARS:
        return header
    scheme, *rest = header.split(maxsplit=1) or [""]
    if scheme.lower() == "bearer":
        return rest[0].rstrip() if rest else ""
    return header.strip()


class UnknownKey(Refusal):
    """No key has the `kid` of the token. The issuer may have a new key."""

    def __init__(self) -> None:
        super().__init__(AUTH_INVALID, "The token is signed with a key that is not known here")


class Verifier:
    """Verifies tokens with the keys of a ring. `source` fetches missing keys, if the issuer has a URL for them."""

    def __init__(
        self,
        ring: KeyRing,
        rules: ClaimRules,
        source: JwksSource | None = None,
        *,
        now: Callable[[], float] = time.time,
        max_cached_tokens: int = MAX_CACHED_TOKENS,
    ) -> None:
        self._ring = ring
        self._rules = rules
        self._source = source
        self._now = now
        self._max_cached_tokens = max_cached_tokens
        self._cache: dict[bytes, Claims] = {}
        self._version = ring.version

    def verify(self, token: str) -> Claims:
        """Return the claims of a token. Raise AUTH_INVALID, or UNAVAILABLE until the first key set is fetched."""
        if len(token) > MAX_TOKEN_BYTES or not token.isascii():
            parse(token)  # raises the refusal
        if self._version != self._ring.version:
            self._cache.clear()
            self._version = self._ring.version
        digest = sha256(token.encode()).digest()
        if claims := self._cache.get(digest):
            check_expiry(claims.expires, self._now())
            return claims
        claims = self._verify_uncached(parse(token))
        self._cache_claims(digest, claims)
        return claims

    def cached_claims(self, token: str) -> Claims | None:
        """Return the claims of a token that is cached and still valid, without checking a signature."""
        if len(token) > MAX_TOKEN_BYTES or not token.isascii() or self._version != self._ring.version:
            return None
        claims = self._cache.get(sha256(token.encode()).digest())
        return claims if claims is not None and claims.expires > self._now() else None

    async def verify_or_fetch_keys(self, token: str) -> Claims:
        """Verify a token. If its key is unknown, wait up to KEY_WAIT_SECONDS for the issuer's keys."""
        try:
            return self.verify(token)
        except Refusal as refusal:
            missing = isinstance(refusal, UnknownKey) or refusal.code is UNAVAILABLE
            if self._source is None or not missing or not self._source.request_fetch():
                raise
        await self._source.wait_fetched(KEY_WAIT_SECONDS)
        return self.verify(token)

    def _verify_uncached(self, token: Token) -> Claims:
        algorithm, kid = check_header(token.header)
        key = self._ring.find(kid)
        if key is None:
            raise self._unknown_key_refusal()
        if not key.verifies(algorithm, token.signed, token.signature):
            raise Refusal(AUTH_INVALID, "The token's signature is not valid")
        return read_claims(token.payload, self._rules, self._now(), kid=kid, own_key=key.own)

    def _unknown_key_refusal(self) -> Refusal:
        if self._source is None:
            return UnknownKey()
        self._source.request_fetch()
        if self._ring.empty:
            return Refusal(UNAVAILABLE, "The issuer's keys could not be fetched yet", retry_after=5.0)
        return UnknownKey()

    def _cache_claims(self, digest: bytes, claims: Claims) -> None:
        if not self._max_cached_tokens:
            return
        if len(self._cache) >= self._max_cached_tokens:
            del self._cache[next(iter(self._cache))]
        self._cache[digest] = claims
