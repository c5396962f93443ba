"""P5 from outside: a connection closes at once when its token expires or its account is closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio

from tests.outside.chatting import two_chat
from tests.outside.raw import Raw, request
from tests.outside.server import Chatd, faultless_server, token

LIFE = 1.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chatd]:
    with faultless_server(tmp_path_factory.mktemp("signed-out")) as chatd:
        yield chatd


async def test_a_token_that_expires_closes_its_socket_within_a_second_or_so(server: Chatd) -> None:
    async with two_chat(server.address, (token(1), token(2))):
        shown, began = token(3, seconds=LIFE), trio.current_time()
        async with await Raw.open(server.address, shown) as raw:
            assert await raw.closed() == 4401
        lived = trio.current_time() - began
        assert LIFE - 0.1 <= lived <= LIFE + 1.5
        async with await Raw.connect(server.address) as raw:
            assert (await raw.asks(request("GET", "/conversations", token=shown)))[0] == 401


async def test_chatd_user_disable_beside_the_server_closes_every_socket_of_theirs_at_once(server: Chatd) -> None:
    made = await trio.to_thread.run_sync(server.run, "user", "add", "tybalt", "--no-password")
    assert made.returncode == 0, made.stderr
    printed = await trio.to_thread.run_sync(server.run, "token", "tybalt")
    shown = printed.stdout.strip()
    async with (
        two_chat(server.address, (token(11), token(12))),
        await Raw.open(server.address, shown) as one,
        await Raw.open(server.address, shown, "/notifications") as other,
    ):
        closed = await trio.to_thread.run_sync(server.run, "user", "disable", "tybalt")
        assert closed.returncode == 0, closed.stderr
        with trio.fail_after(2):
            assert [await one.closed(), await other.closed()] == [4401, 4401]
        async with await Raw.open(server.address) as again:
            await again.say({"id": 1, "method": "auth", "params": {"token": shown}})
            assert (await again.reply())["error"]["code"] == -32001
            assert await again.closed() == 4401
