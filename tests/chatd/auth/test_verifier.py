"""The verifier accepts the tokens of the server and of other issuers, and verifies each signature once."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth.claims import MAX_USER_ID, ClaimRules, Claims
from chatd.auth.jws import MAX_TOKEN_BYTES, parse
from chatd.auth.keys import KeySettings, make_ring
from chatd.auth.tokens import Issuer, make_refresh_token, parse_refresh_token
from chatd.auth.verifier import MAX_HEADER_CHARS, UnknownKey, Verifier, bearer
from protocol.errors import Refusal
from tests.chatd.auth.signed_tokens import (
    GOOD,
    KEYS,
    NOW,
    RSA_KEY,
    SECRET,
    halves,
    part,
    pem,
    refused,
    signed,
    verifier,
)

# ---- valid tokens ----


def test_an_own_token_has_all_claims() -> None:
    ring = make_ring(KeySettings(own_secret=SECRET))
    token = Issuer(ring.signer, now=lambda: NOW).access(7, name="ann", admin=True, ttl=60, token_id="t1")
    assert Verifier(ring, ClaimRules(), now=lambda: NOW).verify(token) == Claims(
        subject=7,
        expires=NOW + 60,
        admin=True,
        foreign=False,
        name="ann",
        issued=NOW,
        token_id="t1",
        kid="chatd",
        own_key=True,
    )


def test_other_libraries_can_read_an_own_token() -> None:
    token = Issuer(make_ring(KeySettings(own_secret=SECRET)).signer).access(7, ttl=60)
    payload = jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": ["exp", "iat", "jti"]})
    assert payload["sub"] == "7"


def test_a_short_token_is_valid_for_its_whole_time() -> None:
    ring = make_ring(KeySettings(own_secret=SECRET))
    token = Issuer(ring.signer, now=lambda: NOW + 0.9).access(7, ttl=1)
    assert Verifier(ring, ClaimRules(), now=lambda: NOW + 1.8).verify(token).subject == 7


def test_each_own_token_has_an_id_of_its_own() -> None:
    issuer = Issuer(make_ring(KeySettings(own_secret=SECRET)).signer)
    assert issuer.access(7, ttl=60) != issuer.access(7, ttl=60)


@pytest.mark.parametrize("user_id", [0, -1, MAX_USER_ID + 1])
def test_no_token_is_made_for_an_invalid_user_id(user_id: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        Issuer(make_ring(KeySettings(own_secret=SECRET)).signer).access(user_id, ttl=60)


def test_a_token_signed_with_the_own_secret_is_own_only_with_the_own_issuer() -> None:
    assert verifier().verify(signed(GOOD)).foreign
    assert not verifier().verify(signed(GOOD | {"iss": "chatd"})).foreign
    configured = verifier(KeySettings(own_secret=b"o" * 32, secret=SECRET.decode()))
    assert configured.verify(signed(GOOD | {"iss": "chatd"})).foreign


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_symmetric_algorithms(algorithm: str) -> None:
    secret = "s" * 64
    check = verifier(KeySettings(own_secret=SECRET, secret=secret, algorithms=(algorithm,)))
    assert check.verify(jwt.encode(GOOD, secret, algorithm)).subject == 7


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_asymmetric_algorithms(algorithm: str) -> None:
    check = verifier(KeySettings(own_secret=SECRET, public_key=pem(KEYS[algorithm]), algorithms=(algorithm,)))
    token = jwt.encode(GOOD, KEYS[algorithm], algorithm)
    assert check.verify(token).subject == 7
    head, _, signature = token.rpartition(".")
    for spoilt in (part(b""), part(b"x"), part(bytes(64)), part(bytes(256)), "A" + signature[1:-1] + "AA"):
        refused(f"{head}.{spoilt or 'A'}", check)


def test_a_key_without_a_name_serves_any_kid_of_the_issuer() -> None:
    check = verifier(KeySettings(own_secret=SECRET, public_key=pem(KEYS["ES256"])))
    assert check.verify(jwt.encode(GOOD, KEYS["ES256"], "ES256", headers={"kid": "2024-1"})).subject == 7


def test_several_secrets_by_kid() -> None:
    check = verifier(KeySettings(own_secret=SECRET, keys={"a": "a" * 32, "b": "b" * 32}))
    assert check.verify(jwt.encode(GOOD, "a" * 32, headers={"kid": "a"})).kid == "a"
    assert check.verify(jwt.encode(GOOD, "b" * 32, headers={"kid": "b"})).kid == "b"
    assert "signature" in refused(jwt.encode(GOOD, "a" * 32, headers={"kid": "b"}), check)
    assert "not known" in refused(jwt.encode(GOOD, "a" * 32), check)


def test_own_tokens_beside_an_issuers_public_key_are_of_the_same_family() -> None:
    settings = KeySettings(own_secret=SECRET, public_key=pem(RSA_KEY))
    ring = make_ring(settings)
    token = Issuer(ring.signer, now=lambda: NOW).access(7, ttl=60)
    check = Verifier(ring, ClaimRules(issuer="https://id.example", audience="chat"), now=lambda: NOW)
    assert jwt.get_unverified_header(token)["alg"] == "EdDSA"
    assert not check.verify(token).foreign
    refused(signed(GOOD), check)
    refused(signed(GOOD, {"alg": "HS256", "kid": "chatd"}), check)
    assert make_ring(settings).own.verifies("EdDSA", *halves(token)), "the derived key outlives a restart"


# ---- the cache ----


def counting(check: Verifier, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    calls = []
    verify_uncached = check._verify_uncached

    def counted(token: Any) -> Claims:
        calls.append(token)
        return verify_uncached(token)

    monkeypatch.setattr(check, "_verify_uncached", counted)
    return lambda: len(calls)


def test_a_signature_is_verified_once_until_the_token_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    now = NOW
    check = Verifier(make_ring(KeySettings(own_secret=SECRET)), ClaimRules(), now=lambda: now)
    verified = counting(check, monkeypatch)
    token = signed(GOOD)
    assert check.verify(token) == check.verify(token)
    assert verified() == 1
    now = NOW + 60
    assert "expired" in refused(token, check)


def test_invalid_tokens_are_not_cached_and_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    check = verifier(max_cached_tokens=2)
    verified = counting(check, monkeypatch)
    tokens = [signed(GOOD | {"jti": str(number)}) for number in range(3)]
    for token in (*tokens, tokens[2], tokens[0]):
        check.verify(token)
    assert verified() == 4, "the third replaced the first"
    for _ in range(2):
        refused(signed({}), check)
    assert verified() == 6


def test_an_unknown_key_has_an_error_of_its_own() -> None:
    with pytest.raises(UnknownKey):
        verifier().verify(signed(GOOD, {"alg": "HS256", "kid": "new"}))


# ---- headers and refresh tokens ----


@pytest.mark.parametrize(
    ("shown", "token"),
    [
        ("Bearer a.b.c", "a.b.c"),
        ("bearer  a.b.c ", "a.b.c"),
        ("BEARER\ta.b.c", "a.b.c"),
        ("a.b.c", "a.b.c"),
        ("Bearer", ""),
        ("Bearer ", ""),
        ("", ""),
        ("bearera.b.c", "bearera.b.c"),
        ("Basic YTpi", "Basic YTpi"),
        ("Bearer Bearer a", "Bearer a"),
    ],
)
def test_bearer(shown: str, token: str) -> None:
    assert bearer(shown) == token


def test_refresh_tokens_are_random_and_their_digests_do_not_contain_them() -> None:
    one, other = make_refresh_token(), make_refresh_token()
    assert len({one.family, one.secret, other.family, other.secret}) == 4
    for hidden in (one.family, one.secret):
        assert len(base64.urlsafe_b64decode(hidden + "=")) == 32
        assert hidden not in one.digest + one.family_digest
    assert parse_refresh_token(one.text) == one
    assert one.rotate().family == one.family
    assert one.rotate().digest != one.digest
    refused(one.text)


@given(st.text())
def test_any_text_can_be_parsed_as_a_refresh_token(shown: str) -> None:
    read = parse_refresh_token(shown)
    assert len(read.digest) == len(read.family_digest) == 64


@pytest.mark.parametrize("shown", [" " * 30_000, "Bearer" + " " * 30_000 + "x", "Bearer " + "x" * MAX_HEADER_CHARS])
def test_a_text_that_is_too_long_for_a_token_is_not_parsed(shown: str) -> None:
    assert bearer(shown) is shown
    with pytest.raises(Refusal, match="longer than 8192 bytes"):
        parse(bearer(shown))


def test_the_longest_token_is_accepted_with_its_scheme() -> None:
    assert bearer(f"Bearer {'x' * MAX_TOKEN_BYTES} ") == "x" * MAX_TOKEN_BYTES
