"""JSON that a signed-in client should not send. Every row gets BAD_REQUEST, and the connection stays open.

`HERE` is the id of a conversation of the caller, so that each row has one fault only.
"""

from __future__ import annotations

import json
from typing import Any

HERE = "HERE"


def call(params: str, method: str = "message:send", id: str = "7") -> str:
    return f'{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}'


def sending(content: str, more: str = "") -> str:
    """A send whose content is that JSON."""
    return call(f'{{"conversationId":"{HERE}","content":{content}{more}}}')


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


ODD: dict[str, str] = {
    "a lone surrogate": sending('"\\ud800"'),
    "two surrogates the wrong way round": sending('"\\udc00\\ud800"'),
    "a lone surrogate as a clientId": sending('"hi"', ',"clientId":"\\udfff"'),
    "NUL in the text": sending('"a\\u0000b"'),
    "NUL in an id": call(f'{{"conversationId":"{HERE}\\u0000","content":"hi"}}'),
    "nothing but control characters": sending('"\\u0007\\u001b"'),
    "nothing but spaces": sending('"   "'),
    "10,001 characters": sending(json.dumps("é" * 10_001)),
    "2^63 as an id": call('{"conversationId":9223372036854775808,"content":"hi"}'),
    "2^63 as a user": call(f'{{"conversationId":"{HERE}","userId":9223372036854775808}}', "members:add"),
    "minus 2^63 as a user": call(f'{{"conversationId":"{HERE}","userId":-9223372036854775808}}', "members:add"),
    "0 as a user": call(f'{{"conversationId":"{HERE}","userId":0}}', "members:add"),
    "1.0 as a user": call(f'{{"conversationId":"{HERE}","userId":1.0}}', "members:add"),
    "true as a user": call(f'{{"conversationId":"{HERE}","userId":true}}', "members:add"),
    '"1 " as a user': call(f'{{"conversationId":"{HERE}","userId":"1 "}}', "members:add"),
    "a fraction of an id": call('{"conversationId":1.5,"content":"hi"}'),
    "NaN": sending("NaN"),
    "minus infinity": sending("-Infinity"),
    "1e999": sending("1e999"),
    "1e999 as a user": call(f'{{"conversationId":"{HERE}","userId":1e999}}', "members:add"),
    "a number of 4,000 digits": call(f'{{"conversationId":"{HERE}","userId":{"9" * 4_000}}}', "members:add"),
    "33 brackets deep": sending(nested(33)),
    "30,000 brackets deep": "[" * 30_000,
    "30,000 objects deep": '{"a":' * 10_000,
    "a key twice": sending('"hi"', ',"content":"ho"'),
    "a key twice, once escaped": sending('"hi"', ',"c\\u006fntent":"ho"'),
    "a member of the request twice": '{"jsonrpc":"2.0","id":7,"method":"rpc.ping","method":"message:send"}',
    "a field that is not declared": sending('"hi"', ',"sender_id":1'),
    "__proto__": sending('"hi"', ',"__proto__":{"admin":true}'),
    "no params": '{"jsonrpc":"2.0","id":7,"method":"message:send"}',
    "params that are a number": call("7"),
    "params in a list": call('["x"]'),
    "a list for text": sending('["hi"]'),
    "true for text": sending("true"),
    "null for text": sending("null"),
    "an unknown call": call("{}", "message:sned"),
    "a call without a name": call("{}", ""),
    "a call of something private": call("{}", "__class__"),
    "an id that is true": call("{}", id="true"),
    "an id that is an object": call("{}", id="{}"),
    "another version": '{"jsonrpc":"1.0","id":7,"method":"rpc.ping"}',
    "no method": '{"jsonrpc":"2.0","id":7}',
    "a method that is a number": '{"jsonrpc":"2.0","id":7,"method":7}',
    "half a JSON": '{"jsonrpc":"2.0","id":7,"met',
    "two JSONs": '{"jsonrpc":"2.0","id":7,"method":"rpc.ping"}{}',
    "a comma too many": '{"jsonrpc":"2.0","id":7,"method":"rpc.ping",}',
    "a byte order mark": '\ufeff{"jsonrpc":"2.0","id":7,"method":"rpc.ping"}',
    "nothing": "",
    "a number": "7",
    "null": "null",
    "a text": '"message:send"',
    "an empty batch": "[]",
    "eleven attachments": sending('"hi"', f',"attachments":{json.dumps(["https://example.org/a.png"] * 11)}'),
}


def is_bad_request(answer: Any) -> bool:
    """Whether an answer has both codes of BAD_REQUEST."""
    error = answer.get("error", {})
    body = error.get("data", {})
    return (
        error.get("code") in (-32700, -32600, -32601, -32602)
        and body.get("ok") is False
        and body["error"]["code"] == "BAD_REQUEST"
        and body["error"]["message"] != ""
        and not (set(answer) - {"jsonrpc", "id", "error"})
    )
