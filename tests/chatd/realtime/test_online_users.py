"""Online users, and the counts that are still due."""

from __future__ import annotations

from chatd.realtime.event_bus import EventBus
from chatd.realtime.online_users import OnlineUsers
from protocol.ids import Ref

ROMEO = Ref(1, 0)


def test_counts_that_one_socket_received_are_still_due_for_the_other_sockets_of_the_user() -> None:
    online_users = OnlineUsers(EventBus())
    online_users.connect(ROMEO, [(Ref(12, 0), "group", 0, 1, ())])
    online_users.active_groups.add(12)
    greeted = online_users.unread(1)
    assert greeted is not None
    assert online_users.due_counts(10.0) == [greeted]
    online_users.active_groups.add(12)
    assert online_users.due_counts(20.0) == []
