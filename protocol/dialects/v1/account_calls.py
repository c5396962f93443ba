"""The calls of `v1` about one's own account, and about the invites of others."""

from __future__ import annotations

from protocol.commands import (
    ChangeOwnPassword,
    CreateInvite,
    EndDevice,
    EndOtherDevices,
    ListDevices,
    ListInvites,
    RevokeInvite,
)
from protocol.dialects.fields import BOOLEAN, POSITIVE_INTEGER, SHORT_TEXT, field, optional
from protocol.dialects.grammar import CallRow, ListOf, Shape
from protocol.dialects.shapes import as_id, as_is, as_time
from protocol.ids import DECIMAL

DEVICE: Shape = {
    "id": as_is("id"),
    "device": as_is("name", "what the browser or program says of itself, or null"),
    "createdAt": as_time("created"),
    "lastUsedAt": as_time("used"),
    "expiresAt": as_time("expires"),
    "isCurrent": as_is("current", "true or false"),
}
INVITE: Shape = {
    "id": as_id("ref", DECIMAL),
    "token": as_is("token", "a string when it is made; null later"),
    "uses": as_is("uses", "a number"),
    "isAdmin": as_is("admin", "true or false"),
    "expiresAt": as_time("expires"),
    "createdAt": as_time("created"),
}

CALLS = (
    CallRow(
        "password.change",
        "POST",
        "/v1/me/password",
        ChangeOwnPassword,
        (field("password", SHORT_TEXT, "old"), field("newPassword", SHORT_TEXT, "new")),
    ),
    CallRow("session.list", "GET", "/v1/sessions", ListDevices, (), ListOf(DEVICE)),
    CallRow(
        "session.end", "DELETE", "/v1/sessions/{sessionId}", EndDevice, (field("sessionId", SHORT_TEXT, "session"),)
    ),
    CallRow("session.endOthers", "DELETE", "/v1/sessions", EndOtherDevices),
    CallRow("invite.list", "GET", "/v1/invites", ListInvites, (), ListOf(INVITE)),
    CallRow(
        "invite.create",
        "POST",
        "/v1/invites",
        CreateInvite,
        (
            optional("uses", POSITIVE_INTEGER),
            optional("isAdmin", BOOLEAN, "admin"),
            optional("ttlSeconds", POSITIVE_INTEGER, "ttl_seconds"),
        ),
        INVITE,
        status=201,
    ),
    CallRow("invite.revoke", "DELETE", "/v1/invites/{inviteId}", RevokeInvite, (field("inviteId", DECIMAL, "invite"),)),
)
