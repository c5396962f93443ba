"""Sessions: what is stored for a connection that can resume, and the rooms that it has joined.

The services of `Join` and `Leave` change the rooms. The other changes are functions here: they publish no event.
"""

from __future__ import annotations

from chatd.store.queries import sessions as stored
from chatd.store.sqlite.transaction import Transaction


def open_session(tx: Transaction, name: str, user: int) -> None:
    """Store a new session without rooms."""
    stored.open(tx, name, user)


def keep_sessions(tx: Transaction, names: list[str]) -> None:
    """Record that these sessions are in use now."""
    stored.touch(tx, names)


def close_session(tx: Transaction, name: str, user: int) -> None:
    """Delete a session of the user and its rooms."""
    stored.close(tx, name, user)
