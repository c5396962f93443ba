"""The rooms that this client is in, so that it can join them again when the server can't do that for it.

A call of the table that succeeds puts a room in or takes it out. It is harmless to repeat, so it is repeated until it
is answered, as a send is.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class RoomCall(Struct, frozen=True):
    """A dialect's calls that join and leave a room, and the field that names it (or the first argument does)."""

    join: str
    leave: str | None
    field: str


ROWS = (
    RoomCall("conversation:join", "conversation:leave", "conversationId"),
    RoomCall("join-conversation", "leave-conversation", "conversationId"),
    RoomCall("join_conversation", "leave_conversation", "conversationId"),
    RoomCall("join_room", None, "roomId"),
)
JOINS = {row.join: row for row in ROWS}
LEAVES = {row.leave: row for row in ROWS if row.leave}


class Rooms:
    """See above. `joins` are the calls that join all of them."""

    def __init__(self) -> None:
        self._joined: dict[tuple[str, str], tuple[str, Any]] = {}

    @property
    def joins(self) -> list[tuple[str, Any]]:
        return list(self._joined.values())

    @staticmethod
    def concerns(name: str) -> bool:
        return name in JOINS or name in LEAVES

    def done(self, name: str, data: Any) -> None:
        """A call has succeeded."""
        if name in JOINS:
            self._joined[_key(JOINS[name], data)] = (name, data)
        elif name in LEAVES:
            self._joined.pop(_key(LEAVES[name], data), None)

    def refused(self, name: str, data: Any) -> None:
        """A room could not be joined again: it is gone, or we are no longer in it."""
        self._joined.pop(_key(JOINS[name], data), None)


def _key(row: RoomCall, data: Any) -> tuple[str, str]:
    if isinstance(data, dict):
        return row.join, str(data.get(row.field))
    return row.join, str(data[0] if isinstance(data, list | tuple) and data else data)
