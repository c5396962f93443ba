"""The verifier accepts a token only if each part of it is valid."""

from __future__ import annotations

import base64
import hmac
import json
import math
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatd.auth.claims import MAX_USER_ID, ClaimRules, Claims
from chatd.auth.jws import MAX_TOKEN_BYTES, parse
from chatd.auth.keys import KeySettings, make_ring
from chatd.auth.tokens import Issuer, make_refresh_token, parse_refresh_token
from chatd.auth.verifier import MAX_HEADER_CHARS, UnknownKey, Verifier, bearer
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
    assert make_ring(settings).own.verifies("EdDSA", *_halves(token)), "the derived key outlives a restart"


def _halves(token: str) -> tuple[bytes, bytes]:
    head, _, signature = token.rpartition(".")
    return head.encode(), base64.urlsafe_b64decode(signature + "==")


# ---- hostile tokens ----

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


# ---- claims ----


@pytest.mark.parametrize(
    ("payload", "subject"),
    [
        ({"sub": "7"}, 7),
        ({"sub": 7}, 7),
        ({"id": 8, "sub": "7"}, 8),
        ({"userId": 9, "id": 8}, 9),
        ({"user_id": "10", "userId": 9}, 10),
        ({"sub": str(MAX_USER_ID)}, MAX_USER_ID),
        ({"sub": str(MAX_USER_ID + 1)}, str(MAX_USER_ID + 1)),
        ({"sub": "110169484474386276334"}, "110169484474386276334"),
        ({"sub": "007"}, "007"),
        ({"sub": "٧"}, "٧"),
        ({"sub": "auth0|5f7c8ec7c33c6c004bbafe82"}, "auth0|5f7c8ec7c33c6c004bbafe82"),
        ({"sub": "7b7f5e52-6a3c-4c9a-9a51-0d8b6d0c3f11"}, "7b7f5e52-6a3c-4c9a-9a51-0d8b6d0c3f11"),
        ({"sub": "u" * 255}, "u" * 255),
    ],
)
def test_the_user(payload: dict[str, Any], subject: int | str) -> None:
    found = verifier().verify(signed(payload | {"exp": NOW + 1})).subject
    assert found == subject
    assert type(found) is type(subject)


def test_the_user_claims_are_a_setting() -> None:
    check = verifier(rules=ClaimRules(user_claims=("https://example.org/uid",)))
    assert check.verify(signed(GOOD | {"https://example.org/uid": 5})).subject == 5
    assert "names no user" in refused(signed(GOOD), check)
    own = signed(GOOD | {"iss": "chatd", "https://example.org/uid": 5})
    assert check.verify(own).subject == 7, "own tokens have the user in sub"


@pytest.mark.parametrize("claims", [{"role": "admin"}, {"roles": ["user", "admin"]}, {"is_admin": True}])
def test_administrators(claims: dict[str, Any]) -> None:
    assert verifier().verify(signed(GOOD | claims)).admin


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"role": "Admin"},
        {"role": ["admin"]},
        {"role": "not-admin"},
        {"roles": "admin"},
        {"roles": "not-admin"},
        {"roles": ["administrator"]},
        {"roles": {"admin": False}},
        {"is_admin": "true"},
        {"is_admin": 1},
        {"is_admin": "false"},
        {"admin": True},
    ],
)
def test_no_administrators(claims: dict[str, Any]) -> None:
    assert not verifier().verify(signed(GOOD | claims)).admin


@pytest.mark.parametrize(
    ("claims", "name", "email"),
    [
        ({"name": "Ann", "email": "ann@example.org"}, "Ann", "ann@example.org"),
        ({"preferred_username": "ann"}, "ann", None),
        ({"name": 5, "username": "ann", "email": 5}, "ann", None),
        ({"name": "a\0", "email": "unknown"}, None, None),
        ({"email": "ann@example.org", "email_verified": False}, None, None),
    ],
)
def test_name_and_email_are_optional(claims: Any, name: str | None, email: str | None) -> None:
    found = verifier().verify(signed(GOOD | claims))
    assert (found.name, found.email) == (name, email)


@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({"iss": "https://id.example", "aud": "chat"}, True),
        ({"iss": "https://id.example", "aud": ["web", "chat"]}, True),
        ({"iss": "https://id.example", "aud": ["web"]}, False),
        ({"iss": "https://id.example", "aud": "chatter"}, False),
        ({"iss": "https://id.example", "aud": {"chat": 1}}, False),
        ({"iss": "https://id.example"}, False),
        ({"iss": "https://id.example/", "aud": "chat"}, False),
        ({"iss": ["https://id.example"], "aud": "chat"}, False),
        ({"aud": "chat"}, False),
    ],
)
def test_issuer_and_audience(claims: Any, good: bool) -> None:
    check = verifier(rules=ClaimRules(issuer="https://id.example", audience="chat"))
    if good:
        assert check.verify(signed(GOOD | claims)).foreign
    else:
        assert "another" in refused(signed(GOOD | claims), check)


def test_the_leeway_does_not_extend_the_expiry() -> None:
    assert verifier().verify(signed(GOOD | {"iat": NOW + 5, "nbf": NOW + 5})).issued == NOW + 5
    assert verifier().verify(signed(GOOD | {"exp": NOW + 0.5})).expires == NOW + 0.5
    assert "expired" in refused(signed(GOOD | {"exp": NOW - 0.5}))


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
    for part in (one.family, one.secret):
        assert len(base64.urlsafe_b64decode(part + "=")) == 32
        assert part not in one.digest + one.family_digest
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
