"""Which pages may use the server, and the CORS headers for their browsers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.net.origins import EXPOSED, VARY, allowed, cors, is_preflight, listed, normal, own, preflight

MINE = "http://chat.example.org:3000"
OTHER = "https://app.example.org"
LIST = listed([OTHER])
EMPTY_LIST = listed([])


@pytest.mark.parametrize(
    ("origin", "canonical"),
    [
        ("https://app.example.org", OTHER),
        ("HTTPS://App.Example.ORG", OTHER),
        ("https://app.example.org:443", OTHER),
        ("http://app.example.org:80", "http://app.example.org"),
        ("https://app.example.org:80", "https://app.example.org:80"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("tauri://localhost", "tauri://localhost"),
        ("null", None),
        ("", None),
        ("*", None),
        ("app.example.org", None),
        ("https://", None),
        ("https://app.example.org/", None),
        ("https://app.example.org/x", None),
        ("https://app.example.org?x", None),
        ("https://app.example.org#x", None),
        ("https://user@app.example.org", None),
        ("https://app.example.org:x", None),
        ("https://app.example.org:99999", None),
        ("https://app.example.org\r\nX: y", None),
        ("https://äpp.example.org", None),
        ("https://app.example.org https://evil.example", None),
        ("https://[::1", None),
    ],
)
def test_what_an_origin_is(origin: str, canonical: str | None) -> None:
    assert normal(origin) == canonical


@pytest.mark.parametrize(
    ("origin", "good"),
    [
        (None, True),
        (MINE, True),
        (OTHER, True),
        ("https://APP.example.org:443", True),
        ("https://app.example.org:444", False),
        ("http://app.example.org", False),
        ("https://evil.app.example.org", False),
        ("https://app.example.org.evil.example", False),
        ("https://evilapp.example.org", False),
        ("https://app.example.org@evil.example", False),
        ("http://chat.example.org", False),
        ("https://chat.example.org:3000", False),
        ("null", False),
        ("", False),
        ("*", False),
    ],
)
def test_the_list_is_exact_for_sockets_and_rest_alike(origin: str | None, good: bool) -> None:
    assert allowed(origin, MINE, LIST) is good
    reflected = dict(cors(origin, MINE, LIST)).get("Access-Control-Allow-Origin")
    assert reflected == (origin if good else None)


def test_the_list_is_checked_at_the_start() -> None:
    with pytest.raises(ValueError, match=r"'app\.example\.org' is no origin"):
        listed([OTHER, "app.example.org"])
    with pytest.raises(ValueError, match="null"):
        listed(["null"])


def test_the_servers_own_origin() -> None:
    assert own("http", "chat.example.org:3000") == MINE
    assert own("https", "Chat.Example.org:443") == "https://chat.example.org"
    assert own("http", None) is own("http", "") is own("http", "a/b") is own("http", "user@a") is None
    assert not allowed("null", own("http", None), EMPTY_LIST), "a missing origin equals no other"


def test_the_headers_for_a_listed_page() -> None:
    assert dict(cors(OTHER, MINE, LIST)) == {
        "Access-Control-Allow-Origin": OTHER,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": EXPOSED,
        "Vary": "Origin",
    }


def test_any_origin_comes_without_credentials() -> None:
    anyone = listed(["*", OTHER])
    assert allowed("https://evil.example", MINE, anyone)
    headers = dict(cors("https://evil.example", MINE, anyone))
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in headers
    assert dict(cors(OTHER, MINE, anyone))["Access-Control-Allow-Credentials"] == "true", "it is on the list"


@given(st.none() | st.text() | st.sampled_from([OTHER, MINE, "null", "*"]), st.sampled_from([[], [OTHER], ["*"]]))
def test_credentials_never_come_with_a_star_or_an_unlisted_origin(origin: str | None, names: list[str]) -> None:
    others = listed(names)
    for headers in (cors(origin, MINE, others), preflight(origin or "", MINE, others)):
        found = dict(headers)
        assert found["Vary"] == "Origin"
        if "Access-Control-Allow-Credentials" in found:
            assert normal(found["Access-Control-Allow-Origin"]) in {MINE, *others}


def test_preflight() -> None:
    headers = dict(preflight(OTHER, MINE, LIST))
    assert headers["Access-Control-Allow-Origin"] == OTHER
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert "PATCH" in headers["Access-Control-Allow-Methods"].split(", ")
    assert "Authorization" in headers["Access-Control-Allow-Headers"].split(", ")
    assert headers["Access-Control-Max-Age"] == "600"
    assert preflight("https://evil.example", MINE, LIST) == VARY


def test_what_a_preflight_is() -> None:
    assert is_preflight("OPTIONS", OTHER, "PATCH")
    assert not is_preflight("OPTIONS", OTHER, None)
    assert not is_preflight("OPTIONS", None, "PATCH")
    assert not is_preflight("GET", OTHER, "PATCH")
