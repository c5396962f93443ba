"""The largest size of a body: small without a valid token, large with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.outside.raw import Raw, request
from tests.scenes.chat_server import chat_server

LONG = b'{"username":"romeo","password":"%b"}' % (b"x" * 9_000)


@pytest.mark.parametrize("path", ["/auth/register", "/auth/login", "/auth/refresh", "/auth/logout"])
async def test_a_client_that_is_not_known_sends_short_bodies(tmp_path: Path, path: str) -> None:
    async with chat_server(tmp_path) as server:
        assert (await server.rest.ask("POST", path, LONG))[0] == 413
        async with await Raw.connect(server.address) as raw:
            chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(LONG), LONG)
            head = f"POST {path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
            assert (await raw.asks(head + chunks))[0] == 413


async def test_a_token_widens_the_limit_and_not_for_accounts(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo = await server.register("romeo")
        made = await romeo.asks("POST", "/conversations", b'{"type":"group","participants":[]}' + b" " * 100_000)
        assert made["type"] == "group"
        await romeo.asks("POST", "/auth/login", LONG, status=413)
        await romeo.asks("POST", "/conversations", b" " * (1 << 20) + b"{}", status=413)


@pytest.mark.parametrize("token", ["", "a.b.c"])
async def test_a_token_that_is_not_valid_is_refused_before_a_long_body_is_read(tmp_path: Path, token: str) -> None:
    body = b"x" * 100_000
    async with chat_server(tmp_path) as server, await Raw.connect(server.address) as raw:
        data = request("POST", "/conversations", body, token=token)
        status, said = await raw.asks(data[: len(data) - len(body) + 1])
        assert (status, b"AUTH_INVALID" in said) == (401, True)
        await raw.is_hung_up()


async def test_the_limit_is_a_setting(tmp_path: Path) -> None:
    async with chat_server(tmp_path, limits__first_body_bytes="0") as server:
        assert (await server.rest.ask("POST", "/auth/login", LONG))[0] == 400


async def test_more_values_than_the_setting_allows_are_refused_on_every_wire(tmp_path: Path) -> None:
    async with chat_server(tmp_path, limits__json_values="50") as server:
        romeo = await server.register("romeo")
        many = {"type": "group", "participants": [romeo.id] * 60}
        said = await romeo.asks("POST", "/conversations", many, status=400)
        assert said["message"] == "The JSON holds more than 50 values"
        client = await server.rpc(romeo)
        await client.notifies("message:send", {"attachments": ["x"] * 60})
        while "id" not in (refused := await client._next()):
            pass
        assert (refused["id"], refused["error"]["message"]) == (None, said["message"])
