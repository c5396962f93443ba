"""Identity: makes the verifier and the issuer from the configuration and the data directory's secret.

A fault in a key raises a ConfigError: one line that names the setting.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from chatd.auth.claims import ClaimRules
from chatd.auth.jwks import JwksSource
from chatd.auth.keys import MIN_SECRET_BYTES, KeyRing, KeySettings, is_pem, load_or_make_secret, make_ring
from chatd.auth.tokens import Issuer
from chatd.auth.verifier import Verifier
from chatd.config.load import ConfigError
from chatd.config.settings import AuthSettings, Config
from chatd.telemetry.log import log

SECRET_FILE_NAME = "secret"  # noqa: S105 - the name of its file
LINK_KEY_CONTEXT = b"chatd: signed links of files"
ADDRESS_KEY_CONTEXT = b"chatd: the addresses from which users sign in"


class Identity(Struct, frozen=True):
    """The objects that verify and issue tokens, for the rest of the app.

    `source` fetches the issuer's keys, if they have a URL; its `run` is a task of the top nursery.
    `foreign`: another issuer issues tokens too. `provision`: foreign tokens make users.
    """

    verifier: Verifier
    issuer: Issuer
    source: JwksSource | None
    foreign: bool
    provision: bool
    address_key: bytes
    link_key: bytes

    def address_digest(self, address: str) -> str:
        """Return the digest of an IP address that the store keeps.

        The digest has a key, because there are few addresses: a digest without a key could be reversed by trying them.
        """
        return hmac.digest(self.address_key, address.encode(), "sha256").hex()


def open_identity(config: Config, folder: Path, *, now: Callable[[], float] = time.time) -> Identity:
    """Read or make each key. `folder` is the data directory; it must exist."""
    auth = config.auth
    try:
        settings = key_settings(auth, load_or_make_secret(folder / SECRET_FILE_NAME))
        ring = make_ring(settings)
        source = make_key_source(auth, ring)
    except ValueError as error:  # KeyProblem is one
        raise ConfigError(str(error)) from None
    rules = ClaimRules(auth.user_claims, auth.issuer, auth.audience, auth.leeway)
    provision = {"on": True, "off": False, "auto": settings.foreign}[auth.provision]
    verifier = Verifier(ring, rules, source, now=now)
    address_key = hmac.digest(settings.own_secret, ADDRESS_KEY_CONTEXT, "sha256")
    link_key = hmac.digest(settings.own_secret, LINK_KEY_CONTEXT, "sha256")
    return Identity(verifier, Issuer(ring.signer, now=now), source, settings.foreign, provision, address_key, link_key)


def check_keys(auth: AuthSettings) -> None:
    """Read and check each configured key without making one. A ConfigError names the setting."""
    try:
        make_ring(key_settings(auth, bytes(MIN_SECRET_BYTES)))
    except ValueError as error:
        raise ConfigError(str(error)) from None


def key_settings(auth: AuthSettings, own_secret: bytes) -> KeySettings:
    """Collect the configured keys. Read the keys that are in files."""
    return KeySettings(
        own_secret=own_secret,
        secret=auth.secret,
        keys=auth.keys,
        public_key=_load_pem(auth.public_key),
        jwks=_read(auth.jwks_file, "auth.jwks_file") if auth.jwks_file else b"",
        jwks_url=auth.jwks_url,
        algorithms=auth.algorithms,
    )


def make_key_source(auth: AuthSettings, ring: KeyRing) -> JwksSource | None:
    if not auth.jwks_url:
        return None
    return JwksSource(auth.jwks_url, ring, warn=log.warning, refresh_seconds=auth.jwks_refresh)


def _load_pem(given: str) -> str:
    """Return the key in PEM, from the setting itself or from the file that the setting names."""
    if not given or is_pem(given):
        return given
    return _read(given, "auth.public_key").decode("latin-1")


def _read(path: str, setting: str) -> bytes:
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a valid path"
        raise ConfigError(f"{setting}: {path!r} cannot be read ({reason})") from None
    if not data.strip():
        raise ConfigError(f"{setting}: {path!r} is empty")
    return data
