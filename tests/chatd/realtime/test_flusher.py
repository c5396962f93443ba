"""The flusher: what one round of the loop publishes leaves at its end, and the loop never sleeps on what is left."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import trio

from chatd.realtime.broker import SENDS_PER_CHUNK, Broker, Sink
from chatd.realtime.flusher import Flusher
from tests.chatd.realtime.test_broker import ThreeMembers

LONG_SECONDS = 60.0  # no other timer of these tests wakes the loop earlier


class OwnOutbox(Sink):
    """A sink that is its own outbox, and calls a function after each send."""

    __slots__ = ("after", "sent")

    def __init__(self, after: Callable[[], object] = lambda: None) -> None:
        super().__init__(self)
        self.sent: list[bytes] = []
        self.after = after

    @property
    def is_slow(self) -> bool:
        return False

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        self.after()

    def queue_unsent(self, data: bytes, taken: int) -> None:
        raise NotImplementedError


@pytest.fixture
async def broker(nursery: trio.Nursery) -> AsyncIterator[Broker]:
    made = Broker(ThreeMembers())
    nursery.start_soon(Flusher(made).run)
    await trio.testing.wait_all_tasks_blocked()
    yield made
    nursery.cancel_scope.cancel()


async def wait_for(event: trio.Event) -> None:
    with trio.fail_after(LONG_SECONDS):
        began = trio.current_time()
        await event.wait()
        assert trio.current_time() - began < LONG_SECONDS / 2


async def test_everything_of_one_round_leaves_in_one_send(broker: Broker) -> None:
    done = trio.Event()
    sink = OwnOutbox(done.set)
    for part in (b"a", b"b", b"c"):
        broker.send(sink, part)
    assert not sink.sent
    await wait_for(done)
    assert sink.sent == [b"abc"]


async def test_a_large_flush_goes_on_without_another_event(broker: Broker) -> None:
    done = trio.Event()
    sinks = [OwnOutbox() for _ in range(3 * SENDS_PER_CHUNK)] + [OwnOutbox(done.set)]
    for sink in sinks:
        broker.send(sink, b"a")
    await wait_for(done)
    assert all(sink.sent == [b"a"] for sink in sinks)


async def test_what_is_sent_during_a_large_flush_goes_out_without_another_event(broker: Broker) -> None:
    done = trio.Event()
    last = OwnOutbox(done.set)

    def answer() -> None:
        broker.send(last, b"b")

    sinks = [OwnOutbox() for _ in range(SENDS_PER_CHUNK)] + [OwnOutbox(answer)]
    for sink in sinks:
        broker.send(sink, b"a")
    await wait_for(done)
    assert last.sent == [b"b"]


async def test_a_task_that_a_send_wakes_runs_at_once(broker: Broker, nursery: trio.Nursery) -> None:
    arrived, answered = trio.Event(), trio.Event()

    async def poll() -> None:
        await arrived.wait()
        answered.set()

    nursery.start_soon(poll)
    await trio.testing.wait_all_tasks_blocked()
    broker.send(OwnOutbox(arrived.set), b"a")
    await wait_for(answered)


@pytest.mark.parametrize("count", [1, SENDS_PER_CHUNK + 1])
async def test_a_flush_that_fails_ends_the_run_with_its_error(count: int) -> None:
    broker = Broker(ThreeMembers())

    def fail() -> None:
        raise ValueError("no room")

    async with trio.open_nursery() as nursery:

        async def run() -> None:
            with pytest.raises(ValueError, match="no room"):
                await Flusher(broker).run()
            nursery.cancel_scope.cancel()

        nursery.start_soon(run)
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(count - 1):
            broker.send(OwnOutbox(), b"a")
        broker.send(OwnOutbox(fail), b"a")
        with trio.fail_after(LONG_SECONDS):
            await trio.sleep_forever()
