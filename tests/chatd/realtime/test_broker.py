"""The broker on fake links: who gets what, once, and in which order."""

from __future__ import annotations

from collections.abc import Collection

import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from chatd.realtime.broker import Broker, Sink, Subscriber
from chatd.realtime.encoder import EventEncoder
from protocol.dialects.grammar import Dialect, Outbound, ReplyStyle, Vocabulary
from protocol.dialects.shapes import as_is
from protocol.errors import Refusal
from protocol.events import JOINED, MEMBERS, USER, Audience, Ephemeral, Event
from protocol.ids import DECIMAL


class Spoken(Event, frozen=True):
    """Somebody said something somewhere."""

    what: int
    where: tuple[Audience, ...]
    by: int = 0

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return self.where

    @property
    def actor(self) -> int:
        return self.by


class Whispered(Ephemeral, frozen=True):
    what: int

    @property
    def audiences(self) -> tuple[Audience, ...]:
        return ((JOINED, 1),)


class Everybody:
    """An audience in which conversation 1 has users 1 to 3."""

    def members(self, conversation: int) -> Collection[int]:
        return (1, 2, 3) if conversation == 1 else ()

    def peers(self, user: int) -> Collection[int]:
        return [other for other in (1, 2, 3) if other != user]


class Fake(Sink):
    """A link that keeps what it gets: one entry a write."""

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
    def heard(self) -> list[int]:
        return [one for write in self.got for one in write]


def dialect(name: str, *says: Outbound) -> Dialect:
    def ack(body: object) -> object:
        return body

    def no(refusal: Refusal) -> object:
        return refusal.message

    return Dialect(name, name, DECIMAL, DECIMAL, {"/": Vocabulary((), says)}, ReplyStyle(ack, no, ("error", {})))


def face(name: str, *says: Outbound) -> EventEncoder:
    def push(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
        return body.split(b":")[1].rstrip(b"}") + b" "

    return EventEncoder(dialect(name, *says), "/", push, bytes)


BODY = {"what": as_is("what")}
ROOM = face("room", Outbound(Spoken, "said", BODY), Outbound(Whispered, "psst", BODY))
OTHERS = face("others", Outbound(Spoken, "said", BODY, others_only=True))
WORLD = face("world", Outbound(Spoken, "said", BODY, MEMBERS))


def seated(broker: Broker, user: int, spoken: EventEncoder = ROOM, *rooms: int) -> tuple[Subscriber, Fake]:
    link = Fake()
    seat = Subscriber(link, spoken, user)
    broker.subscribe(seat)
    for room in rooms:
        broker.join(seat, (JOINED, room))
    return seat, link


def say(what: int, *rooms: int, by: int = 0) -> Spoken:
    return Spoken(what, tuple((JOINED, room) for room in rooms), by)


def test_what_is_published_in_one_batch_is_one_write() -> None:
    broker = Broker(Everybody())
    _, one = seated(broker, 1, ROOM, 1)
    _, two = seated(broker, 2, ROOM, 1)
    _, elsewhere = seated(broker, 3, ROOM, 2)
    for number in range(3):
        broker.publish(say(number, 1), number)
    broker.flush_now()
    assert one.got == two.got == [[0, 1, 2]]
    assert elsewhere.got == []
    assert broker.position == 2


def test_a_link_hears_all_its_rooms_and_its_answers_in_the_order_of_publishing() -> None:
    broker = Broker(Everybody())
    _, link = seated(broker, 1, ROOM, 1, 2)
    broker.publish(say(1, 1), 1)
    broker.send(link, b"2 ")
    broker.publish(say(3, 2), 2)
    broker.publish(say(4, 1), 3)
    broker.send(link, b"5 ")
    broker.flush_now()
    assert link.got == [[1, 2, 3, 4, 5]]


def test_whoever_comes_hears_nothing_from_before_and_whoever_goes_nothing_from_after() -> None:
    broker = Broker(Everybody())
    leaver, left = seated(broker, 1, ROOM, 1)
    _, stays = seated(broker, 2, ROOM, 1)
    broker.publish(say(1, 1), 1)
    newcomer, came = seated(broker, 3)
    broker.join(newcomer, (JOINED, 1))
    broker.publish(say(2, 1), 2)
    broker.leave(leaver, (JOINED, 1))
    broker.publish(say(3, 1), 3)
    broker.flush_now()
    assert left.heard == [1, 2]
    assert stays.heard == [1, 2, 3]
    assert came.heard == [2, 3]


def test_eviction_takes_effect_at_once() -> None:
    broker = Broker(Everybody())
    _, removed = seated(broker, 1, ROOM, 1)
    _, second_device = seated(broker, 1, ROOM, 1)
    _, other = seated(broker, 2, ROOM, 1)
    broker.publish(say(1, 1), 1)
    broker.evict((JOINED, 1), 1)
    broker.publish(say(2, 1), 2)
    broker.flush_now()
    assert removed.heard == second_device.heard == [1]
    assert other.heard == [1, 2]


def test_to_the_others_only_leaves_out_all_seats_of_whoever_did_it() -> None:
    broker = Broker(Everybody())
    _, mine = seated(broker, 1, OTHERS, 1)
    _, also_mine = seated(broker, 1, OTHERS, 1)
    _, other = seated(broker, 2, OTHERS, 1)
    broker.publish(say(7, 1, by=1), None)
    broker.flush_now()
    assert (mine.heard, also_mine.heard, other.heard) == ([], [], [7])


def test_members_hear_without_joining_in_dialects_that_have_nothing_to_join() -> None:
    broker = Broker(Everybody())
    _, member = seated(broker, 2, WORLD)
    _, stranger = seated(broker, 9, WORLD)
    _, unjoined = seated(broker, 3, ROOM)
    broker.publish(Spoken(5, ((JOINED, 1), (MEMBERS, 1))), 1)
    broker.flush_now()
    assert (member.heard, stranger.heard, unjoined.heard) == ([5], [], [])


def test_a_crowded_link_gets_only_what_matters() -> None:
    broker = Broker(Everybody())
    _, crowded = seated(broker, 1, ROOM, 1)
    _, fine = seated(broker, 2, ROOM, 1)
    crowded.full = True
    broker.publish(say(1, 1), 1)
    broker.publish(Whispered(2), None)
    broker.flush_now()
    assert crowded.heard == [1]
    assert fine.heard == [1, 2]


class Narrow(Sink):
    """A link whose kernel takes a few bytes, or fails; what is left is kept."""

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


def test_what_a_link_does_not_take_is_its_own_to_keep_and_nobody_elses_trouble() -> None:
    broker = Broker(Everybody())
    links = [Narrow(100), Narrow(2), Narrow(BlockingIOError()), Narrow(BrokenPipeError()), Narrow(100)]
    for user, link in enumerate(links):
        seat = Subscriber(link, ROOM, user)
        broker.subscribe(seat)
        broker.join(seat, (JOINED, 1))
    _, last = seated(broker, 9, ROOM, 1)
    broker.publish(say(1234, 1), None)
    broker.flush_now()
    assert [link.kept for link in links] == [[], [(b"1234 ", 2)], [(b"1234 ", 0)], [(b"1234 ", 0)], []]
    assert last.heard == [1234]
    assert broker.delivered == 6


def test_rising_leaves_nothing_behind() -> None:
    broker = Broker(Everybody())
    seat, link = seated(broker, 1, ROOM, 1, 2, 3)
    broker.publish(say(1, 1), 1)
    broker.unsubscribe(seat)
    broker.unsubscribe(seat)
    broker.publish(say(2, 1), 2)
    broker.flush_now()
    assert link.heard == [1]
    assert broker.subscribers((JOINED, 1)) == broker.subscribers((USER, 1)) == []
    assert not broker.has_listener(Spoken, JOINED)


async def test_the_flush_yields_and_what_is_published_meanwhile_comes_after() -> None:
    broker = Broker(Everybody())
    links = [seated(broker, 1, ROOM, 1)[1] for _ in range(450)]
    broker.publish(say(1, 1), 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(broker.run)
        await trio.testing.wait_all_tasks_blocked()
        for number in range(2, 5):
            broker.publish(say(number, 1), number)
            await trio.lowlevel.checkpoint()
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert {tuple(link.heard) for link in links} == {(1, 2, 3, 4)}


async def test_a_flush_without_yielding_sends_what_a_running_flush_has_gathered() -> None:
    """Each link gets everything once and in order; the running flush finds nothing left to do."""
    broker = Broker(Everybody())
    links = [seated(broker, 1, ROOM, 1)[1] for _ in range(450)]
    broker.publish(say(1, 1), 1)
    for link in links:
        broker.send(link, b"2 ")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(broker.flush)
        while not links[0].heard:
            await trio.lowlevel.checkpoint()
        assert not links[-1].heard  # the flush has sent to the first chunk of links and yields
        broker.publish(say(3, 1), 3)
        broker.flush_now()
        assert {tuple(link.heard) for link in links} == {(1, 2, 3)}
    assert {tuple(link.heard) for link in links} == {(1, 2, 3)}


async def test_two_flushes_at_once_send_everything_once() -> None:
    broker = Broker(Everybody())
    links = [seated(broker, 1, ROOM, 1)[1] for _ in range(450)]
    broker.publish(say(1, 1), 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(broker.flush)
        await trio.lowlevel.checkpoint()
        broker.publish(say(2, 1), 2)
        await broker.flush()
        assert {tuple(link.heard) for link in links} == {(1, 2)}
    assert {tuple(link.heard) for link in links} == {(1, 2)}


@given(st.lists(st.tuples(st.sampled_from("pjlsf"), st.integers(0, 3), st.integers(1, 3)), max_size=60))
def test_against_a_model_in_which_everything_is_delivered_at_once(steps: list[tuple[str, int, int]]) -> None:
    broker = Broker(Everybody())
    seats = [seated(broker, user) for user in range(1, 5)]
    expected: list[list[int]] = [[] for _ in seats]
    joined: list[set[int]] = [set() for _ in seats]
    for number, (what, who, room) in enumerate(steps, start=1):
        seat, link = seats[who]
        if what == "p":
            broker.publish(say(number, room), number)
            for heard, rooms in zip(expected, joined, strict=True):
                heard += [number] * (room in rooms)
        elif what == "j":
            broker.join(seat, (JOINED, room))
            joined[who].add(room)
        elif what == "l":
            broker.leave(seat, (JOINED, room))
            joined[who].discard(room)
        elif what == "s":
            broker.send(link, b"%d " % number)
            expected[who].append(number)
        else:
            broker.flush_now()
    broker.flush_now()
    assert [link.heard for _, link in seats] == expected
