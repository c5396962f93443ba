"""Answers that are not read: bounded for each user, and freed when their connections end."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatd.rest.unsent import Unsent
from protocol.errors import UNAVAILABLE, Refusal
from tests.outside.raw import Raw, request
from tests.outside.server import until
from tests.scenes.chat_server import chat_server
from tests.scenes.test_colon_chat import group

LARGE = "\U0001f339" * 10_000  # 200 of them are 8 MB, which is more than a kernel takes


def test_one_answer_of_any_size_is_possible_and_no_second() -> None:
    unsent = Unsent()
    unsent.check(1, 100, 1_000)
    out = unsent.hold(1, 1_000)
    for more in (0, 1):
        with pytest.raises(Refusal) as refused:
            unsent.check(1, 100, more)
        assert refused.value.code is UNAVAILABLE
        assert refused.value.retry_after
    unsent.check(2, 100)
    unsent.check(1, 0)
    out()
    unsent.check(1, 100)
    assert len(unsent) == 0


async def test_a_user_who_does_not_read_is_refused_and_others_are_not(tmp_path: Path) -> None:
    async with chat_server(tmp_path, limits__page_bytes="0", limits__unsent_per_user="4194304") as server:
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        path = f"/conversations/{await group(romeo, juliet)}/messages"
        for _ in range(200):
            await romeo.asks("POST", path, {"content": LARGE}, status=201)
        asked = request("GET", f"{path}?limit=200", token=romeo.token)
        unread: list[Raw] = []
        try:
            for _ in range(4):
                raw = await Raw.connect(server.address)
                unread.append(raw)
                await raw.send(asked)
            async with await Raw.connect(server.address) as raw:
                statuses = [0]
                while statuses[-1] != 503:
                    statuses.append((await raw.asks(request("GET", "/conversations", token=romeo.token)))[0])
                    assert len(statuses) < 200, "never refused"
                hers = await raw.asks(request("GET", f"{path}?limit=200", token=juliet.token))
                assert hers[0] == 200
                assert len(hers[1]) > 8_000_000
        finally:
            for raw in unread:
                raw.cut()
        async with await Raw.connect(server.address) as raw:
            await until(lambda: server.running.front.open == 1)
            assert (await raw.asks(request("GET", "/conversations", token=romeo.token)))[0] == 200
