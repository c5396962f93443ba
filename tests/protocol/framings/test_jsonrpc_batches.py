"""JSON-RPC batches: their answers, their limits, and batches with invalid members."""

from __future__ import annotations

import json

import pytest

from protocol.frames import InvalidFrame, Packet
from protocol.framings.jsonrpc import UNAUTHENTICATED_BATCH_MESSAGES, JsonRpc
from tests.protocol.framings.jsonrpc_calls import answers, converse, error, receive, respond


def test_the_batch_of_the_specification() -> None:
    batch = """[
        {"jsonrpc": "2.0", "method": "echo", "params": [1,2,4], "id": "1"},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
        {"jsonrpc": "2.0", "method": "echo", "params": [42,23], "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "rpc.ping", "id": "9"}
    ]"""
    expected = [
        {"jsonrpc": "2.0", "id": "1", "result": [1, 2, 4]},
        {"jsonrpc": "2.0", "id": "2", "result": [42, 23]},
        error(-32600, "method is required and must be a string"),
        error(-32601, "There is no such call", "5"),
        {"jsonrpc": "2.0", "id": "9", "result": "pong"},
    ]
    assert answers(batch) == expected
    [packet] = converse(batch, backwards=True)
    assert json.loads(packet.data) == expected[::-1]


@pytest.mark.parametrize(
    ("batch", "numbers"),
    [
        ("[1]", [-32600]),
        ("[1,2,3]", [-32600] * 3),
        ('[[],{"method":"echo","id":1}]', [-32600, None]),
        ('[{"method":1,"id":7},{"method":"no","id":8}]', [-32600, -32003]),
        ('[{"method":"echo"},null]', [-32600]),
    ],
)
def test_a_batch_with_something_else_in_it(batch: str, numbers: list[int | None]) -> None:
    assert [answer.get("error", {}).get("code") for answer in answers(batch)] == numbers


def test_a_batch_of_calls_without_ids_is_not_answered() -> None:
    assert converse('[{"method":"echo"},{"method":"no"},{"method":"rpc.ping"}]') == []


def test_a_batch_that_is_no_json_is_one_error() -> None:
    assert answers('[{"method":"echo","id":1},{"method"]') == error(-32700, "The frame is not valid JSON")


def test_a_batch_waits_for_its_last_answer() -> None:
    client = JsonRpc("/chat")
    first, second = receive('[{"method":"echo","id":1},{"method":"echo","id":2}]', client=client)
    assert respond(client, second) == ()
    [packet] = respond(client, first)
    assert [answer["id"] for answer in json.loads(packet.data)] == [2, 1]


def test_two_batches_at_once_are_two() -> None:
    client = JsonRpc("/chat")
    [one] = receive('[{"method":"echo","id":1}]', client=client)
    [two] = receive('[{"method":"echo","id":1}]', client=client)
    assert [len(json.loads(respond(client, frame)[0].data)) for frame in (two, one)] == [1, 1]


def test_a_batch_that_is_too_long_is_one_error_and_none_of_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    maximum = [3]
    client = JsonRpc("/chat", lambda: maximum[0])
    assert len(client.receive(Packet(b'[{"method":"a"},{"method":"b"},{"method":"c"}]'))) == 3
    maximum[0] = 2  # the setting has changed
    monkeypatch.delattr(JsonRpc, "_read_message")
    [frame] = client.receive(Packet(b'[{"method":"a"},{"method":"b"},{"method":"c"}]'))
    assert isinstance(frame, InvalidFrame)
    [packet] = respond(client, frame)
    assert json.loads(packet.data) == error(-32600, "A batch must hold at most 2 messages")


def test_an_unauthenticated_client_sends_short_batches() -> None:
    assert (
        len(receive(json.dumps([{"method": "a"}] * UNAUTHENTICATED_BATCH_MESSAGES))) == UNAUTHENTICATED_BATCH_MESSAGES
    )
    assert len(receive(json.dumps([{"method": "a"}] * (UNAUTHENTICATED_BATCH_MESSAGES + 1)))) == 1


def test_a_response_among_calls_is_not_waited_for() -> None:
    batch = '[{"id":1,"result":1},{"id":2,"method":"echo","params":[3]},{"id":3,"error":{}}]'
    assert answers(batch) == [{"jsonrpc": "2.0", "id": 2, "result": [3]}]
