"""JSON-RPC 2.0  ⇄  frames.

    → {"jsonrpc":"2.0","id":1,"method":"message:send","params":{…}}      Call
    → {"jsonrpc":"2.0","method":"typing","params":{…}}                    Call without an id: not answered
    → [ … ]                                                              a batch: its answers are one list
    → {"jsonrpc":"2.0","id":1,"result":…} (or "error")                    Acknowledged; the server never asks for one
    → {"jsonrpc":"2.0","id":2,"method":"rpc.ping"}                        Ping
    ← {"jsonrpc":"2.0","id":1,"result":…}                                 answer
    ← {"jsonrpc":"2.0","id":1,"error":{"code":…,"message":…,"data":…}}    refuse
    ← {"jsonrpc":"2.0","method":"message:created","params":{…},"pos":4711}    push; push_with_room adds "room"

The answer repeats the bytes of the id, so 0, "" and 1.5 stay the same. A binary message gets a binary answer.
A batch with too many messages is refused as a whole, with one answer, before any message is read.
On a socket with several namespaces (SharedJsonRpc) each message names its own in "ns".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from protocol.errors import INVALID_FRAME, UNPARSABLE, Refusal
from protocol.frames import NOTHING, Acknowledged, Call, Frame, InvalidFrame, Packet, Ping
from protocol.strict import check_keys, check_size

UNAUTHENTICATED_BATCH_MESSAGES = 10  # of a client that has not sent its token yet

encode = msgspec.json.Encoder().encode


class _Request(Struct):
    method: str | UnsetType = UNSET
    id: Raw | UnsetType = UNSET
    params: Raw | UnsetType = UNSET
    jsonrpc: str | UnsetType = UNSET
    ns: str | UnsetType = UNSET


class _Response(Struct):
    result: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET


_decode_request = msgspec.json.Decoder(_Request).decode
_decode_response = msgspec.json.Decoder(_Response).decode
_decode_batch = msgspec.json.Decoder(list[Raw]).decode


class _Batch:
    """The answers of a batch, collected until the last one is complete."""

    __slots__ = ("answers", "due")

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.due = 0


class _Id(Struct, frozen=True):
    """What an answer needs: the bytes of the id, whether to answer in binary, and the batch of the request."""

    raw: bytes
    binary: bool
    batch: _Batch | None = None


def _unauthenticated_batch_limit() -> int:
    return UNAUTHENTICATED_BATCH_MESSAGES


class JsonRpc:
    """The JSON-RPC of one client: a Framing. `batch_limit` returns how many messages a batch may have at present."""

    __slots__ = ("batch_limit", "namespace")

    def __init__(self, namespace: str, batch_limit: Callable[[], int] = _unauthenticated_batch_limit) -> None:
        self.namespace = namespace
        self.batch_limit = batch_limit

    # In

    def receive(self, message: Packet) -> Sequence[Frame]:
        text, binary = message
        try:
            if binary:
                text.decode()
            check_size(text)
            if text.lstrip()[:1] == b"[":
                return self._read_batch(text, binary)
            return (self._read_message(text, binary, None),)
        except Refusal as refusal:
            return (InvalidFrame(refusal, _Id(b"null", binary)),)
        except (ValueError, RecursionError):
            return (InvalidFrame(Refusal(UNPARSABLE), _Id(b"null", binary)),)

    def _read_batch(self, text: bytes, binary: bool) -> Sequence[Frame]:
        parts = _decode_batch(text)
        if not parts:
            raise Refusal(INVALID_FRAME, "A batch must not be empty")
        maximum = self.batch_limit()
        if len(parts) > maximum:
            raise Refusal(INVALID_FRAME, f"A batch must hold at most {maximum} messages")
        batch = _Batch()
        frames = [self._read_message(bytes(part), binary, batch) for part in parts]
        batch.due = sum(isinstance(getattr(frame, "id", None), _Id) for frame in frames)
        return frames

    def _read_message(self, text: bytes, binary: bool, batch: _Batch | None) -> Frame:
        try:
            request = _decode_request(text)
        except msgspec.ValidationError:
            return InvalidFrame(Refusal(INVALID_FRAME, _invalid_request_text(text)), _Id(_id_of(text), binary, batch))
        if request.method is UNSET and _is_response(text):
            return Acknowledged(self.namespace, 0, NOTHING)
        if not _is_only_these_members(text, request) and _may_have_duplicates(text):
            duplicate = _duplicate_member(text)
            if duplicate:
                raw = b"null" if duplicate == "id" else _id_of(text)
                return InvalidFrame(
                    Refusal(INVALID_FRAME, f"{duplicate!r} is there twice", field=duplicate), _Id(raw, binary, batch)
                )
        id = None if request.id is UNSET else _Id(bytes(request.id), binary, batch)
        try:
            return self._read_request(request, id)
        except Refusal as refusal:
            if id is None or not _is_id(id.raw):
                id = _Id(b"null", binary, batch)
            return InvalidFrame(refusal, id)

    def _read_request(self, request: _Request, id: _Id | None) -> Frame:
        method, params = request.method, request.params
        if method is UNSET:
            raise Refusal(INVALID_FRAME, "method is required and must be a string", field="method")
        if request.jsonrpc is not UNSET and request.jsonrpc != "2.0":
            raise Refusal(INVALID_FRAME, 'jsonrpc must be "2.0"', field="jsonrpc")
        if id is not None and not _is_id(id.raw):
            raise Refusal(INVALID_FRAME, "id must be a string or a number", field="id")
        arguments = NOTHING if params is UNSET else Raw(bytes(params))
        if params is not UNSET and bytes(arguments)[:1] not in (b"{", b"["):
            raise Refusal(INVALID_FRAME, "params must be an object or an array", field="params")
        if method == "rpc.ping":
            return Ping(id=id)
        return Call(self._namespace(request), method, arguments, id)

    def _namespace(self, request: _Request) -> str:
        return self.namespace

    # Out

    def answer(self, id: _Id, body: bytes | None) -> Sequence[Packet]:
        return _finish(id, b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (id.raw, body or b"null"))

    def refuse(self, id: _Id, refusal: Refusal, body: bytes | None) -> Sequence[Packet]:
        data = b',"data":%b' % body if body is not None else b""
        return _finish(
            id,
            b'{"jsonrpc":"2.0","id":%b,"error":{"code":%d,"message":%b%b}}'
            % (id.raw, refusal.code.number, encode(refusal.message), data),
        )

    @staticmethod
    def push(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
        return b'{"jsonrpc":"2.0","method":%b,"params":%b%b}' % (_quoted(name), body, _extra_members(position, None))

    @staticmethod
    def push_with_room(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
        """The same with the name of the room. Only for clients that ask for it: it makes a short message long."""
        return b'{"jsonrpc":"2.0","method":%b,"params":%b%b}' % (_quoted(name), body, _extra_members(position, room))


class SharedJsonRpc(JsonRpc):
    """JSON-RPC on a socket with several namespaces; a call without "ns" is for the first of them."""

    __slots__ = ()

    def _namespace(self, request: _Request) -> str:
        return self.namespace if request.ns is UNSET else request.ns

    @staticmethod
    def push(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
        return b'{"jsonrpc":"2.0","ns":%b,"method":%b,"params":%b%b}' % (
            _quoted(namespace),
            _quoted(name),
            body,
            _extra_members(position, None),
        )

    @staticmethod
    def push_with_room(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
        return b'{"jsonrpc":"2.0","ns":%b,"method":%b,"params":%b%b}' % (
            _quoted(namespace),
            _quoted(name),
            body,
            _extra_members(position, room),
        )


@lru_cache(maxsize=10_000)
def _quoted(text: str) -> bytes:
    """A name as JSON. There are few names, and each is sent often."""
    return encode(text)


def _extra_members(position: int | None, room: str | None) -> bytes:
    members = b"" if room is None else b',"room":%b' % _quoted(room)
    return members if position is None else members + b',"pos":%d' % position


def _finish(id: _Id, answer: bytes) -> Sequence[Packet]:
    batch = id.batch
    if batch is None:
        return (Packet(answer, id.binary),)
    batch.answers.append(answer)
    if len(batch.answers) < batch.due:
        return ()
    return (Packet(b"[%b]" % b",".join(batch.answers), id.binary),)


def _is_only_these_members(text: bytes, request: _Request) -> bool:
    """Whether the text consists of the decoded members, each once and without blanks: it has the length of their sum.

    Most clients send such requests, which need no further check for duplicates.
    """
    method, id, params = request.method, request.id, request.params
    length = 1  # the braces, less the comma that the last member lacks
    if method is not UNSET:
        length += len('"method":"",') + len(method)
    if params is not UNSET:
        length += len('"params":,') + len(memoryview(params))
    if id is not UNSET:
        length += len('"id":,') + len(memoryview(id))
    if request.jsonrpc is not UNSET:
        length += len('"jsonrpc":"",') + len(request.jsonrpc)
    if request.ns is not UNSET:
        length += len('"ns":"",') + len(request.ns)
    return length == len(text)


def _may_have_duplicates(text: bytes) -> bool:
    """Whether the text may have a member twice: a quick check that nearly always makes the slow one unnecessary."""
    count = text.count
    return (
        count(b'"method"') > 1
        or count(b'"params"') > 1
        or count(b'"id"') > 1
        or count(b'"jsonrpc"') > 1
        or count(b'"ns"') > 1
        or b"\\u00" in text
    )


def _duplicate_member(text: bytes) -> str | None:
    """The duplicate member of the outermost object, if any. Inner objects become lists of pairs and don't count."""
    pairs = json.loads(text, object_pairs_hook=list)
    seen: set[str] = set()
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, tuple):
            if pair[0] in seen:
                return str(pair[0])[:100]
            seen.add(pair[0])
    return None


def _is_response(text: bytes) -> bool:
    """Whether a message without a method is a response. Some libraries send one for a method that they don't know."""
    found = _decode_response(text)
    return found.result is not UNSET or found.error is not UNSET


def _is_id(raw: bytes) -> bool:
    return raw[:1] in b'"-0123456789' or raw == b"null"


def _id_of(text: bytes) -> bytes:
    """The id of an invalid request, if it has a valid id, else null."""
    try:
        found = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return b"null"
    id: Any = found.get("id") if isinstance(found, dict) else None
    return encode(id) if isinstance(id, str | int | float) and not isinstance(id, bool) else b"null"


def _invalid_request_text(text: bytes) -> str:
    """The text for a request that has a member of a wrong type."""
    found = msgspec.json.decode(text)
    if not isinstance(found, dict):
        return "A request must be an object"
    check_keys(text)
    for name in ("jsonrpc", "method", "ns"):
        if name in found and not isinstance(found[name], str):
            return f"{name} must be a string"
    return "The frame is not a valid request"
