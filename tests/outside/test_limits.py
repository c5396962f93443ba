"""P7 from outside: the documented limits with their defaults, and the answer at each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import trio

from tests.outside.chatting import client, new_group
from tests.outside.raw import TEXT, Raw, frame, request, upgrade
from tests.outside.server import Chatd, faultless_server, token

RATE_LIMITED = -32029


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chatd]:
    with faultless_server(tmp_path_factory.mktemp("limits")) as chatd:
        yield chatd


async def group(server: Chatd, owner: int) -> str:
    async with client(server.address, token(owner)) as one:
        return await new_group(one, server.address, token(owner), [])


async def calls(raw: Raw, method: str, params: object, times: int) -> list[dict[str, Any]]:
    """The same call so often at once: the answers."""
    said = json.dumps({"id": 1, "method": method, "params": params}).encode()
    await raw.send(frame(TEXT, said) * times)
    return [await raw.reply() for _ in range(times)]


def limited(answers: list[dict[str, Any]]) -> int:
    """The number of RATE_LIMITED answers; there must be no other error."""
    errors = [answer["error"]["code"] for answer in answers if "error" in answer]
    assert set(errors) <= {RATE_LIMITED}
    return len(errors)


async def test_sixty_messages_at_once_from_one_user_on_all_devices_together(server: Chatd) -> None:
    where = await group(server, 1)
    async with await Raw.open(server.address, token(1)) as one, await Raw.open(server.address, token(1)) as other:
        message = {"conversationId": where, "content": "hi"}
        assert limited(await calls(one, "message:send", message, 50)) == 0
        refused = limited(await calls(other, "message:send", message, 30))
        assert 15 <= refused <= 20, refused  # a few tokens may have been refilled meanwhile


async def test_a_client_that_sends_too_fast_is_told_when_to_try_again(server: Chatd) -> None:
    where = await group(server, 7)
    async with await Raw.open(server.address, token(7)) as raw:
        answers = await calls(raw, "message:send", {"conversationId": where, "content": "hi"}, 90)
        refused = [answer["error"]["data"]["error"] for answer in answers if "error" in answer]
        assert [error.get("retryAfter", 0) > 0 for error in refused] == [True] * len(refused)


async def test_five_typing_signals_at_once(server: Chatd) -> None:
    where = await group(server, 2)
    async with await Raw.open(server.address, token(2)) as raw:
        answers = await calls(raw, "typing", {"conversationId": where, "isTyping": True}, 9)
        assert 3 <= limited(answers) <= 4


async def test_a_hundred_rest_requests_at_once(server: Chatd) -> None:
    async with await Raw.connect(server.address) as raw:
        statuses = []
        for _ in range(140):
            status, _ = await raw.asks(request("GET", "/unread", token=token(3)))
            statuses.append(status)
        assert set(statuses) == {200, 429}
        assert statuses[:100] == [200] * 100
    async with await Raw.connect(server.address) as raw:
        assert (await raw.asks(request("GET", "/unread", token=token(4))))[0] == 200


async def test_two_hundred_connections_of_one_address(server: Chatd) -> None:
    """The next one is rejected before the upgrade. When one has closed, a new one connects."""
    inside: list[Raw] = []
    try:
        while len(inside) < 220:
            raw = await Raw.connect(server.address)
            status, _ = await raw.asks(upgrade(token=token(5)))
            inside.append(raw)
            if status != 101:
                break
        assert (len(inside), status) == (201, 503)
    finally:
        for raw in inside:
            await trio.aclose_forcefully(raw.stream)
    with trio.fail_after(5):
        while True:
            async with await Raw.connect(server.address) as raw:
                if (await raw.asks(upgrade(token=token(5))))[0] == 101:
                    break


async def test_bodies_beyond_a_mebibyte_and_text_beyond_ten_thousand_characters(server: Chatd) -> None:
    where = await group(server, 6)
    path = f"/conversations/{where}/messages"
    for content, status in (("é" * 10_000, 201), ("é" * 10_001, 400), ("a" * (1 << 20), 413)):
        async with await Raw.connect(server.address) as raw:
            body = json.dumps({"content": content}, ensure_ascii=False).encode()
            assert (await raw.asks(request("POST", path, body, token=token(6))))[0] == status
