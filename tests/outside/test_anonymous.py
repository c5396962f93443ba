"""Requests without a valid token have a limit for each address; valid tokens behind the same address pay nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatd.server.router import TOO_MANY_REQUESTS
from protocol.errors import RATE_LIMITED
from protocol.events import AccountChanged
from protocol.ids import Ref
from tests.outside.raw import Raw, request, upgrade
from tests.scenes.chat_server import ChatServer, chat_server

LIMITS = {"limits__anonymous_per_address": "0.1", "limits__anonymous_per_address_burst": "5"}
STRANGERS = {
    "invalid tokens": request("GET", "/conversations", token="no.token.atall"),
    "no token": request("GET", "/conversations"),
    "readyz": request("GET", "/readyz"),
    "healthz": request("GET", "/healthz"),
    "a file": request("GET", "/client.js"),
    "refused upgrades": upgrade("/nowhere"),
    "polling handshakes": request("GET", "/socket.io/?EIO=4&transport=polling"),
    "unknown sessions": request("GET", "/socket.io/?EIO=4&transport=polling&sid=unknown"),
    "nothing there": request("GET", "/nowhere"),
}


async def is_limited(server: ChatServer, asked: bytes) -> int:
    """Send requests until the answer is 429; the number of other answers."""
    for count in range(20):
        async with await Raw.connect(server.address) as raw:
            status, body = await raw.asks(asked)
        if status == 429:
            assert json.loads(body)["code"] == RATE_LIMITED.code
            return count
    raise AssertionError("there is no limit")


@pytest.mark.parametrize("kind", STRANGERS)
async def test_every_request_of_a_stranger_counts(tmp_path: Path, kind: str) -> None:
    async with chat_server(tmp_path, **LIMITS) as server:
        assert await is_limited(server, STRANGERS[kind]) == 5
        assert (b"retry-after", b"1") in TOO_MANY_REQUESTS.headers


async def test_the_files_of_the_page_have_a_limit_of_their_own(tmp_path: Path) -> None:
    """A first visit loads a hundred of them, and must not lock out who shares the address."""
    limits = {"limits__page_files_per_address": "0.1", "limits__page_files_per_address_burst": "7"}
    async with chat_server(tmp_path, **LIMITS, **limits) as server:
        assert await is_limited(server, request("GET", "/")) == 7
        for path in ("/web/x/client.js", "/sw.js", "/manifest.webmanifest"):
            assert await is_limited(server, request("GET", path)) == 0
        assert await is_limited(server, upgrade("/", token="no.token.atall")) == 5, "/ is a namespace as well"


async def test_valid_tokens_do_not_pay_for_strangers(tmp_path: Path) -> None:
    """A token that was accepted before passes, on REST and on sockets. A new token has to wait like a bad one."""
    async with chat_server(tmp_path, **LIMITS) as server:
        romeo = await server.register("romeo")
        known = request("GET", "/conversations", token=romeo.token)
        async with await Raw.connect(server.address) as raw:
            for _ in range(20):
                assert (await raw.asks(known))[0] == 200
            await is_limited(server, STRANGERS["invalid tokens"])
            assert (await raw.asks(known))[0] == 200
        async with await Raw.open(server.address, romeo.token) as raw:
            assert (await raw.call("rpc.ping"))["result"] == "pong"


async def test_a_valid_token_gives_back_what_its_first_request_paid(tmp_path: Path) -> None:
    async with chat_server(tmp_path, **LIMITS) as server:
        romeo = await server.register("romeo")
        server.running.app.anonymous.clear("127.0.0.1")
        for _ in range(20):
            server.running.app.publisher.publish(AccountChanged(Ref(romeo.id, 0)))
            async with await Raw.open(server.address, romeo.token) as raw:
                assert (await raw.call("rpc.ping"))["result"] == "pong"
            server.running.app.publisher.publish(AccountChanged(Ref(romeo.id, 0)))
            async with await Raw.connect(server.address) as raw:
                assert (await raw.asks(request("GET", "/conversations", token=romeo.token)))[0] == 200
            async with await Raw.open(server.address) as raw:
                assert (await raw.call("auth", {"token": romeo.token}))["result"] == {"ok": True}
        assert await is_limited(server, STRANGERS["healthz"]) == 5


async def test_a_poll_of_an_open_session_pays_nothing(tmp_path: Path) -> None:
    async with chat_server(tmp_path, **LIMITS) as server, await Raw.connect(server.address) as raw:
        _, opened = await raw.asks(STRANGERS["polling handshakes"])
        sid = json.loads(opened[1:])["sid"]
        await is_limited(server, STRANGERS["healthz"])
        path = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
        assert (await raw.asks(request("POST", path, b"40/chat,{}")))[0] == 200
        assert (await raw.asks(request("GET", path)))[0] == 200
