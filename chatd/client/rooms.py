"""The rooms that this client has joined, so that it can join them again when the server cannot restore them.

A successful call in the table adds or removes a room. These calls are safe to repeat, so they are repeated until they
are answered.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class RoomCall(Struct, frozen=True):
    """A dialect's calls that join and leave a room, and the field with its id (or the first argument has it)."""

    join: str
    leave: str | None
    field: str


ROOM_CALLS = (
    RoomCall("conversation:join", "conversation:leave", "conversationId"),
    RoomCall("join-conversation", "leave-conversation", "conversationId"),
    RoomCall("join_conversation", "leave_conversation", "conversationId"),
    RoomCall("join_room", None, "roomId"),
)
JOINS = {row.join: row for row in ROOM_CALLS}
LEAVES = {row.leave: row for row in ROOM_CALLS if row.leave}


class JoinedRooms:
    """`joins` are the calls that join all rooms again."""

    def __init__(self) -> None:
        self._joined: dict[tuple[str, str], tuple[str, Any]] = {}

    @property
    def joins(self) -> list[tuple[str, Any]]:
        return list(self._joined.values())

    @staticmethod
    def is_room_call(name: str) -> bool:
        return name in JOINS or name in LEAVES

    def record(self, name: str, data: Any) -> None:
        """Note a call that has succeeded."""
        if name in JOINS:
            self._joined[_key(JOINS[name], data)] = (name, data)
        elif name in LEAVES:
            self._joined.pop(_key(LEAVES[name], data), None)

    def forget(self, name: str, data: Any) -> None:
        """Remove a room that could not be joined again: it is deleted, or the user is not a member any more."""
        self._joined.pop(_key(JOINS[name], data), None)


def _key(row: RoomCall, data: Any) -> tuple[str, str]:
    if isinstance(data, dict):
        return row.join, str(data.get(row.field))
    return row.join, str(data[0] if isinstance(data, list | tuple) and data else data)
