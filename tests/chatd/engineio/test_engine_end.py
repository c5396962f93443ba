"""The heartbeat of Engine.IO sessions, and each way in which a session ends."""

from __future__ import annotations

from functools import partial

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from chatd.engineio.session import EngineSession
from chatd.net.framer import frame_text
from chatd.net.request import Request
from tests.chatd.engineio.engine_app import RULES, app, both
from tests.chatd.engineio.served_packets import SLOW_HEART, appending_to, status_and_body
from tests.chatd.listening import receive


class TestHeartbeat:
    async def test_polling(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            sid = await here.handshake()
            for _ in range(5):
                assert status_and_body(await here.get(sid)) == (200, "2")
                assert status_and_body(await here.post(sid, b"3")) == (200, "ok")

    async def test_websocket(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            peer = here.connect()
            await peer.receive_open()
            for _ in range(5):
                assert await peer.receive() == "2"
                peer.send("3")

    @pytest.mark.parametrize(("later", "over"), [(0.499, False), (0.5, True)])
    async def test_silence_is_measured_from_the_handshake_to_the_millisecond(
        self, later: float, over: bool, autojump_clock: MockClock
    ) -> None:
        async with app() as here:
            sid = await here.handshake()
            await trio.sleep(later)
            assert await here.is_over(sid) is over

    async def test_a_silent_websocket_is_closed(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            peer = here.connect()
            await peer.receive_open()
            start = trio.current_time()
            assert [await peer.receive(), await peer.receive()] == ["2", None]
            assert trio.current_time() - start == pytest.approx(0.5, abs=0.03)

    async def test_the_next_ping_comes_an_interval_after_the_pong(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            peer = here.connect()
            await peer.receive_open()
            assert await peer.receive() == "2"
            await trio.sleep(0.1)
            peer.send("3")
            start = trio.current_time()
            assert await peer.receive() == "2"
            assert trio.current_time() - start == pytest.approx(0.3, abs=0.03)

    async def test_a_pong_without_a_ping_keeps_no_session_alive(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            peer = here.connect()
            await peer.receive_open()
            for _ in range(4):
                await trio.sleep(0.05)
                peer.send("3")
            assert await peer.receive() == "2"
            assert await peer.receive() is None

    @pytest.mark.parametrize("stray", ["3", "6", "5", "0"])
    async def test_a_flood_of_strays_ends_the_session(self, stray: str, autojump_clock: MockClock) -> None:
        async with app(rules=SLOW_HEART) as here:
            peer = here.connect()
            await peer.receive_open()
            peer.send(*[stray] * 100, "4still")
            assert await peer.receive() == "4still"
            peer.send(stray)
            assert await peer.receive() is None

    async def test_strays_are_counted_from_ping_to_ping(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            peer = here.connect()
            await peer.receive_open()
            for _ in range(3):
                peer.send(*["6"] * 60)
                assert await peer.receive() == "2"
                peer.send("3")

    async def test_a_client_that_opens_no_namespace_is_closed(self, autojump_clock: MockClock) -> None:
        async def serve(session: EngineSession, request: Request) -> None:
            await receive(session)

        async with app(serve, SLOW_HEART) as here:
            peer = here.connect()
            sid = (await peer.receive_open())["sid"]
            polled = await here.handshake()
            assert await peer.receive() == "2"
            peer.send("3")
            await here.get(polled)
            await here.post(polled, b"3")
            await trio.sleep(19.99)
            assert sid in here.engine.sessions
            assert await peer.receive() is None
            assert trio.current_time() == pytest.approx(45, abs=1.1)
            assert status_and_body(await here.get(polled)) == (200, "1")
            assert await here.is_over(polled)

    async def test_a_client_that_opens_a_namespace_may_stay(self, autojump_clock: MockClock) -> None:
        async with app(rules=SLOW_HEART) as here:
            peer = here.connect()
            await peer.receive_open()
            for _ in range(4):
                assert await peer.receive() == "2"
                peer.send("3")
            assert trio.current_time() > 99


class TestClose:
    async def test_the_client_closes_while_it_polls(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            sid = await here.handshake()
            get, post = await both(partial(here.get, sid), partial(here.post, sid, b"1"))
            assert (status_and_body(get), status_and_body(post)) == ((200, "6"), (200, "ok"))
            assert await here.is_over(sid)

    async def test_the_close_overtakes_the_poll(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            sid = await here.handshake()
            assert status_and_body(await here.post(sid, b"1")) == (200, "ok")
            assert status_and_body(await here.get(sid)) == (200, "6")
            assert await here.is_over(sid)

    async def test_packets_before_a_close_are_received(self, autojump_clock: MockClock) -> None:
        received: list[bytes] = []
        async with app(appending_to(received)) as here:
            sid = await here.handshake()
            await here.post(sid, b"4last packet\x1e1\x1e4never")
        assert received == [b"last packet"]

    async def test_the_server_closes_behind_its_packets(self, autojump_clock: MockClock) -> None:
        async def serve(session: EngineSession, request: Request) -> None:
            await receive(session)
            session.write(frame_text(b"4bye"))
            session.close(4401, "out")

        async with app(serve) as here:
            sid = await here.handshake()
            await here.post(sid, b"4x")
            assert status_and_body(await here.get(sid)) == (200, "4bye")
            assert status_and_body(await here.get(sid)) == (200, "1")
            assert await here.is_over(sid)

    async def test_a_last_packet_without_a_poll_is_forgotten(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            sid = await here.handshake()
            here.engine.close(1012, "restarting")
            assert sid in here.engine.sessions
            await trio.sleep(RULES.linger_seconds + 1)
            assert not here.engine.sessions

    async def test_an_exception_ends_one_session_and_is_reported(self, autojump_clock: MockClock) -> None:
        async def serve(session: EngineSession, request: Request) -> None:
            await receive(session)
            raise RuntimeError("a fault")

        async with app(serve, SLOW_HEART) as here:
            sid, other = await here.handshake(), await here.handshake()
            await here.post(sid, b"4x")
            assert status_and_body(await here.get(sid)) == (200, "1")
            assert [str(crash) for crash in here.crashes] == ["a fault"]
            assert other in here.engine.sessions
