"""Hostile and damaged tokens: each is refused with the code of an invalid token."""

from __future__ import annotations

import math
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth.claims import MAX_USER_ID, Claims
from chatd.auth.keys import KeySettings
from protocol.errors import AUTH_INVALID, Refusal
from tests.chatd.auth.signed_tokens import (
    GOOD,
    KEYS,
    NOW,
    SECRET,
    part,
    pem,
    refused,
    signed,
    untimed,
    verifier,
)

HEADERS: dict[str, Any] = {
    "alg none": {"alg": "none"},
    "alg None": {"alg": "None"},
    "alg missing": {"typ": "JWT"},
    "alg of the other family": {"alg": "RS256"},
    "alg not allowed": {"alg": "HS512"},
    "alg a list": {"alg": ["HS256"]},
    "kid unknown": {"alg": "HS256", "kid": "unknown"},
    "kid a path": {"alg": "HS256", "kid": "../../../dev/null"},
    "kid a number": {"alg": "HS256", "kid": 1},
    "kid repeated": b'{"alg":"HS256","kid":"unknown","kid":"chatd"}',
    "alg repeated": b'{"alg":"none","alg":"HS256"}',
    "crit": {"alg": "HS256", "crit": ["exp"]},
    "b64": {"alg": "HS256", "b64": False},
    "typ refresh": {"alg": "HS256", "typ": "refresh+jwt"},
    "typ logout": {"alg": "HS256", "typ": "logout+jwt"},
    "typ a list": {"alg": "HS256", "typ": ["JWT"]},
    "a list": [],
    "a string": "HS256",
    "not JSON": b"{alg:HS256}",
    "UTF-16": '{"alg":"HS256"}'.encode("utf-16"),
    "bad UTF-8": b'{"alg":"HS256","x":"\xff"}',
}


@pytest.mark.parametrize("name", HEADERS)
def test_hostile_headers(name: str) -> None:
    assert verifier().verify(signed(GOOD, {"alg": "HS256"})).subject == 7
    refused(signed(GOOD, HEADERS[name]))


def test_no_signature_at_all() -> None:
    for header in ({"alg": "none"}, {"alg": "HS256"}):
        text = f"{part(header)}.{part(GOOD)}"
        for token in (text, f"{text}.", f"{text}.AA", f"{text}.{part(b'x' * 32)}"):
            refused(token)


PAYLOADS: dict[str, Any] = {
    "expired": GOOD | {"exp": NOW},
    "no exp": {"sub": "7"},
    "exp null": GOOD | {"exp": None},
    "exp text": GOOD | {"exp": str(NOW + 60)},
    "exp true": GOOD | {"exp": True},
    "exp NaN": GOOD | {"exp": math.nan},
    "exp infinite": GOOD | {"exp": math.inf},
    "exp overflowing": b'{"sub":"7","exp":1e999}',
    "exp 2^63": GOOD | {"exp": 2**63},
    "exp of 5,000 digits": b'{"sub":"7","exp":' + b"9" * 5000 + b"}",
    "exp negative": GOOD | {"exp": -1},
    "exp in milliseconds": GOOD | {"exp": NOW * 1000},
    "exp a list": GOOD | {"exp": [NOW + 60]},
    "exp repeated": b'{"sub":"7","exp":1,"exp":%d}' % (NOW + 60),
    "not yet": GOOD | {"nbf": NOW + 6},
    "nbf text": GOOD | {"nbf": "0"},
    "issued tomorrow": GOOD | {"iat": NOW + 86400},
    "iat NaN": GOOD | {"iat": math.nan},
    "typ": GOOD | {"typ": "Refresh"},
    "type": GOOD | {"type": "refresh"},
    "token_use": GOOD | {"token_use": "refresh_token"},
    "token_use a list": GOOD | {"token_use": ["refresh"]},
    "typ offline": GOOD | {"typ": "Offline"},
    "no user": {"exp": NOW + 60},
    "user true": GOOD | {"user_id": True},
    "user 0": GOOD | {"user_id": 0},
    "user negative": GOOD | {"user_id": -7},
    "user 2^53": GOOD | {"user_id": 2**53},
    "user a fraction": GOOD | {"user_id": 7.0},
    "user null": GOOD | {"user_id": None},
    "user a list": GOOD | {"user_id": [7]},
    "user empty": GOOD | {"user_id": ""},
    "user '0'": GOOD | {"user_id": "0"},
    "user '-7'": GOOD | {"user_id": "-7"},
    "user ' 7'": GOOD | {"user_id": " 7"},
    "user '7 '": GOOD | {"user_id": "7 "},
    "user NUL": GOOD | {"user_id": "a\0b"},
    "user newline": GOOD | {"user_id": "a\nb"},
    "user C1 control": GOOD | {"user_id": "a\x9bb"},
    "user lone surrogate": GOOD | {"user_id": "a\ud800"},
    "user too long": GOOD | {"user_id": "u" * 256},
    "user repeated": b'{"sub":"7","sub":"8","exp":%d}' % (NOW + 60),
    "nbf true": GOOD | {"nbf": True},
    "NaN anywhere": GOOD | {"x": math.nan},
    "a list": [GOOD],
    "a number": 7,
    "not JSON": b"{sub:7}",
    "empty": b"\n",
    "deep": b'{"sub":"7","x":' + b"[" * 5000,
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_payloads(name: str) -> None:
    refused(signed(PAYLOADS[name]))


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "malformed"),
        ("a.b", "malformed"),
        ("a.b.c.d", "malformed"),
        ("..", "malformed"),
        (signed(GOOD) + "\n", "malformed"),
        (" " + signed(GOOD), "malformed"),
        (signed(GOOD) + "=", "malformed"),
        ("é" + signed(GOOD), "malformed"),
        ("\ud800.b.c", "malformed"),
        ("A.A.A", "malformed"),
        (signed(GOOD | {"x": "y" * 9000}), "8192"),
        ("x" * 10_000_000, "8192"),
    ],
)
def test_hostile_shapes(token: str, why: str) -> None:
    with pytest.raises(Refusal, match=why):
        verifier().verify(token)


def test_a_token_just_below_the_longest_is_accepted() -> None:
    token = signed(GOOD | {"x": "y" * 5900})
    assert 8000 < len(token) <= 8192
    assert verifier().verify(token).subject == 7


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_public_key_is_not_an_hmac_secret(algorithm: str) -> None:
    """A known attack: the attacker uses the public key as an HMAC secret."""
    public = pem(KEYS[algorithm])
    check = verifier(KeySettings(own_secret=SECRET, public_key=public))
    for secret in (public.encode(), public.strip().encode()):
        assert "signature" in refused(signed(GOOD, {"alg": "HS256"}, secret), check)
        assert "signature" in refused(signed(GOOD, {"alg": "HS256", "kid": "chatd"}, secret), check)


def test_a_key_in_the_header_is_ignored() -> None:
    attacker = KEYS["ES256"]
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(attacker.public_key(), as_dict=True)
    check = verifier(KeySettings(own_secret=SECRET, public_key=pem(KEYS["ES384"]), algorithms=("ES384", "ES256")))
    headers = {"jwk": jwk, "jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/"}
    refused(jwt.encode(GOOD, attacker, "ES256", headers=headers), check)


@untimed
@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=40))
def test_any_bytes_are_rejected_without_another_error(header: bytes, payload: bytes, signature: bytes) -> None:
    refused(".".join(map(part, (header, payload, signature))))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
CLAIMS = st.sampled_from(["exp", "nbf", "iat", "sub", "user_id", "typ", "roles", "role", "name", "email", "jti", "aud"])


def outcome(token: str) -> Claims | Refusal:
    try:
        return verifier().verify(token)
    except Refusal as refusal:
        return refusal


@untimed
@given(st.dictionaries(CLAIMS, JSON))
def test_any_signed_claims_give_a_user_or_a_refusal(claims: dict[str, Any]) -> None:
    """Any claims of an issuer give a user that can be stored, or AUTH_INVALID."""
    found = outcome(signed(claims))
    if isinstance(found, Refusal):
        assert found.code is AUTH_INVALID
    else:
        assert isinstance(found.subject, str) or 0 < found.subject <= MAX_USER_ID
        for text in (found.subject, found.name, found.email, found.token_id):
            str(text).encode()
