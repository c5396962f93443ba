"""The devices on which a user is signed in: listed and signed out by the user. Each is a login session.

Signing out ends the session's refresh token, its access tokens and its connections, as `POST /auth/logout` does.
"""

from __future__ import annotations

from chatd.services.accounts import sign_out
from chatd.services.context import ServiceContext, missing
from chatd.store.queries import accounts
from protocol import commands as ask
from protocol.model import Device


def listing(context: ServiceContext, command: ask.ListDevices) -> tuple[Device, ...]:
    """The devices, those used last first. `current` is the one that the caller's token belongs to."""
    return tuple(
        Device(
            row.family, row.device, row.created, row.used or row.created, row.expires, row.family == context.actor.sid
        )
        for row in accounts.login_sessions_of(context.tx, context.actor.id)
    )


def end(context: ServiceContext, command: ask.EndDevice) -> None:
    if command.session not in [row.family for row in accounts.login_sessions_of(context.tx, context.actor.id)]:
        raise missing("Session")
    sign_out(context, command.session)


def end_others(context: ServiceContext, command: ask.EndOtherDevices) -> None:
    """Sign out everywhere but here."""
    for row in accounts.login_sessions_of(context.tx, context.actor.id):
        if row.family != context.actor.sid:
            sign_out(context, row.family)


def change_password(context: ServiceContext, stored: str, new_hash: str) -> bool:
    """Set another password and sign out everywhere but here. False if the password was changed meanwhile."""
    if accounts.password_of(context.tx, context.actor.id) != stored:
        return False
    accounts.set_password(context.tx, context.actor.id, new_hash)
    accounts.delete_known_places(context.tx, context.actor.id)
    end_others(context, ask.EndOtherDevices())
    return True
