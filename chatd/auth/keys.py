"""The keys that verify tokens: the server's own key, and the configured keys.

The `kid` in the token's header selects the key. It is a name in this table, never a path or a URL:

    kid            key
    chatd          the server's own key
    a known name   the key of that name
    another name   the public key that is configured without a name (issuers put a kid in every token)
    none           the key without a name; or the only key
    else           none: the token is rejected, and a key set with a URL is fetched again

All keys are of one family. With secrets (or nothing) configured, the own key is the data directory's secret itself,
under HS256. With public keys configured, the own key is an Ed25519 key derived from that secret. So a server that
trusts an issuer's public keys accepts no HMAC signature.
"""

from __future__ import annotations

import hmac
import os
import secrets as randomness
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from chatd.auth.jws import ASYMMETRIC_ALGORITHMS, HMAC_ALGORITHMS, Signer, VerificationKey, pyjwt_algorithm
from chatd.auth.public_keys import KeyProblem, KeySet, read_jwks, read_pem

OWN_KID = "chatd"
MIN_SECRET_BYTES = 32
OWN_KEY_CONTEXT = b"chatd: the Ed25519 key that signs own tokens"


class KeySettings(Struct, frozen=True):
    """The configured keys. `keys` has secrets or PEM public keys by kid; `public_key` is PEM."""

    own_secret: bytes
    secret: str = ""
    keys: Mapping[str, str] = {}
    public_key: str = ""
    jwks: bytes = b""
    jwks_url: str = ""
    algorithms: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"KeySettings(keys={sorted(self.keys)}, algorithms={self.algorithms})"

    @property
    def public(self) -> bool:
        """Return whether public-key algorithms sign the tokens."""
        return bool(self.public_key or self.jwks or self.jwks_url or any(map(is_pem, self.keys.values())))

    @property
    def foreign(self) -> bool:
        """Return whether another issuer issues tokens too."""
        return bool(self.public or self.secret or self.keys)


class KeyRing:
    """The keys by name. `version` increases when the issuer's keys are replaced."""

    def __init__(self, own: VerificationKey, signer: Signer, algorithms: frozenset[str], keys: KeySet) -> None:
        self.own = own
        self.signer = signer
        self.algorithms = algorithms
        self.version = 0
        self._configured = keys
        self._keys = keys

    def find(self, kid: str | None) -> VerificationKey | None:
        """Return the key for a token's `kid`; None if no key matches."""
        if kid == OWN_KID:
            return self.own
        if kid is None:
            return self._keys.unnamed or self._only_key()
        if found := self._keys.named.get(kid):
            return found
        unnamed = self._keys.unnamed
        return unnamed if unnamed and unnamed.algorithms <= ASYMMETRIC_ALGORITHMS else None

    def replace_issuer_keys(self, fetched: KeySet) -> None:
        """Take over the issuer's fetched keys. The configured keys stay."""
        unnamed = self._configured.unnamed or fetched.unnamed
        self._keys = KeySet(named={**fetched.named, **self._configured.named}, unnamed=unnamed)
        self.version += 1

    @property
    def empty(self) -> bool:
        """Return whether no issuer's key is known yet."""
        return not self._keys.named and self._keys.unnamed is None

    def _only_key(self) -> VerificationKey | None:
        keys = list(self._keys.named.values())
        return keys[0] if len(keys) == 1 else None


def load_or_make_secret(path: Path) -> bytes:
    """Read the data directory's secret, or make it: 32 random bytes that only the owner may read."""
    if not path.exists():
        _make_secret(path)
    try:
        secret = path.read_bytes()
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise KeyProblem(f"{path}: {error.strerror}; chatd must own and read its secret") from None
    if len(secret) < MIN_SECRET_BYTES:
        raise KeyProblem(
            f"{path}: {len(secret)} bytes, expected at least {MIN_SECRET_BYTES}; remove it and chatd makes a new one"
        )
    return secret


def _make_secret(path: Path) -> None:
    """Write the secret atomically. Two programs that start at the same time use the secret of the first one."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{randomness.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(randomness.token_bytes(MIN_SECRET_BYTES))
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        finally:
            draft.unlink()
    except FileExistsError:
        pass
    except OSError as error:
        raise KeyProblem(f"{path}: cannot make the secret: {error.strerror}") from None


def is_pem(text: str) -> bool:
    """Return whether a configured key is in PEM. Otherwise it is a secret."""
    return "-----BEGIN " in text


def make_ring(settings: KeySettings) -> KeyRing:
    """Load and check each configured key. A KeyProblem names the setting, never its value."""
    algorithms = _algorithms(settings)
    own, signer = _own_key(settings.own_secret, public=settings.public)
    if OWN_KID in settings.keys:
        raise KeyProblem(f"auth.keys: the name {OWN_KID!r} is taken by the server's own key")
    if settings.public:
        keys = _public_keys(settings, algorithms)
    elif settings.foreign:
        keys = _secrets(settings, algorithms)
    else:
        keys = KeySet(named={}, unnamed=own)
    return KeyRing(own, signer, algorithms, keys)


def _algorithms(settings: KeySettings) -> frozenset[str]:
    """Return the allowed algorithms. They belong to one family, and the keys belong to it too."""
    if settings.public and (settings.secret or not all(map(is_pem, settings.keys.values()))):
        raise KeyProblem("auth: secrets and public keys are both configured, expected one kind only")
    family, usual = (
        (ASYMMETRIC_ALGORITHMS, ("RS256", "ES256", "EdDSA")) if settings.public else (HMAC_ALGORITHMS, ("HS256",))
    )
    chosen = frozenset(settings.algorithms or usual)
    if unsupported := sorted(chosen - family):
        kind = "public keys" if settings.public else "secrets"
        raise KeyProblem(f"auth.algorithms: {', '.join(unsupported)} cannot be used with {kind}")
    return chosen


def _own_key(secret: bytes, *, public: bool) -> tuple[VerificationKey, Signer]:
    if not public:
        own = VerificationKey(OWN_KID, frozenset(("HS256",)), secret, own=True)
        return own, Signer(OWN_KID, "HS256", lambda signed: hmac.digest(secret, signed, "sha256"))
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(hmac.digest(secret, OWN_KEY_CONTEXT, "sha256"))
    own = VerificationKey(OWN_KID, frozenset(("EdDSA",)), private.public_key(), own=True)
    return own, Signer(OWN_KID, "EdDSA", lambda signed: bytes(pyjwt_algorithm("EdDSA").sign(signed, private)))


def _secrets(settings: KeySettings, algorithms: frozenset[str]) -> KeySet:
    named = {
        kid: VerificationKey(kid, algorithms, _check_secret(text, f"auth.keys.{kid}"))
        for kid, text in settings.keys.items()
    }
    unnamed = (
        VerificationKey(None, algorithms, _check_secret(settings.secret, "auth.secret")) if settings.secret else None
    )
    return KeySet(named=named, unnamed=unnamed)


def _check_secret(text: str, setting: str) -> bytes:
    secret = text.encode()
    if is_pem(text) or text.lstrip().startswith(("ssh-", "ecdsa-sha2-", "{")):
        raise KeyProblem(f"{setting}: found a key or JSON, expected a secret of at least {MIN_SECRET_BYTES} bytes")
    if len(secret) < MIN_SECRET_BYTES:
        raise KeyProblem(f"{setting}: {len(secret)} bytes, expected at least {MIN_SECRET_BYTES}")
    return secret


def _public_keys(settings: KeySettings, algorithms: frozenset[str]) -> KeySet:
    named = {kid: read_pem(text, kid, algorithms, f"auth.keys.{kid}") for kid, text in settings.keys.items()}
    unnamed = read_pem(settings.public_key, None, algorithms, "auth.public_key") if settings.public_key else None
    if not settings.jwks:
        return KeySet(named=named, unnamed=unnamed)
    fixed = read_jwks(settings.jwks, algorithms, "auth.jwks_file")
    if both := sorted(fixed.named.keys() & named.keys()):
        raise KeyProblem(f"auth.keys.{both[0]}: the key set has a key of that name as well")
    return KeySet(named={**named, **fixed.named}, unnamed=unnamed or fixed.unnamed)
