"""Presence in virtual time: right at every moment, and no change within the grace."""

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
Changes = list[tuple[float, int, bool]]

MOVES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 2.0, 4.0, 4.5, 5.0, 6.0]), st.integers(0, 5)),
    max_size=40,
)
"""The pause before a move, and the device that connects or disconnects: three devices of each user."""


def config_with(grace: float) -> Config:
    return Config(presence=PresenceSettings(grace=grace))


class Recorder:
    """The changes that presence publishes, with their times. It counts sockets as the app does."""

    def __init__(self, nursery: trio.Nursery, grace: float = GRACE) -> None:
        self.began = trio.current_time()
        self.changes: Changes = []
        self.offline: list[int] = []
        self.presence = PresenceTracker(config_with(grace), self.publish, self.offline.append)
        self.sockets = {user.number: 0 for user in USERS}
        nursery.start_soon(self.presence.run)

    def publish(self, event: PresenceChanged) -> None:
        self.changes.append((trio.current_time() - self.began, event.user.number, event.online))

    def connect(self, user: Ref) -> None:
        self.sockets[user.number] += 1
        self.presence.user_connected(user)

    def disconnect(self, user: Ref) -> None:
        self.sockets[user.number] -= 1
        if not self.sockets[user.number]:
            self.presence.user_disconnected(user.number)


def expected(moves: list[tuple[float, int]], user: int) -> Changes:
    """The changes of a user, computed from scratch: gaps up to the grace are no change."""
    connected: set[int] = set()
    now, changes, online, empty = 0.0, Changes(), False, 0.0
    for pause, device in moves:
        now += pause
        if device // 3 != user - 1:
            continue
        if online and not connected and now >= empty + GRACE:
            changes.append((empty + GRACE, user, False))
            online = False
        connected ^= {device}
        if connected and not online:
            changes.append((now, user, True))
            online = True
        empty = now
    if online and not connected:
        changes.append((empty + GRACE, user, False))
    return changes


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
async def test_three_devices_each_come_and_go(
    autojump_clock: trio.testing.MockClock, moves: list[tuple[float, int]]
) -> None:
    async with trio.open_nursery() as nursery:
        recorder = Recorder(nursery)
        connected: set[int] = set()
        now = recorder.began
        for pause, device in moves:
            now += pause
            await trio.sleep_until(now)
            await trio.testing.wait_all_tasks_blocked()  # a grace that ends at this moment has ended
            (recorder.disconnect if device in connected else recorder.connect)(USERS[device // 3])
            connected ^= {device}
        await trio.sleep(2 * GRACE)
        nursery.cancel_scope.cancel()
    for user in USERS:
        assert [one for one in recorder.changes if one[1] == user.number] == expected(moves, user.number)


async def test_a_reload_is_no_change(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:
        recorder = Recorder(nursery)
        recorder.connect(USERS[0])
        for _ in range(5):
            recorder.disconnect(USERS[0])
            await trio.sleep(4.9)
            recorder.connect(USERS[0])
        await trio.sleep(20)
        assert recorder.changes == [(0.0, 1, True)]
        assert [event.user for event in recorder.presence.online_among([1, 2])] == [USERS[0]]
        recorder.disconnect(USERS[0])
        await trio.sleep(4.9)
        assert recorder.presence.online_among([1]) == [PresenceChanged(USERS[0], True)]
        await trio.sleep(0.2)
        assert [online for _, _, online in recorder.changes] == [True, False]
        assert (recorder.offline, recorder.presence.online_among([1])) == ([1], [])
        nursery.cancel_scope.cancel()


async def test_without_grace_the_last_socket_is_the_end(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:
        recorder = Recorder(nursery, grace=0)
        recorder.connect(USERS[0])
        recorder.disconnect(USERS[0])
        assert recorder.changes == [(0.0, 1, True), (0.0, 1, False)]
        recorder.connect(USERS[0])
        await trio.sleep(1)
        assert len(recorder.changes) == 3
        nursery.cancel_scope.cancel()


async def test_another_grace_counts_for_users_who_are_leaving(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:
        recorder = Recorder(nursery)
        for user in USERS[:2]:
            recorder.connect(user)
            recorder.disconnect(user)
        await trio.sleep(1)
        recorder.presence.adopt(config_with(2.0))
        await trio.sleep(4)
        assert recorder.changes[2:] == [(2.0, 1, False), (2.0, 2, False)]
        recorder.connect(USERS[0])
        recorder.disconnect(USERS[0])
        recorder.presence.adopt(config_with(10.0))
        await trio.sleep(9)
        assert len(recorder.changes) == 5
        await trio.sleep(2)
        assert recorder.changes[5:] == [(15.0, 1, False)]
        nursery.cancel_scope.cancel()
