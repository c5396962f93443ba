"""The broker on fake sinks: each sink receives the right events, once and in order."""

from __future__ import annotations

from collections.abc import Collection

import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from chatd.realtime.broker import Broker, Sink, Subscriber
from chatd.realtime.encoder import EventEncoder
from chatd.realtime.flusher import Flusher
from protocol.dialects.grammar import Dialect, Outbound, ReplyStyle, Vocabulary
from protocol.dialects.shapes import as_is
from protocol.errors import Refusal
from protocol.events import JOINED, MEMBERS, USER, Audience, Ephemeral, Event
from protocol.ids import DECIMAL


class Sent(Event, frozen=True):
    """A durable event at any places."""

    what: int
    where: tuple[Audience, ...]
    by: int = 0

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return self.where

    @property
    def actor(self) -> int:
        return self.by


class Hinted(Ephemeral, frozen=True):
    what: int

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((JOINED, 1),)


class ThreeMembers:
    """An audience in which conversation 1 has users 1 to 3."""

    def members(self, conversation: int) -> Collection[int]:
        return (1, 2, 3) if conversation == 1 else ()

    def peers(self, user: int) -> Collection[int]:
        return [other for other in (1, 2, 3) if other != user]


class FakeSink(Sink):
    """A sink that keeps what it receives: one entry a write."""

    __slots__ = ("full", "got")

    def __init__(self) -> None:
        super().__init__(self)
        self.got: list[list[int]] = []
        self.full = False

    def send(self, data: bytes) -> None:
        self.got.append([int(part) for part in data.decode().split()])

    @property
    def is_slow(self) -> bool:
        return self.full

    def queue_unsent(self, data: bytes, taken: int) -> None:
        raise NotImplementedError

    @property
    def received(self) -> list[int]:
        return [one for write in self.got for one in write]


def dialect(name: str, *shapes: Outbound) -> Dialect:
    def ack(body: object) -> object:
        return body

    def no(refusal: Refusal) -> object:
        return refusal.message

    return Dialect(name, name, DECIMAL, DECIMAL, {"/": Vocabulary((), shapes)}, ReplyStyle(ack, no, ("error", {})))


def encoder(name: str, *shapes: Outbound) -> EventEncoder:
    def push(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
        return body.split(b":")[1].rstrip(b"}") + b" "

    return EventEncoder(dialect(name, *shapes), "/", push, bytes)


BODY = {"what": as_is("what")}
ROOM = encoder("room", Outbound(Sent, "sent", BODY), Outbound(Hinted, "psst", BODY))
OTHERS = encoder("others", Outbound(Sent, "sent", BODY, others_only=True))
WORLD = encoder("world", Outbound(Sent, "sent", BODY, MEMBERS))


def subscribed(broker: Broker, user: int, encoder: EventEncoder = ROOM, *rooms: int) -> tuple[Subscriber, FakeSink]:
    sink = FakeSink()
    subscriber = Subscriber(sink, encoder, user)
    broker.subscribe(subscriber)
    for room in rooms:
        broker.join(subscriber, (JOINED, room))
    return subscriber, sink


def sent(what: int, *rooms: int, by: int = 0) -> Sent:
    return Sent(what, tuple((JOINED, room) for room in rooms), by)


def test_what_is_published_in_one_batch_is_one_write() -> None:
    broker = Broker(ThreeMembers())
    _, one = subscribed(broker, 1, ROOM, 1)
    _, two = subscribed(broker, 2, ROOM, 1)
    _, elsewhere = subscribed(broker, 3, ROOM, 2)
    for number in range(3):
        broker.publish(sent(number, 1), number)
    broker.flush_now()
    assert one.got == two.got == [[0, 1, 2]]
    assert elsewhere.got == []
    assert broker.position == 2


def test_a_sink_receives_all_its_rooms_and_answers_in_the_order_of_publishing() -> None:
    broker = Broker(ThreeMembers())
    _, sink = subscribed(broker, 1, ROOM, 1, 2)
    broker.publish(sent(1, 1), 1)
    broker.send(sink, b"2 ")
    broker.publish(sent(3, 2), 2)
    broker.publish(sent(4, 1), 3)
    broker.send(sink, b"5 ")
    broker.flush_now()
    assert sink.got == [[1, 2, 3, 4, 5]]


def test_a_subscriber_receives_only_what_is_published_while_it_is_in_the_room() -> None:
    broker = Broker(ThreeMembers())
    leaver, left = subscribed(broker, 1, ROOM, 1)
    _, stays = subscribed(broker, 2, ROOM, 1)
    broker.publish(sent(1, 1), 1)
    entering, entered = subscribed(broker, 3)
    broker.join(entering, (JOINED, 1))
    broker.publish(sent(2, 1), 2)
    broker.leave(leaver, (JOINED, 1))
    broker.publish(sent(3, 1), 3)
    broker.flush_now()
    assert left.received == [1, 2]
    assert stays.received == [1, 2, 3]
    assert entered.received == [2, 3]


def test_eviction_takes_effect_at_once() -> None:
    broker = Broker(ThreeMembers())
    _, removed = subscribed(broker, 1, ROOM, 1)
    _, second_device = subscribed(broker, 1, ROOM, 1)
    _, other = subscribed(broker, 2, ROOM, 1)
    broker.publish(sent(1, 1), 1)
    broker.evict((JOINED, 1), 1)
    broker.publish(sent(2, 1), 2)
    broker.flush_now()
    assert removed.received == second_device.received == [1]
    assert other.received == [1, 2]


def test_an_event_for_the_others_goes_to_no_subscriber_of_its_actor() -> None:
    broker = Broker(ThreeMembers())
    _, mine = subscribed(broker, 1, OTHERS, 1)
    _, also_mine = subscribed(broker, 1, OTHERS, 1)
    _, other = subscribed(broker, 2, OTHERS, 1)
    broker.publish(sent(7, 1, by=1), None)
    broker.flush_now()
    assert (mine.received, also_mine.received, other.received) == ([], [], [7])


def test_members_receive_without_joining_in_dialects_without_rooms() -> None:
    broker = Broker(ThreeMembers())
    _, member = subscribed(broker, 2, WORLD)
    _, stranger = subscribed(broker, 9, WORLD)
    _, unjoined = subscribed(broker, 3, ROOM)
    broker.publish(Sent(5, ((JOINED, 1), (MEMBERS, 1))), 1)
    broker.flush_now()
    assert (member.received, stranger.received, unjoined.received) == ([5], [], [])


def test_a_slow_sink_receives_no_droppable_event() -> None:
    broker = Broker(ThreeMembers())
    _, slow = subscribed(broker, 1, ROOM, 1)
    _, fine = subscribed(broker, 2, ROOM, 1)
    slow.full = True
    broker.publish(sent(1, 1), 1)
    broker.publish(Hinted(2), None)
    broker.flush_now()
    assert slow.received == [1]
    assert fine.received == [1, 2]


class NarrowSink(Sink):
    """A sink whose kernel takes a few bytes, or fails; what is left is kept."""

    __slots__ = ("kept", "takes")

    def __init__(self, takes: int | OSError) -> None:
        super().__init__(self)
        self.takes = takes
        self.kept: list[tuple[bytes, int]] = []

    @property
    def is_slow(self) -> bool:
        return False

    def send(self, data: bytes) -> int:
        if isinstance(self.takes, OSError):
            raise self.takes
        return min(self.takes, len(data))

    def queue_unsent(self, data: bytes, taken: int) -> None:
        self.kept.append((data, taken))


def test_what_a_sink_does_not_take_it_queues_and_no_other_sink_is_affected() -> None:
    broker = Broker(ThreeMembers())
    sinks = [
        NarrowSink(100),
        NarrowSink(2),
        NarrowSink(BlockingIOError()),
        NarrowSink(BrokenPipeError()),
        NarrowSink(100),
    ]
    for user, sink in enumerate(sinks):
        subscriber = Subscriber(sink, ROOM, user)
        broker.subscribe(subscriber)
        broker.join(subscriber, (JOINED, 1))
    _, last = subscribed(broker, 9, ROOM, 1)
    broker.publish(sent(1234, 1), None)
    broker.flush_now()
    assert [sink.kept for sink in sinks] == [[], [(b"1234 ", 2)], [(b"1234 ", 0)], [(b"1234 ", 0)], []]
    assert last.received == [1234]
    assert broker.delivered == 6


def test_unsubscribing_leaves_nothing_behind() -> None:
    broker = Broker(ThreeMembers())
    subscriber, sink = subscribed(broker, 1, ROOM, 1, 2, 3)
    broker.publish(sent(1, 1), 1)
    broker.unsubscribe(subscriber)
    broker.unsubscribe(subscriber)
    broker.publish(sent(2, 1), 2)
    broker.flush_now()
    assert sink.received == [1]
    assert broker.subscribers((JOINED, 1)) == broker.subscribers((USER, 1)) == []
    assert not broker.has_listener(Sent, JOINED)


async def test_the_flush_yields_and_what_is_published_meanwhile_comes_after() -> None:
    broker = Broker(ThreeMembers())
    sinks = [subscribed(broker, 1, ROOM, 1)[1] for _ in range(450)]
    broker.publish(sent(1, 1), 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Flusher(broker).run)
        await trio.testing.wait_all_tasks_blocked()
        for number in range(2, 5):
            broker.publish(sent(number, 1), number)
            await trio.lowlevel.checkpoint()
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert {tuple(sink.received) for sink in sinks} == {(1, 2, 3, 4)}


async def test_a_flush_without_yielding_sends_what_a_running_flush_has_gathered() -> None:
    """Each sink gets everything once and in order; the running flush finds nothing left to do."""
    broker = Broker(ThreeMembers())
    sinks = [subscribed(broker, 1, ROOM, 1)[1] for _ in range(450)]
    broker.publish(sent(1, 1), 1)
    for sink in sinks:
        broker.send(sink, b"2 ")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(broker.flush)
        while not sinks[0].received:
            await trio.lowlevel.checkpoint()
        assert not sinks[-1].received  # the flush has sent to the first chunk of sinks and yields
        broker.publish(sent(3, 1), 3)
        broker.flush_now()
        assert {tuple(sink.received) for sink in sinks} == {(1, 2, 3)}
    assert {tuple(sink.received) for sink in sinks} == {(1, 2, 3)}


async def test_two_flushes_at_once_send_everything_once() -> None:
    broker = Broker(ThreeMembers())
    sinks = [subscribed(broker, 1, ROOM, 1)[1] for _ in range(450)]
    broker.publish(sent(1, 1), 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(broker.flush)
        await trio.lowlevel.checkpoint()
        broker.publish(sent(2, 1), 2)
        await broker.flush()
        assert {tuple(sink.received) for sink in sinks} == {(1, 2)}
    assert {tuple(sink.received) for sink in sinks} == {(1, 2)}


@given(st.lists(st.tuples(st.sampled_from("pjlsf"), st.integers(0, 3), st.integers(1, 3)), max_size=60))
def test_against_a_model_in_which_everything_is_delivered_at_once(steps: list[tuple[str, int, int]]) -> None:
    broker = Broker(ThreeMembers())
    subscribers = [subscribed(broker, user) for user in range(1, 5)]
    expected: list[list[int]] = [[] for _ in subscribers]
    joined: list[set[int]] = [set() for _ in subscribers]
    for number, (what, who, room) in enumerate(steps, start=1):
        subscriber, sink = subscribers[who]
        if what == "p":
            broker.publish(sent(number, room), number)
            for received, rooms in zip(expected, joined, strict=True):
                received += [number] * (room in rooms)
        elif what == "j":
            broker.join(subscriber, (JOINED, room))
            joined[who].add(room)
        elif what == "l":
            broker.leave(subscriber, (JOINED, room))
            joined[who].discard(room)
        elif what == "s":
            broker.send(sink, b"%d " % number)
            expected[who].append(number)
        else:
            broker.flush_now()
    broker.flush_now()
    assert [sink.received for _, sink in subscribers] == expected
