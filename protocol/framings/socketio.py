"""Socket.IO 5  ⇄  frames: events, acknowledgements and namespaces inside Engine.IO messages.

    packet      = type [attachments "-"] [namespace ","] [id] [data]
    attachments = the number of binary messages that follow; only and always in types 5 and 6
    namespace   = "/" and any text without ","; omitted for "/"; without the "," it ends the packet
    id          = digits; a client that sends one wants an answer with the same id
    data        = JSON

    type                    data                    from a client          from the server
    0 CONNECT               object or nothing       Open                   opened
    1 DISCONNECT            nothing                 Close                  closed
    2 EVENT                 [name, ...arguments]    Call                   push, event
    3 ACK                   [...arguments]          Acknowledged           answer, refuse, acknowledge
    4 CONNECT_ERROR         object or string        never                  rejected
    5 BINARY_EVENT          as EVENT, with {"_placeholder":true,"num":n} where the nth attachment belongs
    6 BINARY_ACK            as ACK, likewise

A packet that breaks this grammar ends the connection with `Close(fault=...)`, as on the reference server. The packets
after it can't be read either. The same applies to:

    - an event name that is not a string, or that client libraries reserve
    - an id above 2^53
    - too many attachments, or a placeholder without an attachment
    - a binary message that no packet announces, or a text message where a binary one is due

A valid packet with an unusable payload is InvalidFrame.

The output is complete Engine.IO: a text packet begins with "4", an attachment is a bare binary message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec
from msgspec import Raw, Struct

from protocol.errors import Refusal
from protocol.frames import NOTHING, Acknowledged, Call, Close, Frame, InvalidFrame, Open, Packet
from protocol.strict import check_size

_PACKET = re.compile(rb"(?:([0-4])|([56])(\d{1,4})-)((?:(/[^,]*)(?:,|\Z))?(\d{0,16}))")
MAX_ID_DIGITS, MAX_ID = 16, 1 << 53
RESERVED = frozenset(("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"))
PARSE_ERROR = "parse error"

Push: TypeAlias = Callable[[str, str, bytes, int | None, str | None], bytes]

encode = msgspec.json.Encoder().encode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_any = msgspec.json.Decoder().decode


class SocketIoLimits(Struct, frozen=True):
    """The limits of one packet."""

    packet_bytes: int = 1_000_000
    attachments: int = 10
    namespace_bytes: int = 128


class Offset(NamedTuple):
    """A parsed offset: epoch and position as text, and `mark`, the end of the packet that had this offset."""

    epoch: str
    position: str
    mark: bytes


class _ParseError(Exception):
    """The packet breaks the grammar."""


class _Head(NamedTuple):
    """The part of a packet before its data. `token` is namespace and id as the answer repeats them; None without id."""

    namespace: str
    id: bytes
    token: bytes | None


class _Unfinished:
    """A packet that waits for its attachments."""

    __slots__ = ("due", "finish", "parts", "size")

    def __init__(self, due: int, finish: Callable[[tuple[bytes, ...]], Frame]) -> None:
        self.due = due
        self.finish = finish
        self.parts: list[bytes] = []
        self.size = 0


class SocketIo:
    """The Socket.IO of one client: a Framing. The id of a call is the token that its answer repeats.

    `packet_bytes` is the current limit for this client; the connection may change it.
    """

    __slots__ = ("_limits", "_unfinished", "packet_bytes")

    def __init__(self, limits: SocketIoLimits | None = None) -> None:
        self._limits = limits or SocketIoLimits()
        self.packet_bytes = self._limits.packet_bytes
        self._unfinished: _Unfinished | None = None

    # In

    def receive(self, message: Packet) -> Sequence[Frame]:
        try:
            if message.binary:
                return self._attachment(message.data)
            return self._packet(message.data)
        except (_ParseError, ValueError, RecursionError):
            self._unfinished = None
            return (Close(fault=PARSE_ERROR),)

    def _packet(self, text: bytes) -> Sequence[Frame]:
        found = _PACKET.match(text)
        if found is None or self._unfinished is not None or len(text) > self.packet_bytes:
            raise _ParseError
        kind, binary_kind, count, token, path, id = found.groups()
        if path is None:
            namespace = "/"
        elif len(path) > self._limits.namespace_bytes:
            raise _ParseError
        else:
            namespace = path.decode()
        if len(id) == MAX_ID_DIGITS and int(id) > MAX_ID:
            raise _ParseError
        head = _Head(namespace, id, token if id else None)
        data = text[found.end() :]
        if kind is not None:
            return READERS[kind](head, data)
        return self._begin(READERS_BINARY[binary_kind], head, data, int(count))

    def _begin(self, read: _ReadBinary, head: _Head, data: bytes, count: int) -> Sequence[Frame]:
        """Begin a packet with attachments: it gives its frame with the last of them."""
        if count > self._limits.attachments:
            raise _ParseError
        finish = read(head, data, count)
        if count == 0:
            return (finish(()),)
        self._unfinished = _Unfinished(count, finish)
        return ()

    def _attachment(self, data: bytes) -> Sequence[Frame]:
        unfinished = self._unfinished
        if unfinished is None:
            raise _ParseError
        unfinished.parts.append(data)
        unfinished.size += len(data)
        if unfinished.size > self.packet_bytes:
            raise _ParseError
        if len(unfinished.parts) < unfinished.due:
            return ()
        self._unfinished = None
        return (unfinished.finish(tuple(unfinished.parts)),)

    # Out

    def answer(self, id: Any, body: bytes | None) -> Sequence[Packet]:
        return () if body is None else (Packet(b"43%b[%b]" % (id, body)),)

    def refuse(self, id: Any, refusal: Refusal, body: bytes | None) -> Sequence[Packet]:
        return self.answer(id, body)

    @staticmethod
    def push(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
        return b"42%b[%b,%b]" % (_prefix(namespace), encode(name), body)

    @classmethod
    def push_since(cls, epoch: str) -> Push:
        """The `push` for clients that ask for recovery: an event with a position has an offset as its last argument.

        It is "epoch-position.name". It has the name because one position can have several events, and the connection
        can break between them.
        """

        def push(namespace: str, name: str, body: bytes, position: int | None, room: str | None) -> bytes:
            if position is None:
                return cls.push(namespace, name, body, position, room)
            return cls.push_recoverable(namespace, name, body, f"{epoch}-{position}.{name}")

        return push

    @staticmethod
    def push_recoverable(namespace: str, name: str, body: bytes, offset: str) -> bytes:
        """An event for clients that ask for recovery: they send the last argument back when they reconnect."""
        return b"42%b[%b,%b,%b]" % (_prefix(namespace), encode(name), body, encode(offset))

    @staticmethod
    def read_offset(offset: str) -> Offset:
        """Parse the offset of a client."""
        position_part, _, name = offset.partition(".")
        epoch, _, position = position_part.rpartition("-")
        return Offset(epoch, position, b",%b]" % encode(offset) if name else b"")

    @staticmethod
    def opened(namespace: str, sid: str, pid: str | None = None) -> bytes:
        """The namespace is open; `pid` is the private id for recovery, None without recovery."""
        payload = {"sid": sid} if pid is None else {"sid": sid, "pid": pid}
        return b"40%b%b" % (_prefix(namespace), encode(payload))

    @staticmethod
    def rejected(namespace: str, message: str, data: Any = None) -> bytes:
        """The namespace is rejected; `data` is any value that can be encoded as JSON."""
        payload = {"message": message} if data is None else {"message": message, "data": data}
        return b"44%b%b" % (_prefix(namespace), encode(payload))

    @staticmethod
    def closed(namespace: str) -> bytes:
        """The server closes this namespace; the client does not reconnect by itself."""
        return b"41%b" % _prefix(namespace)

    @staticmethod
    def event(namespace: str, arguments: bytes, attachments: Sequence[bytes] = ()) -> Sequence[Packet]:
        """A whole event: `arguments` is a JSON array that begins with the name."""
        return _packets_with_attachments(b"2", b"5", _prefix(namespace) + arguments, attachments)

    @staticmethod
    def acknowledge(id: Any, arguments: bytes, attachments: Sequence[bytes] = ()) -> Sequence[Packet]:
        """A whole answer: `arguments` is a JSON array."""
        return _packets_with_attachments(b"3", b"6", bytes(id) + arguments, attachments)


def _prefix(namespace: str) -> bytes:
    return b"" if namespace == "/" else namespace.encode() + b","


def _packets_with_attachments(
    kind: bytes, binary: bytes, rest: bytes, attachments: Sequence[bytes]
) -> Sequence[Packet]:
    if not attachments:
        return (Packet(b"4%b%b" % (kind, rest)),)
    return (
        Packet(b"4%b%d-%b" % (binary, len(attachments), rest)),
        *(Packet(attachment, True) for attachment in attachments),
    )


# One reader for each packet type: it checks what that type may contain.


def _connect(head: _Head, data: bytes) -> Sequence[Frame]:
    if not data:
        return (Open(head.namespace),)
    _check_size_or_fail(data)
    _decode_object(data)
    return (Open(head.namespace, Raw(data)),)


def _disconnect(head: _Head, data: bytes) -> Sequence[Frame]:
    if data:
        raise _ParseError
    return (Close(head.namespace),)


def _event(head: _Head, data: bytes) -> Sequence[Frame]:
    try:
        check_size(data)
    except Refusal as refusal:
        return (InvalidFrame(refusal, head.token),)
    name, arguments = _event_name_and_arguments(data)
    return (Call(head.namespace, name, arguments, head.token),)


def _ack(head: _Head, data: bytes) -> Sequence[Frame]:
    _check_size_or_fail(data)
    _decode_list(data)
    return (Acknowledged(head.namespace, int(head.id), Raw(data)),) if head.id else ()


def _connect_error(head: _Head, data: bytes) -> Sequence[Frame]:
    raise _ParseError


_Read = Callable[[_Head, bytes], Sequence[Frame]]
READERS: dict[bytes, _Read] = {b"0": _connect, b"1": _disconnect, b"2": _event, b"3": _ack, b"4": _connect_error}


def _binary_event(head: _Head, data: bytes, count: int) -> Callable[[tuple[bytes, ...]], Frame]:
    _check_size_or_fail(data)
    name, arguments = _event_name_and_arguments(data)
    _check_placeholders(_decode_any(data), count)
    return lambda parts: Call(head.namespace, name, arguments, head.token, parts)


def _binary_ack(head: _Head, data: bytes, count: int) -> Callable[[tuple[bytes, ...]], Frame]:
    _check_size_or_fail(data)
    _decode_list(data)
    _check_placeholders(_decode_any(data), count)
    id = int(head.id)
    return lambda parts: Acknowledged(head.namespace, id, Raw(data), parts)


_ReadBinary = Callable[[_Head, bytes, int], Callable[[tuple[bytes, ...]], Frame]]
READERS_BINARY: dict[bytes, _ReadBinary] = {b"5": _binary_event, b"6": _binary_ack}


def _event_name_and_arguments(data: bytes) -> tuple[str, Raw]:
    """The name and the arguments of an event, in the form of a Call."""
    parts = _decode_list(data)
    if not parts:
        raise _ParseError
    name = _decode_text(parts[0])
    if name in RESERVED:
        raise _ParseError
    if len(parts) == 1:
        return name, NOTHING
    if len(parts) == 2 and bytes(parts[1])[:1] == b"{":
        return name, parts[1]
    return name, Raw(b"[%b]" % b",".join(map(bytes, parts[1:])))


def _check_size_or_fail(data: bytes) -> None:
    try:
        check_size(data)
    except Refusal:
        raise _ParseError from None


def _check_placeholders(value: Any, count: int) -> None:
    """Check that every placeholder refers to an attachment. The caller has checked the depth."""
    if isinstance(value, list):
        for item in value:
            _check_placeholders(item, count)
    elif isinstance(value, dict):
        if value.get("_placeholder") is True:
            number = value.get("num")
            if type(number) is not int or not 0 <= number < count:
                raise _ParseError
        else:
            for item in value.values():
                _check_placeholders(item, count)
