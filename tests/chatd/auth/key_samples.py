"""Shared by the tests of keys: private keys, their forms, and tokens that they sign."""

from __future__ import annotations

import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from chatd.auth.keys import KeyRing, KeySettings, make_ring

NOW = 1_800_000_000.0
SECRET = b"0123456789abcdef0123456789abcdef"
GOOD = {"sub": "7", "exp": NOW + 600}
BIG = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(private: Any) -> str:
    data: bytes = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return data.decode()


def jwk(private: Any, **more: Any) -> dict[str, Any]:
    kinds = [(ec.EllipticCurvePrivateKey, ECAlgorithm), (rsa.RSAPrivateKey, RSAAlgorithm)]
    kind: Any = next((reader for key, reader in kinds if isinstance(private, key)), OKPAlgorithm)
    return {**kind.to_jwk(private.public_key(), as_dict=True), **more}


def jwks(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def ring(**settings: Any) -> KeyRing:
    return make_ring(KeySettings(own_secret=SECRET, **settings))


def token(private: Any, kid: str | None, algorithm: str = "ES256") -> str:
    return jwt.encode(GOOD, private, algorithm, headers={"kid": kid} if kid else None)
