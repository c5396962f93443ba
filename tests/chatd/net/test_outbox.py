"""The bytes that wait for a slow client."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from chatd.net.memory import MemoryStream, memory_pair
from chatd.net.outbox import Outbox, OutboxRules, SendFunction

RULES = OutboxRules(max_bytes=1_000, overflow_frame=b"<too slow>", farewell_seconds=5.0)


async def sip(client: MemoryStream, size: int) -> bytes:
    """Receive `size` bytes, a few at a time."""
    got = b""
    while len(got) < size:
        got += await client.receive_some(7)
    return got


async def test_an_idle_outbox_sends_at_once_and_makes_no_task(nursery: trio.Nursery) -> None:
    server, client = memory_pair()
    outbox = Outbox(server, nursery, RULES)
    outbox.push(b"one")
    outbox.push(b"two", droppable=True)
    assert not nursery.child_tasks
    assert outbox.waiting == 0
    assert await client.receive_some() == b"onetwo"


async def test_what_the_kernel_does_not_take_follows_in_order(nursery: trio.Nursery) -> None:
    server, client = memory_pair(capacity=10)
    outbox = Outbox(server, nursery, RULES)
    for number in range(20):
        outbox.push(b"%04d" % number)
    assert outbox.waiting == 70
    assert await sip(client, 80) == b"".join(b"%04d" % number for number in range(20))
    await outbox.drained()
    await wait_all_tasks_blocked()
    assert outbox.waiting == 0
    assert not nursery.child_tasks
    outbox.push(b"again")
    assert await client.receive_some() == b"again"


async def test_droppable_is_dropped_above_half(nursery: trio.Nursery) -> None:
    server, _ = memory_pair(capacity=10)
    outbox = Outbox(server, nursery, RULES)
    outbox.push(b"x" * 10)
    outbox.push(b"y" * 500, droppable=True)
    assert outbox.waiting == 500
    outbox.push(b"y", droppable=True)
    assert outbox.waiting == 501
    outbox.push(b"y", droppable=True)
    assert outbox.waiting == 501
    outbox.push(b"z")
    assert outbox.waiting == 502
    nursery.cancel_scope.cancel()


async def test_a_slow_client_receives_the_final_frame_instead_of_the_queue(nursery: trio.Nursery) -> None:
    server, client = memory_pair(capacity=10)
    outbox = Outbox(server, nursery, RULES)
    outbox.push(b"begun-frame!")  # ten bytes of it are sent: the rest must follow, or the client reads a broken frame
    outbox.push(b"x" * 998)
    assert outbox.waiting == 1_000
    outbox.push(b"y")
    assert outbox.closed
    assert outbox.overflowed
    outbox.push(b"never")
    got = b""
    while len(got) < 22:
        got += await client.receive_some()
    assert got == b"begun-frame!<too slow>"
    outbox.discard()


async def test_one_chunk_above_the_limit_leaves_no_room_for_the_final_frame(nursery: trio.Nursery) -> None:
    server, _ = memory_pair(capacity=10)
    outbox = Outbox(server, nursery, RULES)
    outbox.push(b"x" * 5_000)
    assert outbox.overflowed
    assert outbox.waiting == 0
    assert server.aborted


async def test_no_limit(nursery: trio.Nursery) -> None:
    server, _ = memory_pair(capacity=10)
    outbox = Outbox(server, nursery, OutboxRules(max_bytes=0))
    for _ in range(10):
        outbox.push(b"x" * 1_000_000, droppable=True)
    assert outbox.waiting == 9_999_990
    assert not outbox.closed
    nursery.cancel_scope.cancel()


async def test_the_final_frame_comes_last(nursery: trio.Nursery) -> None:
    server, client = memory_pair(capacity=5)
    outbox = Outbox(server, nursery, RULES)
    outbox.push(b"before ")
    outbox.finish(b"bye")
    outbox.finish(b"bye again")
    outbox.push(b"after")
    got = b""
    while len(got) < 10:
        got += await client.receive_some()
    assert got == b"before bye"
    await outbox.drained()
    outbox.discard()
    await wait_all_tasks_blocked()
    assert not nursery.child_tasks


async def test_a_peer_that_does_not_close_is_cut_off(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    server, _ = memory_pair(capacity=2)
    outbox = Outbox(server, nursery, RULES)
    outbox.finish(b"goodbye")
    began = trio.current_time()
    assert await server.receive_some() == b""
    assert trio.current_time() - began == pytest.approx(RULES.farewell_seconds)
    assert server.aborted
    server.close()


async def test_a_peer_that_is_gone_is_no_error(nursery: trio.Nursery) -> None:
    server, client = memory_pair(capacity=4)
    outbox = Outbox(server, nursery, RULES)
    outbox.push(b"123456")
    client.close()
    await wait_all_tasks_blocked()
    outbox.push(b"dropped")
    outbox.finish(b"bye")
    assert outbox.closed
    assert outbox.waiting == 0
    await outbox.drained()
    await wait_all_tasks_blocked()
    assert not nursery.child_tasks


async def test_a_closed_nursery_is_no_error() -> None:
    server, _ = memory_pair(capacity=4)
    async with trio.open_nursery() as nursery:
        outbox = Outbox(server, nursery, RULES)
    outbox.push(b"123456")
    assert outbox.closed
    outbox.finish(b"bye")


async def test_small_chunks_are_joined(nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    server, client = memory_pair(capacity=1_000)
    outbox = Outbox(server, nursery, OutboxRules(max_bytes=0))
    outbox.push(b"x" * 1_000)
    sends = []
    send_now = MemoryStream.send_now

    def keep_size(stream: MemoryStream, data: bytes) -> int:
        sends.append(len(data))
        return send_now(stream, data)

    monkeypatch.setattr(MemoryStream, "send_now", keep_size)
    for _ in range(100):
        outbox.push(b"y" * 5)
    await client.receive_some()
    await wait_all_tasks_blocked()
    assert 500 in sends
    assert await client.receive_some() == b"y" * 500


async def test_waiting_for_an_empty_outbox_waits_each_time(nursery: trio.Nursery) -> None:
    server, client = memory_pair(capacity=10)
    outbox = Outbox(server, nursery, RULES)
    order: list[str] = []

    async def wait() -> None:
        await outbox.drained()
        order.append("drained")

    for _ in range(2):
        outbox.push(b"x" * 30)
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        order.append("read")
        got = b""
        while len(got) < 30:
            got += await client.receive_some()
        await wait_all_tasks_blocked()
    assert order == ["read", "drained"] * 2


def send(outbox: Outbox, data: bytes) -> None:
    """Send as the broker does."""
    try:
        taken = outbox.send(data)
    except OSError:
        taken = 0
    if taken is not None and taken < len(data):
        outbox.queue_unsent(data, taken)


async def test_send_is_the_streams_own_while_nothing_waits(nursery: trio.Nursery) -> None:
    server, client = memory_pair(capacity=10)
    outbox = Outbox(server, nursery, RULES)
    functions: list[SendFunction] = [outbox.send]
    for number in range(20):
        send(outbox, b"%04d" % number)
    functions.append(outbox.send)
    assert outbox.waiting == 70
    assert await sip(client, 80) == b"".join(b"%04d" % number for number in range(20))
    await outbox.drained()
    functions.append(outbox.send)
    assert functions == [server.send_now, outbox.push, server.send_now]


async def test_a_kernel_that_is_full_to_the_byte_takes_nothing(nursery: trio.Nursery) -> None:
    server, client = memory_pair(capacity=10)
    outbox = Outbox(server, nursery, RULES)
    send(outbox, b"x" * 10)
    send(outbox, b"later")
    assert outbox.waiting == 5
    assert await client.receive_some(10) == b"x" * 10
    assert await client.receive_some(10) == b"later"


async def test_a_send_finds_out_that_the_peer_is_gone(nursery: trio.Nursery) -> None:
    server, client = memory_pair()
    outbox = Outbox(server, nursery, RULES)
    client.close()
    send(outbox, b"into the void")
    send(outbox, b"again")
    assert outbox.closed
    assert outbox.waiting == 0
    assert not nursery.child_tasks


async def test_a_closed_outbox_sends_nothing(nursery: trio.Nursery) -> None:
    server, client = memory_pair()
    outbox = Outbox(server, nursery, RULES)
    outbox.finish(b"last")
    send(outbox, b"never")
    assert await client.receive_some() == b"last"
    outbox.discard()


async def test_a_direct_send_above_the_limit_ends_with_the_final_frame(nursery: trio.Nursery) -> None:
    server, client = memory_pair(capacity=10)
    outbox = Outbox(server, nursery, RULES)
    send(outbox, b"begun-frame!")
    send(outbox, b"x" * 998)
    send(outbox, b"y")
    assert outbox.overflowed
    got = b""
    while len(got) < 22:
        got += await client.receive_some()
    assert got == b"begun-frame!<too slow>"
    outbox.discard()
