"""Whose tokens are believed: the configuration and the data directory's secret, made into a verifier and an issuer.

Whatever is wrong with a key is a ConfigError: one line that names the setting.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from chatd.auth.claims import ClaimRules
from chatd.auth.jwks import JwksSource
from chatd.auth.keys import SHORTEST_SECRET, KeyRing, KeySettings, is_pem, load_or_make_secret, make_ring
from chatd.auth.tokens import Issuer
from chatd.auth.verifier import Verifier
from chatd.config.load import ConfigError
from chatd.config.settings import AuthSettings, Config
from chatd.telemetry.log import log

SECRET_NAME = "secret"  # noqa: S105 - the name of its file
PLACES = b"chatd: the addresses from which users sign in"


class Identity(Struct, frozen=True):
    """What the rest of the house needs to know of tokens.

    `source` is where the issuer's keys come from, if they have an address: its `run` is a task of the top nursery.
    `foreign` says whether anybody but this server issues tokens, `provision` whether those make users.
    """

    verifier: Verifier
    issuer: Issuer
    source: JwksSource | None
    foreign: bool
    provision: bool
    place_key: bytes

    def place_of(self, address: str) -> str:
        """What is kept of an address: there are so few addresses that a digest without a key would tell them."""
        return hmac.digest(self.place_key, address.encode(), "sha256").hex()


def open_identity(config: Config, folder: Path, *, now: Callable[[], float] = time.time) -> Identity:
    """Read or make every key. `folder` is the data directory; it is there."""
    auth = config.auth
    try:
        settings = key_settings(auth, load_or_make_secret(folder / SECRET_NAME))
        ring = make_ring(settings)
        source = key_source(auth, ring)
    except ValueError as problem:  # KeyProblem is one
        raise ConfigError(str(problem)) from None
    rules = ClaimRules(auth.user_claims, auth.issuer, auth.audience, auth.leeway)
    provision = {"on": True, "off": False, "auto": settings.foreign}[auth.provision]
    verifier = Verifier(ring, rules, source, now=now)
    place_key = hmac.digest(settings.own_secret, PLACES, "sha256")
    return Identity(verifier, Issuer(ring.signer, now=now), source, settings.foreign, provision, place_key)


def check_keys(auth: AuthSettings) -> None:
    """Read and check every configured key, and make none; a ConfigError names the setting."""
    try:
        make_ring(key_settings(auth, bytes(SHORTEST_SECRET)))
    except ValueError as problem:
        raise ConfigError(str(problem)) from None


def key_settings(auth: AuthSettings, own_secret: bytes) -> KeySettings:
    """Every key that is configured, read from where it is."""
    return KeySettings(
        own_secret=own_secret,
        secret=auth.secret,
        keys=auth.keys,
        public_key=_pem(auth.public_key),
        jwks=_read(auth.jwks_file, "auth.jwks_file") if auth.jwks_file else b"",
        jwks_url=auth.jwks_url,
        algorithms=auth.algorithms,
    )


def key_source(auth: AuthSettings, ring: KeyRing) -> JwksSource | None:
    if not auth.jwks_url:
        return None
    return JwksSource(auth.jwks_url, ring, warn=log.warning, every=auth.jwks_refresh)


def _pem(given: str) -> str:
    """The key itself: as it was given, or from the file that was named."""
    if not given or is_pem(given):
        return given
    return _read(given, "auth.public_key").decode("latin-1")


def _read(path: str, setting: str) -> bytes:
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "no path"
        raise ConfigError(f"{setting}: {path!r} cannot be read ({reason})") from None
    if not data.strip():
        raise ConfigError(f"{setting}: {path!r} is empty")
    return data
