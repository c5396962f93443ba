"""The client connects again or gives up: waits, close codes, tokens, dead connections."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from chatd.client import Closed, SignedOut, Unreachable
from chatd.client.problems import ConnectionLost
from tests.chatd.client.fake import FakeServer, chat_with
from tests.chatd.client.reading import positions, read


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, 1012, 1013, 4008, 4029])
async def test_it_connects_again(code: int, autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        server.cut_all(code)
        server.publish()
        assert await positions(chat, 1) == [1]


@pytest.mark.parametrize("code", [1009, 4400, 4403, 4404, 4999])
async def test_it_does_not_connect_again(code: int, autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        server.publish()
        server.cut_all(code)
        assert await positions(chat, 1) == [1]
        with pytest.raises(Closed) as closed:
            await read(chat, 1)
        assert closed.value.code == code
        with pytest.raises(Closed):
            await chat.call("message:read", {})
    assert len(server.wires) == 1


async def test_waits_grow_and_shrink_again_after_a_steady_connection(autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        for wait in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0):
            at = trio.current_time()
            server.cut_all()
            await chat.call("message:read", {}, repeat=True)
            assert trio.current_time() - at == pytest.approx(wait)
        await trio.sleep(11)
        at = trio.current_time()
        server.cut_all()
        await chat.call("message:read", {}, repeat=True)
        assert trio.current_time() - at == pytest.approx(0.25)


async def test_retry_after_is_honoured(autojump_clock: MockClock) -> None:
    server = FakeServer()
    server.failing_dials.append(ConnectionLost(1013, "HTTP 503", 7.0))
    async with chat_with(server):
        assert server.dials[1] - server.dials[0] == pytest.approx(7)


async def test_a_dead_connection_is_found_and_replaced(autojump_clock: MockClock) -> None:
    server = FakeServer()
    async with chat_with(server) as chat:
        await trio.sleep(110)
        assert len(server.wires) == 1
        assert [name for name, _ in server.wire.calls] == ["rpc.ping"] * 4
        server.silent = True
        await trio.sleep(50)
        assert len(server.wires) > 1
        server.silent = False
        server.publish()
        assert await positions(chat, 1) == [1]


async def test_a_rejected_token_ends_the_chat_without_a_function(autojump_clock: MockClock) -> None:
    server = FakeServer()
    server.accepts_token = lambda token: False
    with pytest.raises(SignedOut, match="The token has expired"):
        async with chat_with(server):
            pass


async def test_a_function_is_called_for_a_fresh_token(autojump_clock: MockClock) -> None:
    server = FakeServer()
    given: list[str] = []

    async def token() -> str:
        given.append(f"t{len(given)}")
        return given[-1]

    async with chat_with(server, token) as chat:
        server.cut_all()
        await chat.call("message:read", {}, repeat=True)
        assert given == ["t0"]
        server.accepts_token = lambda token: token != "t0"
        server.cut_all(4401)
        server.publish()
        assert await positions(chat, 1) == [1]
        assert server.wire.token == "t1"
        server.accepts_token = lambda token: False
        server.cut_all(4401)
        with pytest.raises(SignedOut):
            await read(chat, 1)
        assert given == ["t0", "t1", "t2"]


async def test_an_error_of_the_token_function_is_raised(autojump_clock: MockClock) -> None:
    async def token() -> str:
        raise RuntimeError("no more tokens")

    with pytest.raises(RuntimeError, match="no more tokens"):
        async with chat_with(FakeServer(), token):
            pass


async def test_patience_ends(autojump_clock: MockClock) -> None:
    server = FakeServer()
    server.failing_dials.extend(ConnectionLost() for _ in range(100))
    began = trio.current_time()
    with pytest.raises(Unreachable):
        async with chat_with(server, patience=60.0):
            pass
    assert 30 < trio.current_time() - began <= 60
    server.failing_dials.clear()
    async with chat_with(server, patience=60.0) as chat:
        await trio.sleep(600)
        server.cut_all()
        assert await chat.call("message:read", {}, repeat=True) == {"ok": True}


@pytest.mark.parametrize("url", ["127.0.0.1:3000", "ftp://x", "http://"])
async def test_a_bad_address_is_refused(url: str) -> None:
    from chatd.client import connect

    with pytest.raises(ValueError, match="not the address of a server"):
        async with connect(url, "t"):
            pass
