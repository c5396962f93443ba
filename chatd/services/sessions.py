"""Sessions: what is stored for a connection that can resume, and the rooms that it has joined.

A room is joined by the service of `Join`. The other changes are functions here: they publish no event.
"""

from __future__ import annotations

from chatd.services import conversations
from chatd.services.context import Actor, ServiceContext, ServiceRules
from chatd.store.queries import sessions as stored
from chatd.store.sqlite.transaction import Transaction
from protocol import commands as ask


def open_session(tx: Transaction, name: str, user: int) -> None:
    """Store a new session without rooms."""
    stored.open(tx, name, user)


def keep_sessions(tx: Transaction, names: list[str]) -> None:
    """Record that these sessions are in use now."""
    stored.touch(tx, names)


def close_session(tx: Transaction, name: str, user: int) -> None:
    """Delete a session of the user and its rooms."""
    stored.close(tx, name, user)


def leave_room(tx: Transaction, actor: Actor, command: ask.Leave, session: str | None, *, must_be_member: bool) -> None:
    """Remove a room from a session, if there is a session. Refuse an actor who must be a member and is not."""
    if must_be_member:
        conversations.leave(ServiceContext(tx, actor, ServiceRules()), command)
    if session is not None:
        stored.leave(tx, session, command.conversation.number)
