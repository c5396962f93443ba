"""The claims of a valid token: its user, name, email, rights, issuer, audience and times."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.auth.claims import MAX_USER_ID, ClaimRules
from tests.chatd.auth.signed_tokens import GOOD, NOW, refused, signed, verifier


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
