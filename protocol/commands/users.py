"""Commands about users and their accounts."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from protocol.commands.base import Command, Window
from protocol.ids import Key
from protocol.model import QuietHours

# Users


class ListUsers(Window, frozen=True, kw_only=True):
    query: str | None = None


class GetUser(Command, frozen=True, kw_only=True):
    user: Key


class GetMe(Command, frozen=True, kw_only=True):
    pass


class UpdateMe(Command, frozen=True, kw_only=True):
    """UNSET leaves a field unchanged; None clears it."""

    display: str | UnsetType | None = UNSET
    avatar: str | UnsetType | None = UNSET
    status: str | UnsetType | None = UNSET


class GetAttention(Command, frozen=True, kw_only=True):
    pass


class SetAttention(Command, frozen=True, kw_only=True):
    """Change when the caller wants no alerts. UNSET leaves a field unchanged; None clears it."""

    quiet_hours: QuietHours | UnsetType | None = UNSET
    do_not_disturb_until: int | UnsetType | None = UNSET


class ChangeOwnPassword(Command, frozen=True, kw_only=True):
    old: str
    new: str


class ListDevices(Command, frozen=True, kw_only=True):
    """The login sessions of the caller."""


class EndDevice(Command, frozen=True, kw_only=True):
    session: str


class EndOtherDevices(Command, frozen=True, kw_only=True):
    """All login sessions of the caller, except the one that the command comes from."""


# Invites, for administrators


class CreateInvite(Command, frozen=True, kw_only=True):
    uses: int = 1
    admin: bool = False
    ttl_seconds: int = 7 * 86_400


class ListInvites(Command, frozen=True, kw_only=True):
    pass


class RevokeInvite(Command, frozen=True, kw_only=True):
    invite: Key


# Accounts: the only commands that need no authenticated user


class Register(Command, frozen=True, kw_only=True):
    """`invite` is the token of an invite, or the setup token of a server without users."""

    password: str
    name: str | None = None
    email: str | None = None
    display: str | None = None
    invite: str | None = None


class Login(Command, frozen=True, kw_only=True):
    password: str
    name: str | None = None
    email: str | None = None


class Refresh(Command, frozen=True, kw_only=True):
    refresh: str


class Logout(Command, frozen=True, kw_only=True):
    refresh: str | None = None
