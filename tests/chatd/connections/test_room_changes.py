"""The limit on rooms holds for joins and leaves that are in progress."""

from __future__ import annotations

from chatd.connections.room_changes import RoomChanges
from protocol.events import JOINED, USER


def places(*conversations: int) -> list[tuple[str, int]]:
    return [(USER, 1), *((JOINED, number) for number in conversations)]


def test_without_changes_the_joined_rooms_count() -> None:
    changes = RoomChanges()
    assert changes.allow_join(3, places(1, 2), limit=3)
    assert not changes.allow_join(4, places(1, 2, 3), limit=3)
    assert changes.allow_join(3, places(1, 2, 3), limit=3), "it is joined already"
    assert changes.allow_join(4, places(1, 2, 3), limit=0), "there is no limit"


def test_a_join_in_progress_counts() -> None:
    changes = RoomChanges()
    changes.begin(3, joins=True)
    assert not changes.allow_join(4, places(1, 2), limit=3)
    assert changes.allow_join(3, places(1, 2), limit=3)
    changes.end(3)
    assert changes.allow_join(4, places(1, 2), limit=3)


def test_a_leave_in_progress_makes_room() -> None:
    changes = RoomChanges()
    changes.begin(2, joins=False)
    assert changes.allow_join(4, places(1, 2, 3), limit=3)
    changes.begin(2, joins=True)
    assert not changes.allow_join(4, places(1, 2, 3), limit=3), "the last change of the room is a join"
    changes.end(2)
    changes.end(2)
    assert not changes.allow_join(4, places(1, 2, 3), limit=3)
