"""Who is here, and whom a count still has to be told."""

from __future__ import annotations

from chatd.realtime.online_users import Roster
from protocol.ids import Ref

ROMEO = Ref(1, 0)


def test_what_one_socket_was_told_is_news_to_the_others_of_that_user() -> None:
    roster = Roster()
    roster.enter(ROMEO, [(Ref(12, 0), "group", 0, 1)])
    roster.stirred.add(12)
    greeted = roster.unread(1)
    assert greeted is not None
    assert roster.stir(10.0) == [greeted]
    roster.stirred.add(12)
    assert roster.stir(20.0) == []
