"""No token in a log."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.telemetry.redact import redact

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/", "/"),
        ("/chat?dialect=colon&pos=7", "/chat?dialect=colon&pos=7"),
        ("/?token=abc", "/?token=***"),
        ("/?token=abc&dialect=inbox", "/?token=***&dialect=inbox"),
        ("/?dialect=inbox&token=abc#x", "/?dialect=inbox&token=***#x"),
        ("/?token=a=b", "/?token=***"),
        ("/?token=", "/?token=***"),
        ("/?TOKEN=abc", "/?TOKEN=***"),
        ("/?%74oken=abc", "/?%74oken=***"),
        ("/?access_token=abc&refreshToken=def", "/?access_token=***&refreshToken=***"),
        ("/?auth[token]=abc&auth=def&authorization=x", "/?auth[token]=***&auth=***&authorization=***"),
        ("/?password=abc;secret=def;jwt=ghi", "/?password=***;secret=***;jwt=***"),
        ("/socket.io/?EIO=4&transport=polling&sid=abc", "/socket.io/?EIO=4&transport=polling&sid=***"),
        ("/x?side=left&inside=1", "/x?side=left&inside=1"),
        ("https://user:pass@id.example/keys?api_key=x", "https://***@id.example/keys?api_key=***"),
        ("token=abc", "token=***"),
        ("asked for token=abc twice", "asked for token=*** twice"),
        (f"/files/{JWT}", "/files/***"),
        (f"chatd.jsonrpc, bearer.{JWT}", "chatd.jsonrpc, bearer.***"),
        (f"/?q={JWT}&x=1", "/?q=***&x=1"),
    ],
)
def test_redact(target: str, shown: str) -> None:
    assert redact(target) == shown


@given(st.text(), st.text(), st.sampled_from(["token", "access_token", "Token", "to%6Ben"]))
def test_a_planted_token_is_nowhere(before: str, after: str, name: str) -> None:
    target = f"/{quote(before)}?{name}=canary-7f3a&x={quote(after)}"
    assert "canary-7f3a" not in redact(target)
    redact(before + after)
