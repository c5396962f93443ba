"""chatd.client against a server in memory, in virtual time: its behaviour in every failure."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from chatd.client import AnswerLost, Closed, Refused, StreamEvent, StreamGap
from chatd.client.problems import ConnectionLost
from tests.chatd.client.fake import FakeServer, FakeWire, chat_with
from tests.chatd.client.reading import ROOM, positions, read


async def test_an_event_has_all_its_fields(autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        await chat.call("conversation:join", ROOM)
        server.publish("message:created", room="r")
        server.wire.push("typing", {"userId": 2})
        assert await read(chat, 2) == [
            StreamEvent("message:created", {"n": 1}, 1, "r"),
            StreamEvent("typing", {"userId": 2}),
        ]


async def test_missed_events_arrive_once_and_in_order(autojump_clock: MockClock) -> None:
    server = FakeServer()
    server.overlap = 3
    async with chat_with(server) as chat:
        await chat.call("conversation:join", ROOM)
        server.publish(room="r")
        server.publish()
        server.cut_all()
        server.publish(room="r")
        server.publish()
        assert await positions(chat, 4) == [1, 2, 3, 4]
        assert server.wire.query == {"rooms": "1", "epoch": "e0", "pos": "1", "connection": "c0"}
        server.publish()
        assert await positions(chat, 1) == [5]


async def test_a_cut_between_two_names_of_one_position_loses_neither(autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        server.publish("new_message", "message_notification")
        server.cut_all(keep=1)
        assert [event.name for event in await read(chat, 2)] == ["new_message", "message_notification"]
        server.publish("next")
        assert [event.name for event in await read(chat, 1)] == ["next"]


@pytest.mark.parametrize("reason", ["epoch", "trimmed"])
async def test_a_gap_is_delivered_after_the_rooms_are_joined_again(reason: str, autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        await chat.call("conversation:join", ROOM)
        await chat.call("conversation:join", {"conversationId": "left"})
        await chat.call("conversation:leave", {"conversationId": "left"})
        server.publish(room="r")
        assert await positions(chat, 1) == [1]
        if reason == "epoch":
            server.restore(0)
        else:
            server.cut_all()
            server.publish()
            server.trimmed = 2
        gap = (await read(chat, 1))[0]
        assert isinstance(gap, StreamGap)
        assert gap.reason == reason
        assert server.wire.calls == [("conversation:join", ROOM)]
        server.publish(room="r")
        assert await positions(chat, 1) == [server.position]


async def test_a_gap_is_delivered_by_a_later_connection_when_one_ends_before(autojump_clock: MockClock) -> None:
    server = FakeServer()
    lost: list[str] = []

    def cut_before_the_answer(wire: FakeWire, name: str) -> None:
        if name == "conversation:join" and len(server.wires) == 2:
            lost.append(wire.connection)
            wire.cut()

    async with chat_with(server) as chat:
        await chat.call("conversation:join", ROOM)
        server.before_answer = cut_before_the_answer
        server.restore(0)
        assert isinstance((await read(chat, 1))[0], StreamGap)
        assert lost == ["c1"]
        assert server.wire.query["epoch"] == server.epoch  # this connection was recovered, not the one before
        server.publish(room="r")
        assert await positions(chat, 1) == [1]


async def test_a_room_that_rejects_the_client_is_not_joined_again(autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        await chat.call("conversation:join", ROOM)
        server.refusals.append((-32004, {"ok": False, "error": {"code": "NOT_FOUND", "message": "no"}}))
        server.restore(0)
        assert isinstance((await read(chat, 1))[0], StreamGap)
        server.restore(0)
        assert isinstance((await read(chat, 1))[0], StreamGap)
        assert server.wire.calls == []


async def test_a_send_is_repeated_with_its_client_id_until_it_is_answered(autojump_clock: MockClock) -> None:
    server = FakeServer()
    cuts = [3]

    def lose_the_answer(wire: FakeWire, name: str) -> None:
        if name == "message:send" and cuts[0]:
            cuts[0] -= 1
            wire.cut(keep=0)

    server.before_answer = lose_the_answer
    async with chat_with(server) as chat:
        ack = await chat.send("message:send", {**ROOM, "content": "hi"})
        assert ack == {"ok": True, "data": {"_id": 1}}
        assert len(server.wires) == 4
        assert len(server.messages) == 1
        assert await positions(chat, 1) == [1]
        await chat.send("message:send", {**ROOM, "clientId": "mine"})
        await chat.send("message:send", ROOM, client_id="too")
        assert list(server.messages)[1:] == ["mine", "too"]


async def test_a_call_raises_when_its_answer_is_lost(autojump_clock: MockClock) -> None:
    server = FakeServer()
    server.before_answer = lambda wire, name: wire.cut(keep=0)
    async with chat_with(server) as chat:
        with pytest.raises(AnswerLost):
            await chat.call("message:edit", {"messageId": "1"})
        server.before_answer = lambda wire, name: None
        assert await chat.call("message:edit", {"messageId": "1"}) == {"ok": True}
        assert len(server.wires) == 2


async def test_a_call_waits_for_a_connection(autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        server.failing_dials.append(ConnectionLost())
        server.cut_all()
        await trio.testing.wait_all_tasks_blocked()
        assert not chat.connected
        assert await chat.call("message:read", {}) == {"ok": True}


async def test_a_refusal_has_the_body_of_the_dialect(autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        body = {"ok": False, "error": {"code": "FORBIDDEN", "message": "no"}}
        server.refusals.append((-32003, body))
        with pytest.raises(Refused) as refused:
            await chat.call("message:edit", {})
        assert (refused.value.code, refused.value.again, refused.value.body) == ("FORBIDDEN", False, body)
        server.refusals.append((-32009, {"message": "Otherwise"}))
        with pytest.raises(Refused, match="CONFLICT"):
            await chat.send("message:send", {})


@pytest.mark.parametrize(
    ("number", "body", "wait"),
    [
        (-32029, {"ok": False, "error": {"code": "RATE_LIMITED", "message": "no", "retryAfter": 7}}, 7.0),
        (-32029, {"ok": False, "error": {"code": "RATE_LIMITED", "message": "no"}}, 0.25),
        (-32050, {"code": "UNAVAILABLE"}, 0.25),
        (-32603, None, 0.25),
    ],
)
async def test_a_send_is_repeated_when_the_refusal_allows_it(
    number: int, body: Any, wait: float, autojump_clock: MockClock
) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        server.refusals.append((number, body))
        began = trio.current_time()
        await chat.send("message:send", {})
        assert trio.current_time() - began == pytest.approx(wait)


async def test_after_rate_limited_all_calls_wait(autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat, trio.open_nursery() as nursery:
        server.refusals.append((-32029, {"retryAfter": 5}))
        nursery.start_soon(chat.send, "message:send", {})
        await trio.sleep(1)
        before = trio.current_time()
        await chat.send("message:send", {})
        assert trio.current_time() - before == pytest.approx(4)


async def test_calls_keep_the_rate_that_the_server_allows(autojump_clock: MockClock) -> None:
    server = FakeServer()
    server.limits = {"calls_per_second": 10, "calls_burst": 20}
    async with chat_with(server) as chat:
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(chat.call, "message:read", {})
        assert trio.current_time() - began == pytest.approx(3, abs=0.01)


async def test_a_call_that_is_too_large_is_not_sent(autojump_clock: MockClock) -> None:
    server = FakeServer()
    server.limits = {"message_bytes": 100}
    async with chat_with(server) as chat:
        with pytest.raises(Refused, match="TOO_LARGE"):
            await chat.send("message:send", {"content": "x" * 100})
        assert server.wire.calls == []


async def test_a_slow_reader_blocks_the_network_and_loses_nothing(autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server, buffer=10) as chat:
        for _ in range(100):
            server.publish()
        await trio.testing.wait_all_tasks_blocked()
        assert len(server.wire.unread) == 89
        await trio.sleep(100)
        assert len(server.wires) == 1  # the client caused the silence itself, so the connection is not dead
        server.cut_all(4008, keep=30)
        assert await positions(chat, 100) == list(range(1, 101))


async def test_a_reader_may_make_calls_with_a_full_buffer(autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server, buffer=10) as chat:
        seen: list[int | None] = []
        for _ in range(100):
            server.publish()
        async for event in chat.events():
            seen.append(event.position)
            assert await chat.call("message:read", {}) == {"ok": True}
            if len(seen) == 100:
                break
        assert seen == list(range(1, 101))
        assert len(server.wires) > 1


async def test_a_mark_resumes_after_the_last_event_that_was_read(autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        await chat.call("conversation:join", ROOM)
        for _ in range(5):
            server.publish(room="r")
        assert await positions(chat, 2) == [1, 2]
        mark = chat.mark
    async with chat_with(server, resume=mark) as chat:
        assert await positions(chat, 3) == [3, 4, 5]
        mark = chat.mark
    server.restore(3)
    async with chat_with(server, resume=mark) as chat:
        assert isinstance((await read(chat, 1))[0], StreamGap)


async def test_a_mark_from_before_the_gap_is_delivered_keeps_the_gap(autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        await chat.call("conversation:join", ROOM)
        server.before_answer = lambda wire, name: server.publish()
        server.restore(0)
        assert isinstance((await read(chat, 1))[0], StreamEvent)
        mark = chat.mark
    server.before_answer = lambda wire, name: None
    async with chat_with(server, resume=mark) as chat:
        assert isinstance((await read(chat, 1))[0], StreamGap)


async def test_cancelling_a_call_leaves_the_others_alone(autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        server.silent = True
        with trio.move_on_after(1):
            await chat.call("message:read", {})
        server.silent = False
        server.wire.send_to_client({"id": 1, "result": "late"})
        assert await chat.call("message:read", {}) == {"ok": True}


async def test_an_error_in_the_block_is_not_wrapped(autojump_clock: MockClock) -> None:
    server = FakeServer()
    with pytest.raises(ZeroDivisionError):
        async with chat_with(server):
            raise ZeroDivisionError
    with trio.move_on_after(5) as scope:
        async with chat_with(server) as chat:
            await read(chat, 1)
    assert scope.cancelled_caught
    with pytest.raises(Closed):
        await chat.call("message:read", {})
