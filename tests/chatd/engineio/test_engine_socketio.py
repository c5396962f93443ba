"""The official suite of Socket.IO, case by case, over the echo and the engine, in virtual time."""

from __future__ import annotations

import json

import pytest
import trio
from trio.testing import MockClock

from tests.apps.socketio_echo import echo_events
from tests.chatd.engineio.engine_app import EngineApp, Peer, SessionRules, app

CALM = SessionRules()


async def connected(here: EngineApp, namespace: str = "") -> Peer:
    peer = here.connect()
    await peer.receive_open()
    peer.send("40" + namespace)
    await peer.receive()
    await peer.receive()
    return peer


@pytest.mark.parametrize(
    ("said", "prefix", "auth"),
    [
        ("40", "40", '42["auth",{}]'),
        ('40{"token":"123"}', "40", '42["auth",{"token":"123"}]'),
        ("40/custom,", "40/custom,", '42/custom,["auth",{}]'),
        ('40/custom,{"token":"abc"}', "40/custom,", '42/custom,["auth",{"token":"abc"}]'),
    ],
)
async def test_a_namespace_is_opened(said: str, prefix: str, auth: str, autojump_clock: MockClock) -> None:
    async with app(echo_events, CALM) as here:
        peer = here.connect()
        await peer.receive_open()
        peer.send(said)
        opened = await peer.receive()
        assert isinstance(opened, str)
        assert opened.startswith(prefix)
        assert list(json.loads(opened.removeprefix(prefix))) == ["sid"]
        assert await peer.receive() == auth


async def test_a_namespace_that_is_not_there(autojump_clock: MockClock) -> None:
    async with app(echo_events, CALM) as here:
        peer = here.connect()
        await peer.receive_open()
        peer.send("40/random")
        assert await peer.receive() == '44/random,{"message":"Invalid namespace"}'


@pytest.mark.parametrize("said", ["4abc", "42{}", '42abc["message-with-ack",1,"2",{"3":[false]}]', "4"])
async def test_what_breaks_the_grammar_closes_the_connection(said: str, autojump_clock: MockClock) -> None:
    async with app(echo_events, CALM) as here:
        fresh = here.connect()
        await fresh.receive_open()
        peer = await connected(here)
        for one in (fresh, peer):
            one.send(said)
            assert await one.receive() is None


async def test_a_client_that_opens_nothing_is_closed(autojump_clock: MockClock) -> None:
    async with app(echo_events, CALM) as here:
        peer = here.connect()
        await peer.receive_open()
        while await peer.receive() == "2":
            peer.send("3")
        assert trio.current_time() == pytest.approx(45, abs=1.1)


async def test_leaving_a_namespace_leaves_the_others(autojump_clock: MockClock) -> None:
    async with app(echo_events) as here:
        peer = await connected(here)
        peer.send("41")
        assert await peer.receive() == "2"
    async with app(echo_events, CALM) as here:
        peer = await connected(here)
        peer.send("40/custom")
        await peer.receive()
        await peer.receive()
        peer.send("41/custom", '42["message","message to main namespace"]')
        assert await peer.receive() == '42["message-back","message to main namespace"]'


BOTH = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'


@pytest.mark.parametrize(
    ("said", "received"),
    [
        (['42["message",1,"2",{"3":[true]}]'], ['42["message-back",1,"2",{"3":[true]}]']),
        (['42456["message-with-ack",1,"2",{"3":[false]}]'], ['43456[1,"2",{"3":[false]}]']),
        (
            [f'452-["message",{BOTH}]', b"\1\2\3", b"\4\5\6"],
            [f'452-["message-back",{BOTH}]', b"\1\2\3", b"\4\5\6"],
        ),
        ([f'452-789["message-with-ack",{BOTH}]', b"\1", b"\2"], [f"462-789[{BOTH}]", b"\1", b"\2"]),
    ],
)
async def test_events_and_acknowledgements(
    said: list[str | bytes], received: list[str | bytes], autojump_clock: MockClock
) -> None:
    async with app(echo_events, CALM) as here:
        peer = await connected(here)
        peer.send(*said)
        assert [await peer.receive() for _ in received] == received


async def test_the_same_by_polling(autojump_clock: MockClock) -> None:
    async with app(echo_events, CALM) as here:
        sid = await here.handshake()
        await here.post(sid, b'40\x1e452-789["message-with-ack",{"_placeholder":true,"num":0}]\x1ebAQI=\x1ebAw==')
        opened, auth, *ack = (await here.get(sid)).body.split(b"\x1e")
        assert opened.startswith(b'40{"sid":')
        assert auth == b'42["auth",{}]'
        assert ack == [b'462-789[{"_placeholder":true,"num":0}]', b"bAQI=", b"bAw=="]
