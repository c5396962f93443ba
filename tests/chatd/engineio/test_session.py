"""The upgrade of an Engine.IO session: in any order of arrival, nothing is lost and nothing is overtaken."""

from __future__ import annotations

import json
from functools import partial

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from chatd.engineio.engine import SessionRules
from chatd.engineio.polling import unframe
from chatd.engineio.session import LAST_FIVE_SECONDS, EngineSession
from chatd.net.framer import frame_binary, frame_text
from chatd.net.request import Request, Response
from protocol.frames import Packet
from tests.apps.socketio_echo import echo_events
from tests.chatd.engineio.engine_app import EngineApp, Peer, app, both
from tests.chatd.listening import receive

CALM = SessionRules()


def status_and_body(answer: Response) -> tuple[int, str]:
    return answer.status, answer.body.decode()


def refused(answer: Response) -> bool:
    return answer.status == 400 and json.loads(answer.body) == {"code": 3, "message": "Bad request"}


class TestUpgrade:
    async def test_as_the_suite_does_it(self, autojump_clock: MockClock) -> None:
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            peer = await here.upgrade(sid)
            assert status_and_body(await here.get(sid)) == (200, "6")
            peer.send("5", "4hello")
            assert await peer.receive() == "4hello"
            assert refused(await here.get(sid))
            assert refused(await here.post(sid, b"4x"))
            peer.send("4still here")
            assert await peer.receive() == "4still here"

    async def test_a_poll_that_waits_is_ended_by_the_probe(self, autojump_clock: MockClock) -> None:
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            start = trio.current_time()
            get, peer = await both(partial(here.get, sid), partial(here.upgrade, sid))
            assert status_and_body(get) == (200, "6")
            assert trio.current_time() == start
            peer.send("5")

    async def test_what_waits_for_a_poll_goes_first_on_the_websocket(self, autojump_clock: MockClock) -> None:
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            peer = await here.upgrade(sid)
            await here.post(sid, b"4a\x1ebAQID\x1e4b")
            peer.send("5", "4c")
            assert [await peer.receive() for _ in range(4)] == ["4a", b"\1\2\3", "4b", "4c"]

    async def test_a_poll_during_the_probe_gets_what_waits(self, autojump_clock: MockClock) -> None:
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            peer = await here.upgrade(sid)
            await here.post(sid, b"4a")
            assert status_and_body(await here.get(sid)) == (200, "4a")
            peer.send("5", "4b")
            assert await peer.receive() == "4b"

    @pytest.mark.parametrize("poll_first", [True, False])
    async def test_the_five_and_a_poll_at_once(self, poll_first: bool, autojump_clock: MockClock) -> None:
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            peer = await here.upgrade(sid)

            async def five() -> None:
                peer.send("5")

            steps = [partial(here.get, sid), five]
            results = await both(*(steps if poll_first else reversed(steps)))
            assert refused(next(result for result in results if result is not None))
            peer.send("4hello")
            assert await peer.receive() == "4hello"

    async def test_a_second_websocket_gets_its_101_and_is_closed(self, autojump_clock: MockClock) -> None:
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            peer = await here.upgrade(sid)
            second = here.connect(sid)
            assert await second.receive() is None
            peer.send("5")
            third = here.connect(sid)
            assert await third.receive() is None
            peer.send("4hello")
            assert await peer.receive() == "4hello"

    async def test_a_second_websocket_for_one_that_began_as_a_websocket(self, autojump_clock: MockClock) -> None:
        async with app(rules=CALM) as here:
            peer = here.connect()
            sid = (await peer.receive_open())["sid"]
            assert await here.connect(sid).receive() is None
            assert refused(await here.get(sid))
            assert refused(await here.post(sid, b"4x"))
            peer.send("4hello")
            assert await peer.receive() == "4hello"

    @pytest.mark.parametrize("messages", [("4hello",), ("2",), ("2probe", "4x"), (b"5",), ("5x",), ("",)])
    async def test_a_wrong_probe_changes_nothing(
        self, messages: tuple[str | bytes, ...], autojump_clock: MockClock
    ) -> None:
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            peer = here.connect(sid)
            peer.send(*messages)
            received = await peer.receive()
            assert received is None or (received, await peer.receive()) == ("3probe", None)
            await here.post(sid, b"4x")
            assert status_and_body(await here.get(sid)) == (200, "4x")
            await self._moves(here, sid)

    async def test_a_probe_without_a_second_message_is_ended(self, autojump_clock: MockClock) -> None:
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            peer = await here.upgrade(sid)
            assert await peer.receive() is None
            assert trio.current_time() == pytest.approx(CALM.upgrade_seconds)
            await self._moves(here, sid)

    async def test_a_broken_probe_changes_nothing(self, autojump_clock: MockClock) -> None:
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            peer = await here.upgrade(sid)
            peer.stream.close()
            await trio.testing.wait_all_tasks_blocked()
            await self._moves(here, sid)

    async def test_the_session_ends_under_the_probe(self, autojump_clock: MockClock) -> None:
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            peer = await here.upgrade(sid)
            await here.post(sid, b"1")
            peer.send("5")
            assert await peer.receive() is None
            assert status_and_body(await here.get(sid)) == (200, "6")
            assert await here.is_over(sid)

    async def test_the_last_packets_follow_a_client_that_is_changing_over(self, autojump_clock: MockClock) -> None:
        """The client polls no more, and its "5" is on its way."""
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            peer = await here.upgrade(sid)
            session = here.engine.sessions[sid]
            session.write(frame_text(b"4the last"))
            session.close(4001, "signed out")
            peer.send("5")
            assert await peer.receive() == "4the last"
            assert await peer.receive() is None

    async def test_a_probe_does_not_outlive_its_session_for_long(self, autojump_clock: MockClock) -> None:
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            peer = await here.upgrade(sid)
            here.engine.sessions[sid].close(4001, "signed out")
            began = trio.current_time()
            assert await peer.receive() is None
            assert trio.current_time() - began <= LAST_FIVE_SECONDS

    async def test_a_close_right_behind_the_five(self, autojump_clock: MockClock) -> None:
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            peer = await here.upgrade(sid)
            peer.send("5", "4a", "1")
            assert await peer.receive() in ("4a", None)
            assert await here.is_over(sid)

    async def test_a_post_that_waits_for_the_reader_is_answered_by_the_move(self, autojump_clock: MockClock) -> None:
        async def serve(session: EngineSession, request: Request) -> None:
            while True:
                await trio.sleep(50)
                await receive(session)

        async with app(serve, SessionRules(interval_seconds=100, connect_seconds=0)) as here:
            sid = await here.handshake()

            async def move() -> Peer:
                peer = await here.upgrade(sid)
                peer.send("5")
                return peer

            post, _ = await both(partial(here.post, sid, b"4x"), move)
            assert status_and_body(post) == (200, "ok")
            assert trio.current_time() < 50
            await trio.sleep(100)

    async def test_the_heart_beats_on(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            sid = await here.handshake()
            assert status_and_body(await here.get(sid)) == (200, "2")
            peer = await here.upgrade(sid)
            peer.send("5", "3")
            assert await peer.receive() == "2"
            peer.send("3")
            assert await peer.receive() == "2"
            assert await peer.receive() is None
            assert not here.engine.sessions

    @staticmethod
    async def _moves(here: EngineApp, sid: str) -> None:
        peer = await here.upgrade(sid)
        peer.send("5", "4moved")
        assert await peer.receive() == "4moved"


async def test_a_session_that_opens_no_namespace_lingers_for_one_more_poll(autojump_clock: MockClock) -> None:
    async def serve(session: EngineSession, request: Request) -> None:
        while True:
            await receive(session)

    rules = SessionRules(interval_seconds=100, timeout_seconds=100, connect_seconds=10, linger_seconds=5)
    async with app(serve, rules) as here:
        sid, late = await here.handshake(), await here.handshake()
        await trio.sleep(12)
        assert status_and_body(await here.get(sid)) == (200, "1")
        assert await here.is_over(sid)
        await trio.sleep(5)
        assert late not in here.engine.sessions


async def test_a_header_by_polling_and_its_attachment_by_websocket(autojump_clock: MockClock) -> None:
    """The parts of a message belong to the session, not to the transport."""
    async with app(echo_events, CALM) as here:
        sid = await here.handshake()
        await here.post(sid, b"40")
        await here.get(sid)
        await here.post(sid, b'452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
        peer = await here.upgrade(sid)
        peer.send("5", b"\1", b"\2")
        assert (
            await peer.receive() == '452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
        )
        assert [await peer.receive(), await peer.receive()] == [b"\1", b"\2"]


async def test_a_caller_that_holds_the_outbox_of_polling_is_served_after_the_upgrade(
    autojump_clock: MockClock,
) -> None:
    sessions: list[EngineSession] = []

    async def serve(session: EngineSession, request: Request) -> None:
        sessions.append(session)
        await receive(session)

    async with app(serve, CALM) as here:
        sid = await here.handshake()
        await trio.testing.wait_all_tasks_blocked()
        (session,) = sessions
        before = session.outbox
        assert session.transport == "polling"
        peer = await here.upgrade(sid)
        peer.send("5")
        await trio.testing.wait_all_tasks_blocked()
        assert session.outbox is not before
        assert session.transport == "websocket"
        before.send(frame_text(b"4old"))
        session.write(frame_text(b"4new"))
        assert [await peer.receive(), await peer.receive()] == ["4old", "4new"]
        before.send(frame_text(b"4x" * 100_000))
        assert session.outbox.waiting == 0


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_frames_are_taken_apart_again(size: int) -> None:
    frames = frame_text(b"4" + b"x" * size) + frame_binary(b"y" * size) + frame_text(b"2")
    assert list(unframe(frames)) == [Packet(b"4" + b"x" * size), Packet(b"y" * size, True), Packet(b"2")]


async def test_messages_that_cross_the_upgrade_stay_in_order(autojump_clock: MockClock) -> None:
    """A hundred echoes during the upgrade, with the upgrade at each point between them."""
    for moment in range(0, 100, 7):
        async with app(rules=CALM) as here:
            sid = await here.handshake()
            for number in range(moment):
                await here.post(sid, b"4%d" % number)
            polled = (await here.get(sid)).body.decode().split("\x1e") if moment % 2 and moment else []
            peer = await here.upgrade(sid)
            peer.send("5", *[f"4{number}" for number in range(moment, 100)])
            received = polled + [await peer.receive() for _ in range(100 - len(polled))]
            assert received == [f"4{number}" for number in range(100)]
