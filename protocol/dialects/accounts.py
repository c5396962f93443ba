"""Accounts: the routes that all dialects share, as the `rooms` specification documents them.

An answer has every key twice, in camelCase and as RFC 6749 names it for OAuth clients. It also has the id of the user
twice, as an integer and as an ObjectId. A client uses the form of its dialect.
"""

from __future__ import annotations

from protocol.commands import Login, Logout, Refresh, Register
from protocol.dialects.fields import SHORT_TEXT, field, optional
from protocol.dialects.grammar import Route, Shape
from protocol.dialects.shapes import as_id, as_is, as_object, constant
from protocol.ids import DECIMAL, OBJECT_ID

# Shapes

ACCOUNT: Shape = {
    "id": as_id("ref", DECIMAL),
    "_id": as_id("ref", OBJECT_ID),
    "username": as_is("name"),
    "email": as_is("email", "a string, or null"),
    "displayName": as_is("display", "a string, or null"),
}
TOKENS: Shape = {
    "accessToken": as_is("access"),
    "refreshToken": as_is("refresh"),
    "tokenType": constant("Bearer"),
    "expiresIn": as_is("expires_in", "seconds"),
    "access_token": as_is("access"),
    "refresh_token": as_is("refresh"),
    "token_type": constant("Bearer"),
    "expires_in": as_is("expires_in", "seconds"),
    "user": as_object("user", ACCOUNT),
}

# Fields

NAME_OR_EMAIL = (field("username", SHORT_TEXT, "name", unless="email"), optional("email", SHORT_TEXT))
PASSWORD = field("password", SHORT_TEXT)

# Routes

ROUTES = (
    Route(
        "POST",
        "/auth/register",
        Register,
        (*NAME_OR_EMAIL, PASSWORD, optional("displayName", SHORT_TEXT, "display"), optional("invite", SHORT_TEXT)),
        TOKENS,
        201,
        public=True,
    ),
    Route("POST", "/auth/login", Login, (*NAME_OR_EMAIL, PASSWORD), TOKENS, public=True),
    Route(
        "POST",
        "/auth/refresh",
        Refresh,
        (
            field("refreshToken", SHORT_TEXT, "refresh", unless="refresh_token"),
            optional("refresh_token", SHORT_TEXT, "refresh"),
        ),
        TOKENS,
        public=True,
    ),
    Route(
        "POST",
        "/auth/logout",
        Logout,
        (optional("refreshToken", SHORT_TEXT, "refresh"), optional("refresh_token", SHORT_TEXT, "refresh")),
        status=204,
        public=True,
    ),
)
