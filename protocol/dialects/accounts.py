"""Accounts: the routes that every dialect shares, as the `rooms` specification documents them.

An answer says everything twice, in camelCase and in the words of RFC 6749 for clients that know OAuth. So is the id of
the user, as an integer and as an ObjectId; which of the two a client goes on with is its dialect's affair.
"""

from __future__ import annotations

from protocol.commands import Login, Logout, Refresh, Register
from protocol.dialects.grammar import Route, Shape
from protocol.dialects.words import LINE, always, either, field, nested, optional, plain, spelt
from protocol.ids import DECIMAL, OBJECT_ID

# Shapes

ACCOUNT: Shape = {
    "id": spelt("ref", DECIMAL),
    "_id": spelt("ref", OBJECT_ID),
    "username": plain("name"),
    "email": plain("email", "a string, or null"),
    "displayName": plain("display", "a string, or null"),
}
TOKENS: Shape = {
    "accessToken": plain("access"),
    "refreshToken": plain("refresh"),
    "tokenType": always("Bearer"),
    "expiresIn": plain("expires_in", "seconds"),
    "access_token": plain("access"),
    "refresh_token": plain("refresh"),
    "token_type": always("Bearer"),
    "expires_in": plain("expires_in", "seconds"),
    "user": nested("user", ACCOUNT),
}

# Fields

WHO = (either("username", LINE, "name", unless="email"), optional("email", LINE))
PASSWORD = field("password", LINE)

# Routes

ROUTES = (
    Route(
        "POST",
        "/auth/register",
        Register,
        (*WHO, PASSWORD, optional("displayName", LINE, "display"), optional("invite", LINE)),
        TOKENS,
        201,
        public=True,
    ),
    Route("POST", "/auth/login", Login, (*WHO, PASSWORD), TOKENS, public=True),
    Route(
        "POST",
        "/auth/refresh",
        Refresh,
        (either("refreshToken", LINE, "refresh", unless="refresh_token"), optional("refresh_token", LINE, "refresh")),
        TOKENS,
        public=True,
    ),
    Route(
        "POST",
        "/auth/logout",
        Logout,
        (optional("refreshToken", LINE, "refresh"), optional("refresh_token", LINE, "refresh")),
        status=204,
        public=True,
    ),
)
