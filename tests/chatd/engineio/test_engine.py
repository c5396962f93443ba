"""Engine.IO as its official suite demands, and under misuse."""

from __future__ import annotations

import json
from functools import partial

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from chatd.engineio.engine import SessionRules
from chatd.engineio.session import EngineSession
from chatd.net.framer import frame_text
from chatd.net.http import HttpServer
from chatd.net.http_connection import HttpRules
from chatd.net.memory import memory_pair
from chatd.net.request import Request
from chatd.net.socket import socket_rules
from tests.chatd.engineio.engine_app import app, both
from tests.chatd.engineio.served_packets import SLOW_HEART, appending_to, status_and_body
from tests.chatd.listening import receive


class TestHandshake:
    async def test_polling_announces_the_rules_of_the_session(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            answer = await here.ask("GET", "EIO=4&transport=polling&t=abc")
            assert answer.status == 200
            assert dict(answer.headers)[b"content-type"] == b"text/plain; charset=UTF-8"
            fields = json.loads(answer.body[1:])
            assert answer.body[:1] == b"0"
            assert len(fields.pop("sid")) >= 20
            assert fields == {
                "upgrades": ["websocket"],
                "pingInterval": 300,
                "pingTimeout": 200,
                "maxPayload": 1_000_000,
            }

    async def test_a_websocket_has_nothing_to_upgrade_to(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            assert (await here.connect().receive_open())["upgrades"] == []

    @pytest.mark.parametrize(
        ("method", "query", "code", "message"),
        [
            ("GET", "transport=polling", 5, "Unsupported protocol version"),
            ("GET", "EIO=3&transport=polling", 5, "Unsupported protocol version"),
            ("GET", "EIO=abc&transport=polling", 5, "Unsupported protocol version"),
            ("GET", "EIO=4", 0, "Transport unknown"),
            ("GET", "EIO=4&transport=abc", 0, "Transport unknown"),
            ("GET", "EIO=4&transport=webtransport", 0, "Transport unknown"),
            ("GET", "EIO=4&transport=websocket", 3, "Bad request"),
            ("POST", "EIO=4&transport=polling", 2, "Bad handshake method"),
            ("PUT", "EIO=4&transport=polling", 2, "Bad handshake method"),
            ("GET", "EIO=4&transport=polling&sid=unknown", 1, "Session ID unknown"),
            ("POST", "EIO=4&transport=polling&sid=%00", 1, "Session ID unknown"),
        ],
    )
    async def test_a_bad_request_is_refused_as_by_the_reference_server(
        self, method: str, query: str, code: int, message: str, autojump_clock: MockClock
    ) -> None:
        async with app() as here:
            answer = await here.ask(method, query)
            assert (answer.status, json.loads(answer.body)) == (400, {"code": code, "message": message})
            assert not here.engine.sessions

    @pytest.mark.parametrize("query", ["transport=websocket", "EIO=4", "EIO=4&transport=polling&sid=x", "EIO=4&sid=x"])
    async def test_an_upgrade_is_refused_before_its_101(self, query: str, autojump_clock: MockClock) -> None:
        async with app() as here:
            request = here.request("GET", query, (b"upgrade", b"websocket"), (b"connection", b"upgrade"))
            refused = here.engine.refuse(request)
            assert refused is not None
            assert refused.status == 400

    async def test_sids_are_never_the_same(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            assert len({await here.handshake() for _ in range(50)}) == 50

    async def test_an_address_may_open_a_limited_number_of_sessions(self, autojump_clock: MockClock) -> None:
        async with app(sessions_per_address=2) as here:
            first = await here.handshake()
            await here.handshake()
            assert (await here.ask("GET", "EIO=4&transport=polling")).status == 503
            await here.post(first, b"1")
            await here.get(first)
            await here.handshake()


class TestPolling:
    @pytest.mark.parametrize("body", [b"4hello", b"4test1\x1e4test2\x1e4test3", b"4hello\x1ebAQIDBA=="])
    async def test_packets_there_and_back(self, body: bytes, autojump_clock: MockClock) -> None:
        async with app() as here:
            sid = await here.handshake()
            assert status_and_body(await here.post(sid, body)) == (200, "ok")
            assert status_and_body(await here.get(sid)) == (200, body.decode())

    async def test_a_get_waits_for_a_packet(self, autojump_clock: MockClock) -> None:
        async with app(rules=SLOW_HEART) as here:
            sid = await here.handshake()
            get, _ = await both(partial(here.get, sid), partial(here.post, sid, b"4late"))
            assert status_and_body(get) == (200, "4late")

    @pytest.mark.parametrize("body", [b"abc", b"", b"4a\x1e\x1e4b", b"b!", b"4\xff", b"2", b"2probe"])
    async def test_what_is_no_packet_ends_the_session(self, body: bytes, autojump_clock: MockClock) -> None:
        async with app() as here:
            sid = await here.handshake()
            answer = await here.post(sid, body)
            assert answer.status == 400 or body[:1] == b"2"
            assert await here.is_over(sid)

    async def test_packets_before_a_bad_one_are_received(self, autojump_clock: MockClock) -> None:
        received: list[bytes] = []
        async with app(appending_to(received)) as here:
            sid = await here.handshake()
            assert (await here.post(sid, b"4a\x1e4b\x1eabc\x1e4d")).status == 400
        assert received == [b"a", b"b"]

    async def test_too_many_packets_end_the_session(self, autojump_clock: MockClock) -> None:
        async with app(rules=SessionRules(payload_packets=3)) as here:
            sid = await here.handshake()
            assert status_and_body(await here.post(sid, b"4\x1e4\x1e4")) == (200, "ok")
            assert (await here.post(sid, b"4\x1e4\x1e4\x1e4")).status == 400
            assert await here.is_over(sid)

    async def test_a_body_above_the_announced_size_ends_the_session(self, autojump_clock: MockClock) -> None:
        async with app(rules=SessionRules(payload_bytes=10)) as here:
            sid = await here.handshake()
            assert status_and_body(await here.post(sid, b"4" * 10)) == (200, "ok")
            answer = await here.post(sid, b"4" * 11)
            assert (answer.status, answer.close) == (413, True)
            assert await here.is_over(sid)

    async def test_two_gets_end_the_session(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            sid = await here.handshake()
            first, second = await both(partial(here.get, sid), partial(here.get, sid))
            assert status_and_body(first) == (200, "1")
            assert second.status == 400
            assert await here.is_over(sid)

    async def test_two_posts_end_the_session_even_when_one_is_still_arriving(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            sid = await here.handshake()
            query = f"EIO=4&transport=polling&sid={sid}"
            first, second = here.request("POST", query), here.request("POST", query)
            late = here.engine.direct(first)
            assert (await here.engine.direct(second)(second, b"4x")).status == 400
            assert (await late(first, b"4x")).status == 200
            assert await here.is_over(sid)

    async def test_a_get_whose_client_left_ends_the_session(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            sid = await here.handshake()
            with trio.move_on_after(0.005):
                await here.get(sid)
            assert await here.is_over(sid)

    @pytest.mark.parametrize("leaves", [True, False])
    async def test_a_poll_whose_client_hangs_up_ends_the_session(self, leaves: bool, autojump_clock: MockClock) -> None:
        async with app(rules=SLOW_HEART) as here:
            sid = await here.handshake()
            server = HttpServer(here, here.nursery, HttpRules(), socket_rules(), crashed=here.crashes.append)
            ours, theirs = memory_pair()
            here.nursery.start_soon(server.serve, ours)
            head = f"GET /engine.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n\r\n"
            theirs.send_now(head.encode())
            await trio.testing.wait_all_tasks_blocked()
            if leaves:
                theirs.close()
                await trio.testing.wait_all_tasks_blocked()
                assert await here.is_over(sid)
            else:
                await here.post(sid, b"4late")
                await trio.testing.wait_all_tasks_blocked()
                assert (await theirs.receive_some()).endswith(b"\r\n\r\n4late")
                theirs.close()
            assert not here.crashes

    async def test_a_post_waits_for_a_reader_that_is_busy(self, autojump_clock: MockClock) -> None:
        async def serve(session: EngineSession, request: Request) -> None:
            while True:
                await trio.sleep(3)
                await receive(session)

        async with app(serve, SLOW_HEART) as here:
            sid = await here.handshake()
            start = trio.current_time()
            await here.post(sid, b"4a")
            assert trio.current_time() - start == pytest.approx(3)

    async def test_other_methods_are_no_requests(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            sid = await here.handshake()
            assert (await here.ask("DELETE", f"EIO=4&transport=polling&sid={sid}")).status == 400

    async def test_a_client_that_never_polls_costs_its_outbox_and_no_more(self, autojump_clock: MockClock) -> None:
        sessions: list[EngineSession] = []

        async def serve(session: EngineSession, request: Request) -> None:
            sessions.append(session)
            await receive(session)

        async with app(serve, SessionRules(outbox_bytes=1_000)) as here:
            sid = await here.handshake()
            await trio.testing.wait_all_tasks_blocked()
            (session,) = sessions
            session.write(frame_text(b"4" + b"x" * 600))
            session.write(frame_text(b"4dropped"), True)
            assert session.outbox.waiting == 605
            session.write(frame_text(b"4" + b"x" * 600))
            assert session.outbox.waiting == 0
            assert session.closing
            session.write(frame_text(b"4more"))
            assert status_and_body(await here.get(sid)) == (200, "1")
            assert await here.is_over(sid)


class TestOwners:
    async def test_a_session_is_its_owners(self, autojump_clock: MockClock) -> None:
        mine, yours = (b"authorization", b"Bearer mine"), (b"authorization", b"Bearer yours")
        async with app(rules=SLOW_HEART) as here:
            sid = await here.handshake(mine)
            for headers in ((yours,), ()):
                answer = await here.post(sid, b"4x", *headers)
                assert json.loads(answer.body) == {"code": 1, "message": "Session ID unknown"}
            assert (await here.post(sid, b"4x", mine)).status == 200
            upgrade = (b"upgrade", b"websocket"), (b"connection", b"upgrade")
            query = f"EIO=4&transport=websocket&sid={sid}"
            assert here.engine.refuse(here.request("GET", query, yours, *upgrade)) is not None
            assert here.engine.refuse(here.request("GET", query, mine, *upgrade)) is None
            assert here.engine.refuse(here.request("GET", query, *upgrade)) is None

    async def test_a_session_without_an_owner_has_no_other_owner(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            sid = await here.handshake()
            assert (await here.post(sid, b"4x", (b"authorization", b"Bearer x"))).status == 400


class TestWebSocket:
    async def test_packets_there_and_back(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            peer = here.connect()
            await peer.receive_open()
            peer.send("4hello", b"\1\2\3\4")
            assert [await peer.receive(), await peer.receive()] == ["4hello", b"\1\2\3\4"]

    @pytest.mark.parametrize("text", ["abc", "", "7", "2", "2probe", "b", "1"])
    async def test_what_is_no_packet_ends_the_session(self, text: str, autojump_clock: MockClock) -> None:
        async with app() as here:
            peer = here.connect()
            await peer.receive_open()
            peer.send(text, "4unheard")
            assert await peer.receive() is None
            assert not here.engine.sessions

    async def test_the_client_is_gone(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            peer = here.connect()
            await peer.receive_open()
            peer.stream.close()
            await trio.testing.wait_all_tasks_blocked()
            assert not here.engine.sessions


class TestPages:
    async def test_every_answer_has_the_headers_that_a_browser_asks_for(self, autojump_clock: MockClock) -> None:
        allow = ((b"access-control-allow-origin", b"https://a.example"), (b"access-control-allow-credentials", b"true"))
        async with app(headers=lambda request: allow) as here:
            sid = await here.handshake()
            for answer in (
                await here.ask("OPTIONS", f"EIO=4&transport=polling&sid={sid}"),
                await here.ask("GET", "EIO=4&transport=polling"),
                await here.post(sid, b"4x"),
                await here.get(sid),
                await here.get("unknown"),
            ):
                assert set(allow) <= set(answer.headers)

    async def test_a_preflight_is_answered_without_a_body(self, autojump_clock: MockClock) -> None:
        async with app() as here:
            assert status_and_body(await here.ask("OPTIONS", "EIO=4&transport=polling")) == (204, "")


async def test_the_sweep_follows_the_settings(autojump_clock: MockClock) -> None:
    """A slow heartbeat is checked rarely: the longest pause is one second."""
    async with app(rules=SLOW_HEART) as here:
        peer = here.connect()
        await peer.receive_open()
        start = trio.current_time()
        assert await peer.receive() == "2"
        assert 25 <= trio.current_time() - start <= 26
