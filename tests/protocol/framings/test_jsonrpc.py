"""JSON-RPC 2.0: the examples of its specification, ids byte for byte, and every kind of invalid request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import CODES
from protocol.frames import Acknowledged, Call, InvalidFrame, Packet, Ping
from protocol.framings.jsonrpc import JsonRpc, SharedJsonRpc
from tests.protocol.framings.jsonrpc_calls import answers, broken, call, converse, error, receive

# Calls


def test_a_call() -> None:
    frame = call('{"jsonrpc":"2.0","id":1,"method":"message:send","params":{"content":"hi"}}')
    assert (frame.namespace, frame.name, bytes(frame.arguments)) == ("/chat", "message:send", b'{"content":"hi"}')


@pytest.mark.parametrize("params", ["[]", "[1,2]", "{}", '{"a": {"b":[ 1 ]}}', '["\\u00e9\\"}"]'])
def test_params_pass_as_they_are(params: str) -> None:
    assert bytes(call(f'{{"method":"echo","params":{params}}}').arguments).decode() == params


def test_no_params() -> None:
    frame = call('{"method":"echo","id":1}')
    assert bytes(frame.arguments) == b""


def test_the_version_is_optional_and_further_members_are_allowed() -> None:
    assert call('{"method":"echo","id":1,"trace":{"a":1}}').name == "echo"


def test_without_an_id_nothing_is_answered() -> None:
    assert call('{"jsonrpc":"2.0","method":"echo","params":[1]}').id is None
    assert converse('{"jsonrpc":"2.0","method":"nothing"}') == []


@pytest.mark.parametrize(
    "id",
    [
        "0",
        "-0",
        "1",
        "-1",
        "1.5",
        "1.50",
        "1e2",
        "1E+2",
        "9007199254740993",
        "99999999999999999999999999999999",
        '""',
        '"a"',
        '"\\u0041"',
        '"\\n\\"{"',
        '"é😀"',
        "null",
        " 7 ",
    ],
)
def test_an_id_comes_back_byte_for_byte(id: str) -> None:
    [packet] = converse(f'{{"jsonrpc":"2.0","method":"echo","id":{id},"params":[1]}}')
    assert packet == Packet(f'{{"jsonrpc":"2.0","id":{id.strip()},"result":[1]}}'.encode())


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.none())
def test_any_id_comes_back(id: Any) -> None:
    text = json.dumps(id)
    [packet] = converse(f'{{"method":"echo","id":{text}}}')
    assert packet.data == f'{{"jsonrpc":"2.0","id":{text},"result":null}}'.encode()


@pytest.mark.parametrize("id", ["true", "false", "{}", '{"a":1}', "[]", "[1]"])
def test_what_is_no_id(id: str) -> None:
    assert answers(f'{{"method":"echo","id":{id}}}') == error(-32600, "id must be a string or a number")


def test_ping() -> None:
    [frame] = receive('{"jsonrpc":"2.0","id":2,"method":"rpc.ping"}')
    assert isinstance(frame, Ping)
    assert answers('{"id":2,"method":"rpc.ping"}') == {"jsonrpc": "2.0", "id": 2, "result": "pong"}
    assert converse('{"method":"rpc.ping"}') == []


# Answers


def test_an_answer_has_a_result_or_an_error_and_never_both() -> None:
    assert answers('{"method":"echo","id":1}') == {"jsonrpc": "2.0", "id": 1, "result": None}
    assert answers('{"method":"no","id":"x"}') == {
        "jsonrpc": "2.0",
        "id": "x",
        "error": {"code": -32003, "message": 'Not "yours"', "data": {"ok": False}},
    }
    assert answers('{"method":"huh","id":1}') == error(-32601, "There is no such call", 1)


def test_binary_gets_binary_and_text_gets_text() -> None:
    for text in ('{"method":"echo","id":1}', '[{"method":"no","id":1}]', "[", '{"id":1}'):
        for binary in (True, False):
            [packet] = converse(text, binary=binary)
            assert packet.binary is binary


def test_binary_that_is_no_utf8() -> None:
    assert broken(b'{"method":"\xff","id":1}', binary=True).refusal.code.number == -32700


def test_pushes() -> None:
    push = JsonRpc.push
    assert push("/chat", "message:created", b'{"a":1}', 4711, None) == (
        b'{"jsonrpc":"2.0","method":"message:created","params":{"a":1},"pos":4711}'
    )
    assert push("/chat", "typing", b"{}", None, None) == b'{"jsonrpc":"2.0","method":"typing","params":{}}'
    assert push("/chat", "x", b"{}", 1, "conversation:7") == push("/chat", "x", b"{}", 1, None)
    assert JsonRpc.push_with_room("/chat", "x", b"{}", 1, "conversation:7") == (
        b'{"jsonrpc":"2.0","method":"x","params":{},"room":"conversation:7","pos":1}'
    )
    assert JsonRpc.push_with_room("/chat", "x", b"{}", 1, None) == push("/chat", "x", b"{}", 1, None)
    assert json.loads(push("/chat", 'say "x"\n', b"{}", None, None))["method"] == 'say "x"\n'


def test_a_shared_socket_names_its_namespaces() -> None:
    client = SharedJsonRpc("/chat")
    assert call('{"method":"a","ns":"/notifications"}', client).namespace == "/notifications"
    assert call('{"method":"a"}', client).namespace == "/chat"
    assert call('{"method":"a","ns":"/other"}').namespace == "/chat"  # where it isn't shared, ns means nothing
    assert SharedJsonRpc.push("/chat", "x", b"{}", 1, None) == (
        b'{"jsonrpc":"2.0","ns":"/chat","method":"x","params":{},"pos":1}'
    )
    assert SharedJsonRpc.push_with_room("/chat", "x", b"{}", 1, "conversation:7") == (
        b'{"jsonrpc":"2.0","ns":"/chat","method":"x","params":{},"room":"conversation:7","pos":1}'
    )


# Invalid requests


@pytest.mark.parametrize(
    ("text", "number", "message", "id"),
    [
        ("", -32700, "The frame is not valid JSON", None),
        ("   ", -32700, "The frame is not valid JSON", None),
        ('{"method":"echo"', -32700, "The frame is not valid JSON", None),
        ("{'method':'echo'}", -32700, "The frame is not valid JSON", None),
        ('{"method":"echo","id":1,"params":{"a":nope}}', -32700, "The frame is not valid JSON", None),
        ('{"method":"echo","id":1}{}', -32700, "The frame is not valid JSON", None),
        ('\ufeff{"method":"echo","id":1}', -32700, "The frame is not valid JSON", None),
        ("7", -32600, "A request must be an object", None),
        ('"echo"', -32600, "A request must be an object", None),
        ("null", -32600, "A request must be an object", None),
        ("{}", -32600, "method is required and must be a string", None),
        ('{"id":5}', -32600, "method is required and must be a string", 5),
        ('{"id":"x","method":1}', -32600, "method must be a string", "x"),
        ('{"id":true,"method":1}', -32600, "method must be a string", None),
        ('{"id":5,"method":"echo","jsonrpc":"1.0"}', -32600, 'jsonrpc must be "2.0"', 5),
        ('{"id":5,"method":"echo","jsonrpc":2.0}', -32600, "jsonrpc must be a string", 5),
        ('{"id":5,"method":"echo","params":"bar"}', -32600, "params must be an object or an array", 5),
        ('{"id":5,"method":"echo","params":null}', -32600, "params must be an object or an array", 5),
        ('{"id":5,"method":"echo","ns":7}', -32600, "ns must be a string", 5),
        ("[]", -32600, "A batch must not be empty", None),
        (
            '{"method":"echo","id":1,"params":' + "[" * 40 + "]" * 40 + "}",
            -32602,
            "The JSON is nested more than 32 deep",
            None,
        ),
    ],
)
def test_what_is_no_request(text: str, number: int, message: str, id: Any) -> None:
    assert answers(text) == error(number, message, id)


@pytest.mark.parametrize(
    ("text", "member", "id"),
    [
        ('{"id":1,"method":"echo","method":"no"}', "method", 1),
        ('{"id":1,"method":"echo","params":[1],"params":[1]}', "params", 1),
        ('{"id":1,"method":"echo","\\u006dethod":"no"}', "method", 1),
        ('{"id":1,"id":2,"method":"echo"}', "id", None),
        ('[{"id":1,"method":"echo","jsonrpc":"2.0","jsonrpc":"2.0"}]', "jsonrpc", 1),
    ],
)
def test_a_duplicate_member(text: str, member: str, id: int | None) -> None:
    sent = answers(text)
    assert (sent[0] if isinstance(sent, list) else sent) == error(-32600, f"{member!r} is there twice", id)


WRITTEN = {
    "jsonrpc": st.just('"2.0"'),
    "id": st.sampled_from(["7", '"method"', '"a\\"id\\":1"', "1.50"]),
    "method": st.sampled_from(['"echo"', '"id"', '"\\u0065cho"', '"ächo"']),
    "params": st.sampled_from(["{}", "[1]", '{"id":1,"method":"x","params":[]}', '["\\"params\\""]']),
    "more": st.just("0"),
}


@given(st.data())
def test_a_duplicate_member_is_found_with_any_values(data: st.DataObject) -> None:
    """The quick checks may never skip the slow one for a request with a duplicate member."""
    names = data.draw(st.lists(st.sampled_from(sorted(WRITTEN)), max_size=5))
    blank = data.draw(st.sampled_from(["", "", " "]))
    text = "{" + ",".join(f'"{name}":{blank}{data.draw(WRITTEN[name])}' for name in names) + "}"
    [frame] = receive(text)
    checked = [name for name in names if name != "more"]
    if len(set(checked)) < len(checked):
        assert isinstance(frame, InvalidFrame)
        assert frame.refusal.message.endswith("is there twice")
    elif "method" in names and names.count("more") < 2:
        assert isinstance(frame, Call)


# Any input


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = {
    "jsonrpc": st.just("2.0") | JSON,
    "method": st.sampled_from(["echo", "no", "rpc.ping", "huh"]) | JSON,
    "id": JSON,
    "params": JSON,
    "ns": JSON,
}
REQUEST = st.fixed_dictionaries({}, optional=MEMBERS)
NUMBERS = {code.number for code in CODES.values()}


def is_answer(sent: Any) -> bool:
    """Whether it is an answer that JSON-RPC allows."""
    if set(sent) == {"jsonrpc", "id", "result"}:
        valid = True
    else:
        members = set(sent) == {"jsonrpc", "id", "error"} and {"code", "message"} <= set(sent["error"])
        valid = members and sent["error"]["code"] in NUMBERS and isinstance(sent["error"]["message"], str)
    id = sent["id"]
    return valid and sent["jsonrpc"] == "2.0" and not isinstance(id, bool | list | dict)


def answered_properly(text: bytes, *, binary: bool = False) -> None:
    packets = converse(text, binary=binary)
    assert len(packets) <= 1
    for packet in packets:
        sent = json.loads(packet.data)
        assert packet.binary is binary
        assert sent
        assert all(is_answer(one) for one in (sent if isinstance(sent, list) else [sent]))


@given(REQUEST | st.lists(REQUEST | JSON, max_size=5) | JSON)
def test_whatever_json_comes_the_answer_is_json_rpc(value: Any) -> None:
    answered_properly(json.dumps(value).encode())
    answered_properly(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"), binary=True)


@given(st.binary(max_size=60))
def test_whatever_binary_comes_the_answer_is_json_rpc(data: bytes) -> None:
    answered_properly(data, binary=True)


@given(st.data())
def test_a_good_request_with_changed_text(data: st.DataObject) -> None:
    text = list('[{"jsonrpc":"2.0","id":"1","method":"echo","params":[1.5,{"a":"\\u00e9"}]},{"method":"no","id":12}]')
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(
            st.sampled_from('{}[]",:\\ 0e.-+xu\0') | st.characters(codec="utf-8")
        )
    answered_properly("".join(text).encode())


@pytest.mark.parametrize(
    "response",
    [
        '{"jsonrpc":"2.0","id":1,"result":null}',
        '{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"Method not found"}}',
        '{"id":"a","id":"b","result":{"method":"echo"}}',
        '{"result":7}',
        '[{"jsonrpc":"2.0","id":1,"result":1},{"error":{}}]',
    ],
)
def test_a_response_is_not_answered(response: str) -> None:
    assert all(isinstance(frame, Acknowledged) for frame in receive(response))
    assert converse(f" {response} ") == []


def test_what_has_a_method_is_a_request_whatever_else_it_has() -> None:
    assert call('{"id":1,"method":"echo","result":1}').name == "echo"
