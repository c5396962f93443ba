"""Shared by the tests of tokens: keys, tokens with any header and payload, and verifiers."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, settings

from chatd.auth.claims import ClaimRules
from chatd.auth.keys import KeySettings, make_ring
from chatd.auth.verifier import Verifier
from protocol.errors import AUTH_INVALID, Refusal

untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NOW = 1_800_000_000.0
SECRET = b"0123456789abcdef0123456789abcdef"
GOOD = {"sub": "7", "exp": NOW + 60}

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS: dict[str, Any] = {
    "RS256": RSA_KEY,
    "RS512": RSA_KEY,
    "PS256": RSA_KEY,
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def pem(private: Any) -> str:
    data: bytes = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return data.decode()


def part(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(payload: Any, header: Any = None, secret: bytes = SECRET) -> str:
    """Sign any bytes with HS256, as a faulty issuer may, or an attacker who has the secret."""
    text = f"{part({'alg': 'HS256', 'typ': 'JWT'} if header is None else header)}.{part(payload)}"
    return f"{text}.{part(hmac.digest(secret, text.encode(), 'sha256'))}"


def verifier(settings: KeySettings | None = None, rules: ClaimRules | None = None, **more: Any) -> Verifier:
    ring = make_ring(settings or KeySettings(own_secret=SECRET))
    return Verifier(ring, rules or ClaimRules(), now=lambda: NOW, **more)


def refused(token: str, check: Verifier | None = None) -> str:
    """Return the message of the refusal. The message must not quote the token."""
    with pytest.raises(Refusal) as caught:
        (check or verifier()).verify(token)
    assert caught.value.code is AUTH_INVALID
    for piece in token.split("."):
        assert len(piece) < 8 or piece not in caught.value.message
    return caught.value.message


def halves(token: str) -> tuple[bytes, bytes]:
    head, _, signature = token.rpartition(".")
    return head.encode(), base64.urlsafe_b64decode(signature + "==")
