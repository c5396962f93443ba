"""Public keys of issuers: PEM, certificates, and JSON Web Key Sets (RFC 7517).

Each key gets its allowed algorithms here, once. These are the algorithms of its type that the allow-list has. If the
key set names an `alg`, only this one is allowed. Many key sets have keys of no use here (for encryption, or of other
types). They are ignored. Secret and private keys in a key set are ignored too: a published secret is not a secret.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Problem
from typing import Any

from msgspec import Struct

from chatd.auth.jws import VerificationKey

MIN_RSA_BITS = 2048
RSA_ALGORITHMS = frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"))
CURVE_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


class KeyProblem(ValueError):
    """A key is unusable. The message is one line: the setting, the value found and the value expected."""


class KeySet(Struct, frozen=True):
    """Keys by name, and the key without a name."""

    named: dict[str, VerificationKey]
    unnamed: VerificationKey | None = None


def read_pem(text: str, kid: str | None, algorithms: frozenset[str], setting: str) -> VerificationKey:
    """Read the public key in a PEM text, which may be a certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if "PRIVATE KEY-----" in text:
        raise KeyProblem(f"{setting}: found a private key, expected the public one")
    try:
        data = text.encode()
        if "BEGIN CERTIFICATE" in text:
            material: Any = x509.load_pem_x509_certificate(data).public_key()
        else:
            material = load_pem_public_key(data)
    except Exception as error:
        raise KeyProblem(f"{setting}: not a public key in PEM ({type(error).__name__})") from None
    return _make_key(material, kid, algorithms, setting)


def read_jwks(document: bytes, algorithms: frozenset[str], setting: str) -> KeySet:
    """Read the usable keys of a key set.

    Raise KeyProblem if the document is invalid, two keys have the same name, or no key is usable.
    """
    try:
        entries = json.loads(document)["keys"]
        members = [entry for entry in entries if isinstance(entry, dict)]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise KeyProblem(f'{setting}: not a key set, expected {{"keys": [...]}}') from None
    keys = [key for member in members if (key := _read_jwk(member, algorithms, setting))]
    if not keys:
        raise KeyProblem(f"{setting}: no usable public key for {', '.join(sorted(algorithms))}")
    named = {key.kid: key for key in keys if key.kid is not None}
    unnamed = [key for key in keys if key.kid is None]
    if len(named) + min(len(unnamed), 1) != len(keys):
        raise KeyProblem(f"{setting}: two keys have the same kid, or none")
    return KeySet(named=named, unnamed=unnamed[0] if unnamed else None)


def _read_jwk(member: dict[str, Any], algorithms: frozenset[str], setting: str) -> VerificationKey | None:
    """Read one entry; None if the key is not usable."""
    from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
    from jwt.exceptions import InvalidKeyError

    readers: dict[Any, Any] = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm}
    kid = member.get("kid")
    reader = readers.get(member.get("kty")) if isinstance(member.get("kty"), str) else None
    operations = member.get("key_ops", ["verify"])
    for_signatures = member.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
    if reader is None or not for_signatures or not isinstance(kid, str | None):
        return None
    if "alg" in member:
        algorithms = algorithms & {str(member["alg"])}
    try:
        return _make_key(reader.from_jwk(member), kid, algorithms, setting)
    except (InvalidKeyError, ValueError, TypeError, KeyError, Base64Problem):
        return None


def _make_key(material: Any, kid: str | None, algorithms: frozenset[str], setting: str) -> VerificationKey:
    fitting = _supported_algorithms(material, setting) & algorithms
    if not fitting:
        raise KeyProblem(f"{setting}: the key serves none of {', '.join(sorted(algorithms))}")
    return VerificationKey(kid, fitting, material)


def _supported_algorithms(material: Any, setting: str) -> frozenset[str]:
    """Return the algorithms that a public key supports by its type and size."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    if isinstance(material, RSAPublicKey):
        if material.key_size < MIN_RSA_BITS:
            raise KeyProblem(f"{setting}: RSA of {material.key_size} bits, expected at least {MIN_RSA_BITS}")
        return RSA_ALGORITHMS
    if isinstance(material, EllipticCurvePublicKey):
        return frozenset((CURVE_ALGORITHMS.get(material.curve.name, ""),))
    return frozenset(("EdDSA",)) if isinstance(material, Ed25519PublicKey | Ed448PublicKey) else frozenset()
