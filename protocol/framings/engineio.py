"""Engine.IO 4 packets: the layer under Socket.IO. It has sessions and transports, and no events.

A packet is one character for its kind, then its data:

    0 open       server   JSON: the session's id and its parameters
    1 close      both     the session ends
    2 ping       server   the client must answer; by the client only as the probe of an upgrade ("2probe")
    3 pong       client   the answer; by the server only to a probe ("3probe")
    4 message    both     data of the layer above
    5 upgrade    client   the probed WebSocket is the transport from here on
    6 noop       server   ends a poll that has no other packet

On a WebSocket a text message is one packet, and a binary message is the bare data of a message packet. In HTTP a body
is packets joined by U+001E, which JSON never contains. Binary data is "b" and its base64, in place of a message packet.
Invalid UTF-8, an empty packet, an unknown kind and invalid base64 end the session. Packets before it count.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from protocol.frames import Packet

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = (bytes((code,)) for code in b"0123456")
KINDS = frozenset((OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP))
SEPARATOR = b"\x1e"
BASE64 = b"b"
PROBE = b"probe"
PING_PROBE, PONG_PROBE = PING + PROBE, PONG + PROBE
MAX_PACKETS_PER_PAYLOAD = 1_024


class MalformedPacket(Exception):
    """The client sent an invalid packet; the text is the reason."""


class EnginePacket(NamedTuple):
    """One packet. Only a message has `binary` data."""

    kind: bytes
    data: bytes
    binary: bool = False


def read_message(message: Packet) -> EnginePacket:
    """The packet in one WebSocket message."""
    data, binary = message
    if binary:
        return EnginePacket(MESSAGE, data, True)
    kind = data[:1]
    if kind not in KINDS:
        raise MalformedPacket("unknown packet")
    return EnginePacket(kind, data[1:])


def read_payload(
    body: bytes, max_packets: int = MAX_PACKETS_PER_PAYLOAD
) -> tuple[list[EnginePacket], MalformedPacket | None]:
    """The packets of a polled body before the first invalid one, and the error of that one."""
    packets: list[EnginePacket] = []
    try:
        body.decode()
        if body.count(SEPARATOR) >= max_packets:
            raise MalformedPacket("too many packets")
        for piece in body.split(SEPARATOR):
            packets.append(_read_piece(piece))  # noqa: PERF401 - the packets before an invalid one count
    except UnicodeDecodeError:
        return packets, MalformedPacket("not UTF-8")
    except MalformedPacket as error:
        return packets, error
    return packets, None


def _read_piece(piece: bytes) -> EnginePacket:
    if piece[:1] != BASE64:
        return read_message(Packet(piece))
    try:
        return EnginePacket(MESSAGE, binascii.a2b_base64(piece[1:], strict_mode=True), True)
    except binascii.Error:
        raise MalformedPacket("bad base64") from None


def write_payload(packets: Iterable[Packet]) -> bytes:
    """These WebSocket messages as the body of a poll."""
    return SEPARATOR.join(
        BASE64 + binascii.b2a_base64(data, newline=False) if binary else data for data, binary in packets
    )


def write_open(
    sid: str, upgrades: Sequence[str], interval_seconds: float, timeout_seconds: float, max_payload_bytes: int
) -> bytes:
    """The handshake: the open packet. On the wire its times are in milliseconds."""
    return OPEN + msgspec.json.encode(
        {
            "sid": sid,
            "upgrades": upgrades,
            "pingInterval": round(interval_seconds * 1000),
            "pingTimeout": round(timeout_seconds * 1000),
            "maxPayload": max_payload_bytes,
        }
    )
