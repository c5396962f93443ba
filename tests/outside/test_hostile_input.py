"""Hostile input at the port, while two clients chat undisturbed."""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Iterator

import pytest
import trio

from tests.outside.chatting import two_chat
from tests.outside.hostile_calls import HERE, ODD, is_bad_request
from tests.outside.hostile_frames import BROKEN, TAKEN
from tests.outside.hostile_http import PASSED_OVER, REFUSED
from tests.outside.raw import CLOSE, NO_CLOSE, TEXT, Raw, frame, request, upgrade
from tests.outside.server import Chatd, faultless_server, token, until

HASTY = {
    "limits.head_timeout": "500ms",
    "limits.auth_timeout": "500ms",
    "limits.idle_timeout": "2s",
    "limits.ping_interval": "1s",
    "limits.ping_timeout": "1s",
    "limits.rest_per_user": "0",
    "limits.sends_per_user": "0",
}
"""The usual limits, with shorter times."""

ROMEO, JULIET, TYBALT, MERCUTIO = (token(number) for number in (1, 2, 3, 4))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chatd]:
    """One server for all tests. At the end it must run, with a clean log and nothing left behind."""
    with faultless_server(tmp_path_factory.mktemp("hostile"), HASTY) as chatd:
        yield chatd
        assert chatd.alive


async def conversation(address: str, owner: str, *others: int) -> str:
    async with await Raw.connect(address) as raw:
        body = json.dumps({"type": "group", "participants": list(others)}).encode()
        status, made = await raw.asks(request("POST", "/conversations", body, token=owner))
        assert status == 201, made
        return str(json.loads(made)["_id"])


async def lets_go(server: Chatd, descriptors: int) -> None:
    """Wait until all these connections are gone."""
    await until(lambda: server.descriptors <= descriptors)


async def test_every_broken_frame_is_closed_with_the_code_of_the_rfc(server: Chatd) -> None:
    async with two_chat(server.address, (ROMEO, JULIET)):
        before = server.descriptors
        for name, (data, code) in BROKEN.items():
            async with await Raw.open(server.address, TYBALT) as raw:
                await raw.send(data)
                assert await raw.closed() == code, name
        await lets_go(server, before)


async def test_odd_frames_that_are_allowed_end_nothing(server: Chatd) -> None:
    async with two_chat(server.address, (ROMEO, JULIET)):
        for name, data in TAKEN.items():
            async with await Raw.open(server.address, TYBALT) as raw:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(raw.send, data + frame(TEXT, b'{"id":"end","method":"rpc.ping"}'))
                    with trio.fail_after(10):
                        while (await raw.reply())["id"] != "end":
                            pass
                assert (await raw.call("rpc.ping"))["result"] == "pong", name


async def test_odd_json_is_answered_bad_request_and_the_connection_goes_on(server: Chatd) -> None:
    async with two_chat(server.address, (ROMEO, JULIET)):
        here = await conversation(server.address, TYBALT)
        wrong = {}
        for name, text in ODD.items():
            async with await Raw.open(server.address, TYBALT) as raw:
                await raw.say(text.replace(HERE, here))
                answer = await raw.reply()
                if not is_bad_request(answer):
                    wrong[name] = answer
                assert (await raw.call("rpc.ping"))["result"] == "pong", name
        assert wrong == {}


async def test_the_same_id_many_times_is_answered_as_often(server: Chatd) -> None:
    async with await Raw.open(server.address, TYBALT) as raw:
        await raw.send(frame(TEXT, b'{"jsonrpc":"2.0","id":0,"method":"rpc.ping"}') * 90)
        for _ in range(90):
            assert await raw.reply() == {"jsonrpc": "2.0", "id": 0, "result": "pong"}


@pytest.mark.parametrize("calls", ["rpc.ping", "conversation:join", ""])
async def test_a_flood_of_calls_is_told_so_three_times_and_then_closed(server: Chatd, calls: str) -> None:
    async with two_chat(server.address, (ROMEO, JULIET)), await Raw.open(server.address, TYBALT) as raw:
        await raw.send(frame(TEXT, json.dumps({"id": 1, "method": calls}).encode()) * 1_000)
        assert await raw.closed() == 4029
        limited = [said for said in raw.pushes if said.get("error", {}).get("code") == -32029]
        assert len(limited) == 3


@pytest.mark.parametrize("size", [101, 3_000, 21_800])
async def test_a_batch_that_is_too_long_gets_one_error(server: Chatd, size: int) -> None:
    async with two_chat(server.address, (ROMEO, JULIET)), await Raw.open(server.address, TYBALT) as raw:
        await raw.say("[" + ",".join(["{}" if size > 3_000 else '{"id":1,"method":""}'] * size) + "]")
        assert is_bad_request(await raw.reply())
        assert (await raw.call("rpc.ping"))["result"] == "pong"


async def test_batches_of_as_many_calls_as_are_allowed_end_with_the_flood_code(server: Chatd) -> None:
    async with two_chat(server.address, (ROMEO, JULIET)), await Raw.open(server.address, TYBALT) as raw:
        for _ in range(2):
            await raw.say("[" + ",".join(['{"id":1,"method":""}'] * 100) + "]")
        assert await raw.closed() == 4029


async def test_an_unasked_response_is_not_answered_and_a_flood_of_it_is_a_flood(server: Chatd) -> None:
    async with await Raw.open(server.address, TYBALT) as raw:
        for response in ('{"jsonrpc":"2.0","id":1,"result":1}', '[{"jsonrpc":"2.0","id":1,"error":{"code":1}}]'):
            await raw.say(response)
        assert (await raw.call("rpc.ping"))["result"] == "pong"
        await raw.send(frame(TEXT, b'{"jsonrpc":"2.0","id":1,"result":1}') * 1_000)
        assert await raw.closed() == 4029


async def test_bad_http_gets_its_status_and_disturbs_no_client(server: Chatd) -> None:
    async with two_chat(server.address, (ROMEO, JULIET)):
        before = server.descriptors
        wrong = {}
        for name, (data, allowed) in {**REFUSED, **PASSED_OVER}.items():
            async with await Raw.connect(server.address) as raw:
                status, body = await raw.asks(data)
                if status not in allowed or b"Traceback" in body or b"<html" in body.lower():
                    wrong[name] = (status, body)
        await lets_go(server, before)
        assert wrong == {}


async def test_bytes_behind_an_upgrade_are_received_after_it(server: Chatd) -> None:
    async with await Raw.connect(server.address) as raw:
        early = frame(TEXT, b'{"jsonrpc":"2.0","id":"early","method":"rpc.ping"}')
        status, _ = await raw.asks(upgrade(token=TYBALT) + early)
        assert status == 101
        assert (await raw.message())["method"] == "ready"
        assert (await raw.reply())["id"] == "early"


@pytest.mark.parametrize(
    "smuggled",
    [
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", id="a request"),
        pytest.param(b"\0" * 4_000, id="zeros"),
        pytest.param(frame(TEXT, b"{}", masked=False), id="an unmasked frame"),
    ],
)
async def test_what_is_smuggled_behind_an_upgrade_is_a_broken_frame(server: Chatd, smuggled: bytes) -> None:
    async with await Raw.connect(server.address) as raw:
        status, _ = await raw.asks(upgrade(token=TYBALT) + smuggled)
        assert status == 101
        assert await raw.closed() == 1002


async def test_a_request_behind_another_is_answered_and_may_become_a_socket(server: Chatd) -> None:
    async with await Raw.connect(server.address) as raw:
        await raw.send(request("GET", "/healthz") * 20 + upgrade(token=TYBALT))
        assert [(await raw.answer())[0] for _ in range(21)] == [200] * 20 + [101]
        assert (await raw.message())["method"] == "ready"


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(token(3, seconds=-1), id="expired"),
        pytest.param(token(3, typ="refresh"), id="refresh"),
        pytest.param(token(3, token_use="refresh"), id="refresh, said otherwise"),
        pytest.param(token(3, pad="x" * 9_000), id="huge"),
        pytest.param(token(3)[:-4] + "AAAA", id="forged"),
        pytest.param("eyJhbGciOiJub25lIn0.eyJzdWIiOiIzIiwiZXhwIjo5OTk5OTk5OTk5fQ.", id="alg none"),
        pytest.param("a.b.c", id="garbage"),
        pytest.param(".", id="dots"),
        pytest.param(token(0), id="user 0"),
        pytest.param("", id="empty"),
    ],
)
async def test_a_client_with_a_bad_token_is_rejected_with_a_reason(server: Chatd, shown: str) -> None:
    async with await Raw.connect(server.address) as raw:
        assert (await raw.asks(upgrade(headers={"Authorization": f"Bearer {shown}"})))[0] == 101
        assert await raw.closed() == 4401
        assert raw.pushes[0]["method"] == "error"
        assert raw.pushes[0]["params"]["code"] == "AUTH_INVALID"
    async with await Raw.connect(server.address) as raw:
        status, said = await raw.asks(request("GET", "/conversations", token=shown or "x"))
        assert (status, json.loads(said)["code"]) == (401, "AUTH_INVALID")


async def test_a_client_without_a_token_is_closed_in_time(server: Chatd) -> None:
    async with await Raw.open(server.address) as silent, await Raw.open(server.address) as talking:
        await talking.send(frame(TEXT, b'{"id":1,"method":"message:send"}') * 50)
        assert (await talking.reply())["error"]["code"] == -32001
        for raw in (silent, talking):
            with trio.fail_after(5):
                assert await raw.closed() == 4401


async def test_a_flood_before_any_token_is_a_flood_too(server: Chatd) -> None:
    async with two_chat(server.address, (ROMEO, JULIET)), await Raw.open(server.address) as raw:
        await raw.send(frame(TEXT, b'{"id":1,"method":"x"}') * 500)
        assert await raw.closed() == 4029


async def test_what_comes_right_behind_the_token_is_received(server: Chatd) -> None:
    async with await Raw.open(server.address) as raw:
        call = {"id": "auth", "method": "auth", "params": {"token": TYBALT}}
        pings = b"".join(frame(TEXT, json.dumps({"id": name, "method": "rpc.ping"}).encode()) for name in "ab")
        await raw.send(pings + frame(TEXT, json.dumps(call).encode()) + pings)
        assert [(await raw.reply())["id"] for _ in range(5)] == ["a", "b", "auth", "a", "b"]


async def test_slow_heads_are_closed_at_the_deadline(server: Chatd) -> None:
    async def drip(raw: Raw, first: bytes) -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            await raw.send(first)
            while first:
                await trio.sleep(0.2)
                await raw.send(b"a")

    async def hold(first: bytes) -> None:
        async with await Raw.connect(server.address) as raw, trio.open_nursery() as dripping:
            dripping.start_soon(drip, raw, first)
            await raw.is_hung_up(5)
            dripping.cancel_scope.cancel()

    async with two_chat(server.address, (ROMEO, JULIET)), trio.open_nursery() as nursery:
        for first in (b"", b"G", b"GET /healthz HTTP/1.1\r\nHost: a\r\n", upgrade()[:-2]) * 10:
            nursery.start_soon(hold, first)


async def test_a_client_that_answers_no_ping_is_closed(server: Chatd) -> None:
    """A half-open connection: the other end is gone without a close. (The deadlines here are 1 s and 1 s.)"""
    async with await Raw.open(server.address, TYBALT) as raw:
        with trio.fail_after(6):
            assert await raw.closed() == 1011


async def test_a_client_that_disconnects_in_the_middle_leaves_nothing_behind(server: Chatd) -> None:
    async with two_chat(server.address, (ROMEO, JULIET)):
        before = server.descriptors
        whole = request("POST", "/auth/login", b'{"username":"a","password":"b"}')
        socket = upgrade(token=TYBALT) + frame(TEXT, b'{"id":1,"method":"rpc.ping"}') * 10
        for data in (whole, socket):
            for at in range(0, len(data), 17):
                async with await Raw.connect(server.address) as raw:
                    await raw.send(data[:at])
                    raw.cut()
        await lets_go(server, before)


async def test_a_close_is_answered_once_and_what_follows_is_not_received(server: Chatd) -> None:
    async with await Raw.open(server.address, TYBALT) as raw:
        bye = frame(CLOSE, struct.pack("!H", 1000))
        await raw.send(bye + bye + frame(TEXT, b'{"id":1,"method":"rpc.ping"}'))
        assert await raw.closed() == 1000
        assert await raw.closed() == NO_CLOSE


async def test_memory_comes_back_after_a_storm(server: Chatd) -> None:
    async with two_chat(server.address, (ROMEO, JULIET)):

        async def storm() -> None:
            for _ in range(5):
                async with await Raw.open(server.address, MERCUTIO) as raw:
                    await raw.send(frame(TEXT, b"a" * 65_000, final=False))
                    raw.cut()

        descriptors = server.descriptors
        memory = []
        for _ in range(3):
            async with trio.open_nursery() as nursery:
                for _ in range(20):
                    nursery.start_soon(storm)
            await lets_go(server, descriptors)
            memory.append(server.memory)
        assert memory[-1] <= memory[0] * 1.1, memory
