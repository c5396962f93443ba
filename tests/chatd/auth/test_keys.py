"""Sources of keys, and values that are not keys."""

from __future__ import annotations

import datetime
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm

from chatd.auth.claims import ClaimRules
from chatd.auth.keys import KeyRing, KeySettings, load_or_make_secret, make_ring
from chatd.auth.public_keys import KeyProblem
from chatd.auth.verifier import Verifier
from protocol.errors import Refusal
from tests.chatd.auth.key_samples import BIG, NOW, SECRET, jwk, jwks, pem, ring, token

OLD, NEW = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


# ---- the server's own secret ----


def test_the_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    secret = load_or_make_secret(path)
    assert len(secret) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_make_secret(path) == secret
    assert os.listdir(tmp_path) == ["secret"]


def test_programs_that_start_at_the_same_time_share_one_secret(tmp_path: Path) -> None:
    found: list[bytes] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        found.append(load_or_make_secret(tmp_path / "secret"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_the_mode_of_a_readable_secret_is_corrected(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(SECRET)
    path.chmod(0o644)
    assert load_or_make_secret(path) == SECRET
    assert path.stat().st_mode & 0o777 == 0o600


def test_invalid_secrets(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"x" * 31)
    (tmp_path / "folder").mkdir()
    for name, why in (("short", "31 bytes"), ("folder", "directory"), ("missing/secret", "cannot make")):
        with pytest.raises(KeyProblem, match=why):
            load_or_make_secret(tmp_path / name)


# ---- the configuration ----


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"secret": "x" * 31}, "auth.secret: 31 bytes"),
        ({"secret": pem(OLD)}, "both configured|found a key"),
        ({"secret": "ssh-rsa " + "A" * 99}, "found a key"),
        ({"secret": json.dumps(jwk(OLD))}, "found a key"),
        ({"keys": {"a": "x" * 31}}, "auth.keys.a: 31 bytes"),
        ({"keys": {"a": "x" * 32, "b": pem(OLD)}}, "both configured"),
        ({"keys": {"chatd": "x" * 32}}, "taken"),
        ({"secret": "x" * 32, "public_key": pem(OLD)}, "both configured"),
        ({"secret": "x" * 32, "jwks_url": "https://id.example/keys"}, "both configured"),
        ({"algorithms": ("HS256", "RS256")}, "RS256 cannot be used with secrets"),
        ({"algorithms": ("none",)}, "none cannot"),
        ({"secret": "x" * 32, "algorithms": ("ES256",)}, "ES256 cannot"),
        ({"public_key": pem(OLD), "algorithms": ("HS256",)}, "HS256 cannot be used with public keys"),
        ({"public_key": pem(OLD), "algorithms": ("RS256",)}, "serves none of RS256"),
        ({"public_key": pem(ec.generate_private_key(ec.SECP256K1()))}, "serves none"),
        ({"public_key": pem(rsa.generate_private_key(public_exponent=65537, key_size=1024))}, "1024 bits"),
        ({"public_key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}, "not a public key"),
        ({"public_key": "nonsense"}, "not a public key"),
        ({"jwks": b"nonsense"}, "not a key set"),
        ({"jwks": b"[" * 100_000}, "not a key set"),
        ({"jwks": b'{"keys": 5}'}, "not a key set"),
        ({"jwks": jwks()}, "no usable"),
        ({"jwks": jwks(jwk(OLD, kid="a"), jwk(NEW, kid="a"))}, "same kid"),
        ({"jwks": jwks(jwk(OLD), jwk(NEW))}, "same kid"),
        ({"jwks": jwks(jwk(OLD, kid="a")), "keys": {"a": pem(NEW)}}, "of that name"),
    ],
)
def test_keys_that_are_rejected_at_the_start(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(KeyProblem, match=why) as caught:
        ring(**settings)
    assert "xxxxx" not in str(caught.value)
    assert "AAAA" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_private_key_is_rejected() -> None:
    private = OLD.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(KeyProblem, match="private"):
        ring(public_key=private)


def test_settings_and_keys_do_not_print_secrets() -> None:
    settings = KeySettings(own_secret=SECRET, secret="hidden" * 8, keys={"a": "hidden" * 8})
    made = make_ring(settings)
    for shown in (repr(settings), repr(made.own), repr(made.find("a")), repr(made.signer)):
        assert "hidden" not in shown
        assert SECRET.decode() not in shown


def test_a_certificate_gives_its_public_key() -> None:
    name = x509.Name([])
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name, name, OLD.public_key(), 5, day, day + datetime.timedelta(days=1))
    certificate = builder.sign(OLD, SHA256()).public_bytes(Encoding.PEM).decode()
    assert verify(ring(public_key=certificate), token(OLD, None)) == 7


# ---- key sets ----


def verify(made: KeyRing, text: str) -> int | str:
    return Verifier(made, ClaimRules(), now=lambda: NOW).verify(text).subject


def test_a_key_set_may_have_keys_of_all_types_and_unusable_ones_are_ignored() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate()
    made = ring(
        jwks=jwks(
            jwk(OLD, kid="ec", alg="ES256", use="sig"),
            jwk(BIG, kid="rsa", key_ops=["verify"]),
            jwk(edwards, kid="ed"),
            jwk(NEW, kid="for encryption", use="enc"),
            jwk(NEW, kid="for another algorithm", alg="ES384"),
            jwk(NEW, kid="to sign", key_ops=["sign"]),
            {**ECAlgorithm.to_jwk(NEW, as_dict=True), "kid": "private"},
            {"kty": "oct", "k": "x" * 43, "kid": "secret"},
            {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "broken"},
            {"kty": ["EC"], "kid": "odd"},
            {"kty": "EC", "kid": 5},
            "no object",
        )
    )
    assert verify(made, token(OLD, "ec")) == verify(made, token(edwards, "ed", "EdDSA")) == 7
    assert verify(made, token(BIG, "rsa", "RS256")) == 7
    for kid in ("for encryption", "for another algorithm", "to sign", "private", "secret", "broken", "odd"):
        with pytest.raises(Refusal, match="not known"):
            verify(made, token(NEW, kid))


def test_a_key_serves_only_the_algorithm_that_its_set_names() -> None:
    made = ring(jwks=jwks(jwk(BIG, kid="a", alg="RS256")), algorithms=("RS256", "RS512"))
    assert verify(made, token(BIG, "a", "RS256")) == 7
    with pytest.raises(Refusal, match="signature"):
        verify(made, token(BIG, "a", "RS512"))


def test_a_token_without_kid_is_checked_with_the_only_key() -> None:
    assert verify(ring(jwks=jwks(jwk(OLD, kid="a"))), token(OLD, None)) == 7
    with pytest.raises(Refusal, match="not known"):
        verify(ring(jwks=jwks(jwk(OLD, kid="a"), jwk(NEW, kid="b"))), token(OLD, None))
