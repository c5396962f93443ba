"""Shared by the tests of JSON-RPC: what a server that echoes receives and answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from protocol.errors import FORBIDDEN, UNKNOWN_CALL, Refusal
from protocol.frames import Acknowledged, Call, Frame, InvalidFrame, Packet
from protocol.framings.jsonrpc import JsonRpc


def receive(text: str | bytes, *, binary: bool = False, client: JsonRpc | None = None) -> Sequence[Frame]:
    data = text.encode() if isinstance(text, str) else text
    return (client or JsonRpc("/chat")).receive(Packet(data, binary))


def call(text: str, client: JsonRpc | None = None) -> Call:
    [frame] = receive(text, client=client)
    assert isinstance(frame, Call), frame
    return frame


def broken(text: str | bytes, *, binary: bool = False) -> InvalidFrame:
    [frame] = receive(text, binary=binary)
    assert isinstance(frame, InvalidFrame), frame
    return frame


def converse(text: str | bytes, *, binary: bool = False, backwards: bool = False) -> list[Packet]:
    """The packets of a server that echoes the arguments of `echo`, forbids `no` and has no other method."""
    client = JsonRpc("/chat")
    data = text.encode() if isinstance(text, str) else text
    frames = list(client.receive(Packet(data, binary)))
    sent: list[Packet] = []
    for frame in reversed(frames) if backwards else frames:
        sent += respond(client, frame)
    return sent


def respond(client: JsonRpc, frame: Frame) -> Sequence[Packet]:
    id = getattr(frame, "id", None)
    if id is None or isinstance(frame, Acknowledged):
        return ()
    match frame:
        case InvalidFrame(refusal=refusal):
            return client.refuse(id, refusal, None)
        case Call(name="echo", arguments=arguments):
            return client.answer(id, bytes(arguments) or None)
        case Call(name="no"):
            return client.refuse(id, Refusal(FORBIDDEN, 'Not "yours"'), b'{"ok":false}')
        case Call():
            return client.refuse(id, Refusal(UNKNOWN_CALL), None)
        case _:
            return client.answer(id, b'"pong"')


def answers(text: str | bytes) -> Any:
    """The one answer, decoded; None for no answer."""
    packets = converse(text)
    assert len(packets) < 2
    return json.loads(packets[0].data) if packets else None


def error(number: int, message: str, id: Any = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "error": {"code": number, "message": message}}
