"""The configuration makes a verifier and an issuer, or one line that names the fault."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chatd.auth.identity import Identity, open_identity
from chatd.config.kinds import Secret
from chatd.config.load import ConfigError
from chatd.config.settings import AuthSettings, Config
from protocol.errors import Refusal

NOW = 1_800_000_000.0
SHARED = Secret("a secret that is shared with an issuer, and long enough for any algorithm")
PRIVATE = ed25519.Ed25519PrivateKey.generate()
PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
JWKS = json.dumps({"keys": [jwt.algorithms.OKPAlgorithm.to_jwk(PRIVATE.public_key(), as_dict=True) | {"kid": "one"}]})


def identity(folder: Path, **auth: Any) -> Identity:
    return open_identity(Config(auth=AuthSettings(**auth)), folder, now=lambda: NOW)


def foreign(key: Any = SHARED, algorithm: str = "HS256", kid: str | None = None, **claims: Any) -> str:
    claims = {"sub": "7", "exp": NOW + 60, **claims}
    return jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else None)


def test_without_configuration_the_own_secret_signs_and_is_kept(tmp_path: Path) -> None:
    made = identity(tmp_path)
    token = made.issuer.access(1, ttl=60)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert identity(tmp_path).verifier.verify(token).subject == 1
    assert (made.source, made.foreign, made.provision) == (None, False, False)
    assert made.verifier.verify(foreign((tmp_path / "secret").read_bytes())).foreign


@pytest.mark.parametrize(
    ("auth", "token"),
    [
        ({"secret": SHARED}, foreign()),
        ({"keys": {"one": SHARED}}, foreign(kid="one")),
        ({"secret": SHARED, "algorithms": ("HS512",)}, foreign(algorithm="HS512")),
        ({"public_key": PEM}, foreign(PRIVATE, "EdDSA")),
        ({"keys": {"one": Secret(PEM)}}, foreign(PRIVATE, "EdDSA", "one")),
    ],
)
def test_foreign_keys_make_users(tmp_path: Path, auth: dict[str, Any], token: str) -> None:
    made = identity(tmp_path, **auth)
    assert made.verifier.verify(token).subject == 7
    assert made.verifier.verify(made.issuer.access(1, ttl=60)).subject == 1, "own tokens stay valid"
    assert (made.foreign, made.provision) == (True, True)
    assert not identity(tmp_path, provision="off", **auth).provision


def test_keys_in_files(tmp_path: Path) -> None:
    pem, jwks = tmp_path / "key.pem", tmp_path / "jwks.json"
    pem.write_text(PEM)
    jwks.write_text(JWKS)
    assert identity(tmp_path, public_key=str(pem)).verifier.verify(foreign(PRIVATE, "EdDSA")).subject == 7
    assert identity(tmp_path, jwks_file=str(jwks)).verifier.verify(foreign(PRIVATE, "EdDSA", "one")).subject == 7


def test_a_key_set_with_a_url_has_a_source(tmp_path: Path) -> None:
    made = identity(tmp_path, jwks_url="https://issuer.example/jwks")
    assert made.source is not None
    assert (made.foreign, made.provision) == (True, True)


def test_the_required_claims_are_settings(tmp_path: Path) -> None:
    made = identity(tmp_path, secret=SHARED, issuer="me", audience="you", user_claims=("uid",), leeway=0.0)
    good: dict[str, Any] = {"iss": "me", "aud": "you", "uid": 9}
    assert made.verifier.verify(foreign(**good)).subject == 9
    for wrong in ({"iss": "them"}, {"aud": "them"}, {"uid": -1}, {"iat": NOW + 1}):
        with pytest.raises(Refusal):
            made.verifier.verify(foreign(**good | wrong))


def test_an_own_token_of_the_next_second_is_valid(tmp_path: Path) -> None:
    made = identity(tmp_path, leeway=0.0)
    assert made.verifier.verify(made.issuer.access(1, ttl=60, issued=int(NOW) + 1)).issued == NOW + 1


@pytest.mark.parametrize(
    ("auth", "line"),
    [
        ({"secret": Secret("short")}, "auth.secret: 5 bytes, expected at least 32"),
        ({"keys": {"chatd": SHARED}}, "auth.keys: the name 'chatd' is taken"),
        ({"secret": SHARED, "public_key": PEM}, "auth: secrets and public keys are both configured"),
        ({"secret": SHARED, "algorithms": ("RS256",)}, "auth.algorithms: RS256 cannot be used with secrets"),
        ({"public_key": "nowhere.pem"}, r"auth.public_key: 'nowhere.pem' cannot be read \(No such file"),
        ({"public_key": "a\0b"}, "auth.public_key: .* cannot be read"),
        ({"public_key": "-----BEGIN PUBLIC KEY-----"}, "auth.public_key: not a public key in PEM"),
        ({"jwks_file": "nowhere.json"}, "auth.jwks_file: 'nowhere.json' cannot be read"),
        ({"jwks_url": "file:///etc/passwd"}, "auth.jwks_url: expected an address"),
        ({"jwks_url": "https://[x"}, "auth.jwks_url: expected an address"),
    ],
)
def test_a_fault_is_one_line_that_names_the_setting(tmp_path: Path, auth: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError, match=line) as found:
        identity(tmp_path, **auth)
    assert "\n" not in str(found.value)
    assert str(SHARED) not in str(found.value)


def test_an_empty_key_set_and_a_short_secret(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    with pytest.raises(ConfigError, match=r"auth.jwks_file: .* is empty"):
        identity(tmp_path, jwks_file=str(tmp_path / "empty"))
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(ConfigError, match=r"secret: 5 bytes, expected at least 32"):
        identity(tmp_path)


def test_the_digest_of_an_address_depends_on_the_secret(tmp_path: Path) -> None:
    one, other = identity(tmp_path), tmp_path / "other"
    other.mkdir()
    assert one.address_digest("192.0.2.1") == identity(tmp_path).address_digest("192.0.2.1")
    assert one.address_digest("192.0.2.1") != one.address_digest("192.0.2.2")
    assert one.address_digest("192.0.2.1") != identity(other).address_digest("192.0.2.1")
