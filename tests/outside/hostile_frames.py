"""WebSocket frames that no client should send, and the close code that RFC 6455 names for each.

Each row is sent on an open, signed-in connection. The limits are the documented ones: 64 KiB a message, 1,024
fragments.
"""

from __future__ import annotations

import struct

from tests.outside.raw import BINARY, CLOSE, PING, TEXT, frame

CONTINUATION = 0
LIMIT = 65_536
MASK = b"\1\2\3\4"


def declared(size: int, *, head: int = 0x81, long: bool = True) -> bytes:
    """The head of a frame that announces a length."""
    length = struct.pack("!BQ", 0x80 | 127, size) if long else struct.pack("!BH", 0x80 | 126, size)
    return bytes([head]) + length + MASK


def fragments(count: int, size: int) -> bytes:
    """A message in fragments, without the last one."""
    piece = b"a" * size
    return frame(TEXT, piece, final=False) + frame(CONTINUATION, piece, final=False) * (count - 1)


BROKEN: dict[str, tuple[bytes, int]] = {
    "a terabyte is declared": (declared(1 << 40), 1009),
    "a message of one byte too many": (frame(TEXT, b"a" * (LIMIT + 1)), 1009),
    "a binary message of a megabyte": (declared(1 << 20, head=0x82), 1009),
    "a flood of fragments": (fragments(1_100, 1), 1009),
    "a flood of empty fragments": (fragments(1_100, 0), 4029),
    "fragments that grow too large together": (fragments(9, 8_000), 1009),
    "no mask": (frame(TEXT, b"{}", masked=False), 1002),
    "a compressed frame": (frame(TEXT, b"\xaa\x56\x4a\x2d\x2c\x4d\x05\x00", reserved=4), 1002),
    "the second reserved bit": (frame(TEXT, b"{}", reserved=2), 1002),
    "the third reserved bit": (frame(PING, b"", reserved=1), 1002),
    "an unknown opcode": (frame(3, b"{}"), 1002),
    "an unknown control opcode": (frame(11, b""), 1002),
    "a length beyond 2^63": (declared(1 << 63 | 5), 1002),
    "a length that is not spelt the short way": (declared(5), 1002),
    "a middling length that is not spelt the short way": (declared(5, long=False), 1002),
    "a ping of 126 bytes": (frame(PING, b"a" * 126), 1002),
    "a ping in pieces": (frame(PING, b"a", final=False), 1002),
    "a continuation of nothing": (frame(CONTINUATION, b"a"), 1002),
    "a message inside another": (frame(TEXT, b"{", final=False) + frame(TEXT, b"{}"), 1002),
    "a close of one byte": (frame(CLOSE, b"\3"), 1002),
    "a close with a code that no client may send": (frame(CLOSE, struct.pack("!H", 1005)), 1002),
    "a close with an unknown code": (frame(CLOSE, struct.pack("!H", 2999)), 1002),
    "a close whose reason is no UTF-8": (frame(CLOSE, struct.pack("!H", 1000) + b"\xff\xfe"), 1007),
    "text that is no UTF-8": (frame(TEXT, b'{"a":"\xc3\x28"}'), 1007),
    "text that is a surrogate in UTF-8": (frame(TEXT, b'"\xed\xa0\x80"'), 1007),
    "fragments that are no UTF-8 together": (
        frame(TEXT, b'"\xe2\x82', final=False) + frame(CONTINUATION, b'\x28"'),
        1007,
    ),
    "a flood of pings": (frame(PING, b"flood") * 5_000, 4029),
    "a flood of unasked pongs": (frame(10, b"flood") * 5_000, 4029),
}

TAKEN: dict[str, bytes] = {
    "as many pings as are allowed at once": frame(PING, b"flood") * 90,
    "a message in pieces with pings between": (
        frame(TEXT, b'{"jsonrpc":"2.0","id":"whole",', final=False)
        + frame(PING, b"1")
        + frame(CONTINUATION, b'"method":"rpc.', final=False)
        + frame(PING, b"2")
        + frame(CONTINUATION, b'ping"}')
    ),
    "a binary message of nothing that the server reads": frame(BINARY, b"\0\1\2"),
}
"""Unusual frames that are allowed: the connection stays open."""
