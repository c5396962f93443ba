"""Presence in virtual time: right at every moment, and no flicker within the grace (issue 4, show 5)."""

from __future__ import annotations

import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatd.config.settings import Config, PresenceSettings
from chatd.realtime.presence import PresenceTracker
from protocol.events import PresenceChanged
from protocol.ids import Ref

GRACE = 5.0
USERS = [Ref(number, 0) for number in (1, 2)]
Told = list[tuple[float, int, bool]]

MOVES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 2.0, 4.0, 4.5, 5.0, 6.0]), st.integers(0, 5)),
    max_size=40,
)
"""How long after the one before, and which device comes or goes: three of each user."""


def config_with(grace: float) -> Config:
    return Config(presence=PresenceSettings(grace=grace))


class Hall:
    """Who is told what, and when. Presence hears of sockets as dispatch tells it."""

    def __init__(self, nursery: trio.Nursery, grace: float = GRACE) -> None:
        self.began = trio.current_time()
        self.told: Told = []
        self.gone: list[int] = []
        self.presence = PresenceTracker(config_with(grace), self.tell, self.gone.append)
        self.sockets = {user.number: 0 for user in USERS}
        nursery.start_soon(self.presence.run)

    def tell(self, event: PresenceChanged) -> None:
        self.told.append((trio.current_time() - self.began, event.user.number, event.online))

    def enters(self, user: Ref) -> None:
        self.sockets[user.number] += 1
        self.presence.user_connected(user)

    def leaves(self, user: Ref) -> None:
        self.sockets[user.number] -= 1
        if not self.sockets[user.number]:
            self.presence.user_disconnected(user.number)


def expected(moves: list[tuple[float, int]], user: int) -> Told:
    """From scratch: when the devices of a user are there, gaps up to the grace aside."""
    here: set[int] = set()
    now, told, online, empty = 0.0, Told(), False, 0.0
    for pause, device in moves:
        now += pause
        if device // 3 != user - 1:
            continue
        if online and not here and now >= empty + GRACE:
            told.append((empty + GRACE, user, False))
            online = False
        here ^= {device}
        if here and not online:
            told.append((now, user, True))
            online = True
        empty = now
    if online and not here:
        told.append((empty + GRACE, user, False))
    return told


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
async def test_three_devices_each_come_and_go(
    autojump_clock: trio.testing.MockClock, moves: list[tuple[float, int]]
) -> None:
    async with trio.open_nursery() as nursery:
        state = Hall(nursery)
        there: set[int] = set()
        now = state.began
        for pause, device in moves:
            now += pause
            await trio.sleep_until(now)
            await trio.testing.wait_all_tasks_blocked()  # whoever's grace is over at this very moment is gone
            (state.leaves if device in there else state.enters)(USERS[device // 3])
            there ^= {device}
        await trio.sleep(2 * GRACE)
        nursery.cancel_scope.cancel()
    for user in USERS:
        assert [one for one in state.told if one[1] == user.number] == expected(moves, user.number)


async def test_a_reload_is_no_change(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:
        state = Hall(nursery)
        state.enters(USERS[0])
        for _ in range(5):
            state.leaves(USERS[0])
            await trio.sleep(4.9)
            state.enters(USERS[0])
        await trio.sleep(20)
        assert state.told == [(0.0, 1, True)]
        assert [event.user for event in state.presence.online_among([1, 2])] == [USERS[0]]
        state.leaves(USERS[0])
        await trio.sleep(4.9)
        assert state.presence.online_among([1]) == [PresenceChanged(USERS[0], True)]
        await trio.sleep(0.2)
        assert [online for _, _, online in state.told] == [True, False]
        assert (state.gone, state.presence.online_among([1])) == ([1], [])
        nursery.cancel_scope.cancel()


async def test_without_grace_the_last_socket_is_the_end(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:
        state = Hall(nursery, grace=0)
        state.enters(USERS[0])
        state.leaves(USERS[0])
        assert state.told == [(0.0, 1, True), (0.0, 1, False)]
        state.enters(USERS[0])
        await trio.sleep(1)
        assert len(state.told) == 3
        nursery.cancel_scope.cancel()


async def test_another_grace_counts_for_users_who_are_leaving(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:
        state = Hall(nursery)
        for user in USERS[:2]:
            state.enters(user)
            state.leaves(user)
        await trio.sleep(1)
        state.presence.adopt(config_with(2.0))
        await trio.sleep(4)
        assert state.told[2:] == [(2.0, 1, False), (2.0, 2, False)]
        state.enters(USERS[0])
        state.leaves(USERS[0])
        state.presence.adopt(config_with(10.0))
        await trio.sleep(9)
        assert len(state.told) == 5
        await trio.sleep(2)
        assert state.told[5:] == [(15.0, 1, False)]
        nursery.cancel_scope.cancel()
