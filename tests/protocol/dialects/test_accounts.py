"""The account routes that all dialects share."""

from __future__ import annotations

import pytest

from protocol.commands import Command, Login, Logout, Refresh, Register
from protocol.dialects.accounts import ROUTES
from protocol.dialects.decode import CallDecoder
from protocol.dialects.grammar import ErrorTexts
from protocol.errors import Refusal
from protocol.model import Tokens
from tests.protocol.dialects.samples import ANN, encode_body, object_id

ROWS = {route.path: route for route in ROUTES}


def decode(path: str, body: str) -> Command:
    route = ROWS[path]
    return CallDecoder(route.command, route.fields, route.fixed, ErrorTexts()).decode(body.encode())


@pytest.mark.parametrize(
    ("path", "body", "command"),
    [
        (
            "/auth/register",
            '{"username":"ann","email":"ann@example.org","password":"secret","displayName":"Ann"}',
            Register(name="ann", email="ann@example.org", password="secret", display="Ann"),
        ),
        ("/auth/register", '{"email":"a@b.example","password":"p"}', Register(email="a@b.example", password="p")),
        ("/auth/login", '{"username":"ann","password":"p"}', Login(name="ann", password="p")),
        ("/auth/login", '{"email":"a@b.example","password":"p"}', Login(email="a@b.example", password="p")),
        ("/auth/refresh", '{"refreshToken":"r"}', Refresh(refresh="r")),
        ("/auth/refresh", '{"refresh_token":"r"}', Refresh(refresh="r")),
        ("/auth/refresh", '{"refreshToken":null,"refresh_token":"r"}', Refresh(refresh="r")),
        ("/auth/logout", '{"refreshToken":"r"}', Logout(refresh="r")),
        ("/auth/logout", "{}", Logout()),
    ],
)
def test_requests(path: str, body: str, command: Command) -> None:
    assert decode(path, body) == command


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/auth/refresh", "{}", "refreshToken is required and must be a string"),
        ("/auth/refresh", '{"refresh_token":null}', "refreshToken is required and must be a string"),
        ("/auth/refresh", '{"refreshToken":7}', "refreshToken must be a string"),
        ("/auth/login", '{"password":"p"}', "username is required and must be a string"),
        ("/auth/login", '{"username":"ann"}', "password is required and must be a string"),
        ("/auth/register", '{"username":"a","password":"p","admin":true}', "admin is not a field of this call"),
    ],
)
def test_error_texts(path: str, body: str, text: str) -> None:
    with pytest.raises(Refusal) as caught:
        decode(path, body)
    assert caught.value.message == text


def test_an_answer_has_every_key_twice() -> None:
    assert encode_body(ROWS["/auth/login"].reply, Tokens(ANN, "aaa", "rrr", 900)) == (
        '{"accessToken":"aaa","refreshToken":"rrr","tokenType":"Bearer","expiresIn":900,'
        '"access_token":"aaa","refresh_token":"rrr","token_type":"Bearer","expires_in":900,'
        f'"user":{{"id":1,"_id":"{object_id(1)}","username":"ann","email":"ann@example.org","displayName":"Ann A."}}}}'
    )


def test_they_need_no_token() -> None:
    assert all(route.public for route in ROUTES)
    assert {path: route.status for path, route in ROWS.items()} == {
        "/auth/register": 201,
        "/auth/login": 200,
        "/auth/refresh": 200,
        "/auth/logout": 204,
    }
