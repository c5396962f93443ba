"""EpollReader: a listener receives all bytes once and in order, and its task wakes at the end."""

from __future__ import annotations

import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from chatd.net.epoll_reader import SOCKETS_PER_TURN, EpollReader

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
async def readers(nursery: trio.Nursery) -> EpollReader:
    made = EpollReader.create()
    if made is None:
        pytest.skip("this system has no epoll")
    nursery.start_soon(made.run)
    return made


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = connect()
    with ours, theirs:
        yield ours, theirs


def connect() -> Pair:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    return ours, theirs


class Listener:
    """Keeps what it receives, in at most `most` calls."""

    def __init__(self, readers: EpollReader, connected: socket.socket, most: int = 1000) -> None:
        self.readers = readers
        self.connected = connected
        self.most = most
        self.received: list[bytes] = []
        self.woke = False
        self.also: Callable[[], None] = lambda: None

    async def run(self) -> None:
        try:
            await self.readers.listen(self.connected, self.on_data)
        finally:
            self.woke = True

    def on_data(self, data: bytes) -> bool:
        self.received.append(data)
        self.also()
        return len(self.received) < self.most


@contextlib.asynccontextmanager
async def many_listeners(readers: EpollReader, count: int) -> AsyncIterator[tuple[list[Pair], list[Listener]]]:
    """Socket pairs, and a running listener for each. All are closed in the end."""
    async with trio.open_nursery() as nursery:
        with contextlib.ExitStack() as stack:
            pairs = [connect() for _ in range(count)]
            for ours, theirs in pairs:
                stack.enter_context(ours)
                stack.enter_context(theirs)
            listeners = [Listener(readers, ours) for ours, _ in pairs]
            for listener in listeners:
                nursery.start_soon(listener.run)
            await wait_all_tasks_blocked()
            yield pairs, listeners
            for ours, _ in pairs:
                readers.close(ours)


async def test_all_bytes_are_passed_on_without_waking_the_task(
    readers: EpollReader, pair: Pair, nursery: trio.Nursery
) -> None:
    listener = Listener(readers, pair[0])
    nursery.start_soon(listener.run)
    for data in (b"one", b"two", b"three"):
        await wait_all_tasks_blocked()
        pair[1].send(data)
    await wait_all_tasks_blocked()
    assert listener.received == [b"one", b"two", b"three"]
    assert not listener.woke
    readers.close(pair[0])


async def test_a_listener_that_wants_no_more_wakes_and_later_bytes_stay(readers: EpollReader, pair: Pair) -> None:
    listener = Listener(readers, pair[0], most=1)
    pair[1].send(b"first")
    await listener.run()
    pair[1].send(b"second")
    await wait_all_tasks_blocked()
    assert listener.received == [b"first"]
    assert pair[0].recv(100) == b"second"
    assert len(readers) == 0


async def test_the_end_is_passed_on_and_wakes(readers: EpollReader, pair: Pair) -> None:
    listener = Listener(readers, pair[0])
    pair[1].send(b"last")
    pair[1].close()
    await listener.run()
    assert listener.received == [b"last", b""]


async def test_a_reset_is_an_end(readers: EpollReader) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as theirs:
        ours, _ = server.accept()
        ours.setblocking(False)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        theirs.close()
        with ours:
            listener = Listener(readers, ours)
            await listener.run()
        assert listener.received == [b""]


async def test_an_exception_is_raised_in_the_task_and_disturbs_no_other(
    readers: EpollReader, pair: Pair, nursery: trio.Nursery
) -> None:
    ours, theirs = connect()
    broken, fine = Listener(readers, pair[0]), Listener(readers, ours)

    def fail() -> None:
        raise ZeroDivisionError

    broken.also = fail
    nursery.start_soon(fine.run)
    pair[1].send(b"x")
    with pytest.raises(ZeroDivisionError):
        await broken.run()
    theirs.send(b"still here")
    await wait_all_tasks_blocked()
    assert (fine.received, fine.woke) == ([b"still here"], False)
    theirs.close()
    await wait_all_tasks_blocked()
    assert fine.woke
    ours.close()


async def test_a_cancelled_listener_is_forgotten_before_its_number_is_used_again(readers: EpollReader) -> None:
    ours, theirs = connect()
    first = Listener(readers, ours)
    async with trio.open_nursery() as inner:
        inner.start_soon(first.run)
        await wait_all_tasks_blocked()
        inner.cancel_scope.cancel()
    number = ours.fileno()
    ours.close()
    theirs.close()
    again, peer = connect()
    with again, peer:
        assert again.fileno() == number
        second = Listener(readers, again, most=1)
        peer.send(b"for the second")
        await second.run()
        assert (first.received, second.received) == ([], [b"for the second"])


async def test_closing_passes_on_the_end(readers: EpollReader, pair: Pair, nursery: trio.Nursery) -> None:
    listener = Listener(readers, pair[0])
    nursery.start_soon(listener.run)
    await wait_all_tasks_blocked()
    readers.close(pair[0])
    await wait_all_tasks_blocked()
    assert listener.received == [b""]
    assert listener.woke


async def test_a_closed_socket_is_at_its_end(readers: EpollReader, pair: Pair) -> None:
    pair[0].close()
    listener = Listener(readers, pair[0])
    await listener.run()
    assert listener.received == [b""]


async def test_one_may_end_its_neighbour(readers: EpollReader, nursery: trio.Nursery) -> None:
    """Both are readable in the same turn; whichever comes first cancels the other."""
    pairs = [connect() for _ in range(2)]
    scopes = [trio.CancelScope(), trio.CancelScope()]
    listeners = [Listener(readers, ours) for ours, _ in pairs]

    async def run(at: int) -> None:
        with scopes[at]:
            await listeners[at].run()

    for at, listener in enumerate(listeners):
        listener.also = scopes[1 - at].cancel
        nursery.start_soon(run, at)
    await wait_all_tasks_blocked()
    for _, theirs in pairs:
        theirs.send(b"x")
    await wait_all_tasks_blocked()
    assert sorted(listener.received for listener in listeners) == [[], [b"x"]]
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


async def test_more_than_a_turn_takes_are_all_served(readers: EpollReader) -> None:
    async with many_listeners(readers, 3 * SOCKETS_PER_TURN) as (pairs, listeners):
        for at, (_, theirs) in enumerate(pairs):
            theirs.send(b"%d" % at)
        await wait_all_tasks_blocked()
        assert [listener.received for listener in listeners] == [[b"%d" % at] for at in range(3 * SOCKETS_PER_TURN)]


async def test_when_reading_ends_all_listeners_receive_the_end(pair: Pair, nursery: trio.Nursery) -> None:
    made = EpollReader.create()
    if made is None:
        pytest.skip("this system has no epoll")
    listener, late = Listener(made, pair[0]), Listener(made, pair[0])
    async with trio.open_nursery() as inner:
        inner.start_soon(made.run)
        nursery.start_soon(listener.run)
        await wait_all_tasks_blocked()
        inner.cancel_scope.cancel()
    await wait_all_tasks_blocked()
    assert (listener.received, listener.woke) == ([b""], True)
    await late.run()
    assert late.received == [b""]


async def test_a_turn_is_bounded_by_time(readers: EpollReader, monkeypatch: Any) -> None:
    """Each reading takes a second here, so each turn reads one socket, and all are read in their turns."""
    async with many_listeners(readers, 4) as (pairs, listeners):
        turn, received = readers._take_turn, list[int]()

        def take_turn() -> None:
            turn()
            received.append(sum(len(listener.received) for listener in listeners))

        monkeypatch.setattr(readers, "_clock", itertools.count().__next__)
        monkeypatch.setattr(readers, "_take_turn", take_turn)
        for _, theirs in pairs:
            theirs.send(b"x")
        await wait_all_tasks_blocked()
        assert received == [1, 2, 3, 4]
