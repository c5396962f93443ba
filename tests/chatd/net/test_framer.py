"""RFC 6455 framing: each rule, and each division of a stream of frames into reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from chatd.net.framer import (
    FrameReader,
    ReadRules,
    Violation,
    frame_binary,
    frame_close,
    frame_text,
    parse_close,
)
from protocol.frames import Packet

RULES = ReadRules(message_bytes=1_000, fragments=4)
MASK = b"\x01\x02\x03\x04"


def encode(head: int, payload: bytes = b"", *, length: bytes | None = None, masked: bool = True) -> bytes:
    """A client's frame, written out by hand so that it can be wrong."""
    size = len(payload)
    if length is None:
        length = bytes([size]) if size < 126 else bytes([126]) + size.to_bytes(2, "big")
    first = bytes([length[0] | (0x80 if masked else 0)])
    body = bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload)) if masked else payload
    return bytes([head]) + first + length[1:] + (MASK if masked else b"") + body


def feed(*data: bytes, rules: ReadRules = RULES) -> tuple[list[Packet], list[tuple[int, bytes]], Violation | None]:
    reader, messages, controls = FrameReader(rules), [], []
    for piece in data:
        messages += reader.feed(piece, lambda opcode, payload: controls.append((opcode, payload)))
    return messages, controls, reader.violation


WRONG = {
    "reserved bit": (encode(0xC1, b"x"), 1002),
    "unknown opcode": (encode(0x83, b"x"), 1002),
    "unknown control": (encode(0x8B, b"x"), 1002),
    "no mask": (encode(0x81, b"x", masked=False), 1002),
    "ping in pieces": (encode(0x09, b"x"), 1002),
    "long ping": (encode(0x89, b"x" * 126), 1002),
    "continuation of nothing": (encode(0x80, b"x"), 1002),
    "message inside another": (encode(0x01, b"x") + encode(0x81, b"y"), 1002),
    "binary inside another": (encode(0x01, b"x") + encode(0x82, b"y"), 1002),
    "long spelling of a short length": (encode(0x81, b"x", length=b"\x7e\x00\x01"), 1002),
    "longest spelling of a length": (encode(0x81, b"x", length=b"\x7f" + bytes(7) + b"\x01"), 1002),
    "length of 64 bits": (encode(0x81, b"", length=b"\x7f" + b"\xff" * 8), 1002),
    "text that is not UTF-8": (encode(0x81, b"\xff"), 1007),
    "lone surrogate": (encode(0x81, b"\xed\xa0\x80"), 1007),
    "pieces that are not UTF-8": (encode(0x01, b"\xe2\x82") + encode(0x80, b"x"), 1007),
    "text that ends in a character": (encode(0x01, b"a") + encode(0x80, b"\xe2\x82"), 1007),
    "bad text, before its end": (encode(0x01, b"\xff"), 1007),
    "declared length": (encode(0x82, b"", length=b"\x7e\x03\xe9"), 1009),
    "declared length, long": (encode(0x82, b"", length=b"\x7f" + (1 << 40).to_bytes(8, "big")), 1009),
    "sum of pieces": (encode(0x02, b"x" * 600) + encode(0x80, b"x" * 401), 1009),
    "number of pieces": (encode(0x02) + encode(0x00) * 4, 1009),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("cut", [False, True])
def test_violations(name: str, cut: bool) -> None:
    data, code = WRONG[name]
    data = encode(0x81, b"before") + data
    pieces = [bytes([byte]) for byte in data] if cut else [data]
    messages, _, violation = feed(*pieces, encode(0x81, b"after"))
    assert violation is not None
    assert violation.code == code
    assert messages == [(b"before", False)]


def test_what_is_right() -> None:
    assert feed(encode(0x81, "grüß".encode()))[0] == [("grüß".encode(), False)]
    assert feed(encode(0x82, b"\xff\x00"))[0] == [(b"\xff\x00", True)]
    assert feed(encode(0x81))[0] == [(b"", False)]
    assert feed(encode(0x82, b"x" * 1_000))[0] == [(b"x" * 1_000, True)]
    assert feed(encode(0x01, b"\xe2\x82") + encode(0x80, b"\xac"))[0] == [("€".encode(), False)]
    assert feed(encode(0x02, b"a") + encode(0x00, b"b") + encode(0x80, b"c"))[0] == [(b"abc", True)]


def test_controls_come_in_their_place_between_pieces() -> None:
    messages, controls, violation = feed(encode(0x01, b"a") + encode(0x89, b"ping") + encode(0x80, b"b"))
    assert messages == [(b"ab", False)]
    assert controls == [(9, b"ping")]
    assert violation is None


def test_nothing_is_read_behind_a_close() -> None:
    messages, controls, violation = feed(encode(0x88, b"\x03\xe8") + encode(0x81, b"late") + b"\xff\xff")
    assert controls == [(8, b"\x03\xe8")]
    assert not messages
    assert violation is None


def test_zero_lifts_the_limits() -> None:
    rules = ReadRules(message_bytes=0, fragments=0)
    data = encode(0x02) + encode(0x00, b"x" * 2_000) * 10 + encode(0x80)
    assert feed(data, rules=rules)[0] == [(b"x" * 20_000, True)]


@given(
    st.lists(st.tuples(st.binary(max_size=300), st.booleans(), st.integers(1, 4)), max_size=6),
    st.lists(st.integers(1, 400), max_size=30),
)
def test_any_cut_gives_the_same_messages(sent: list[tuple[bytes, bool, int]], cuts: list[int]) -> None:
    data, expected = b"", []
    for payload, binary, pieces in sent:
        payload = payload if binary else payload.hex().encode()
        step = max(1, -(-len(payload) // pieces))
        parts = [payload[start : start + step] for start in range(0, len(payload), step)] or [b""]
        for number, part in enumerate(parts):
            opcode = Opcode.CONT if number else Opcode.BINARY if binary else Opcode.TEXT
            data += Frame(opcode, part, number == len(parts) - 1).serialize(mask=True)
        expected.append((payload, binary))
    reads = []
    for cut in cuts:
        reads.append(data[:cut])
        data = data[cut:]
    messages, _, violation = feed(*reads, data, rules=ReadRules(1_000, 10))
    assert violation is None
    assert messages == expected


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_no_input_raises(pieces: list[bytes]) -> None:
    feed(*pieces)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_are_those_of_websockets(size: int) -> None:
    payload = b"x" * size
    assert frame_text(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
    assert frame_binary(payload) == Frame(Opcode.BINARY, payload).serialize(mask=False)


def test_close_frames() -> None:
    assert frame_close(1000, "bye") == b"\x88\x05\x03\xe8bye"
    assert frame_close(1005) == b"\x88\x00"
    assert len(frame_close(1000, "ü" * 100)) <= 127
    assert parse_close(b"\x0f\xa0bye") == (4000, "bye")
    assert parse_close(b"") == (1005, "")


@pytest.mark.parametrize(
    ("payload", "code"),
    [(b"\x03", 1002), (b"\x03\xed", 1002), (b"\x00\x00", 1002), (b"\x03\xe8\xff", 1007), (b"\x0b\xb7", 1002)],
)
def test_bad_closes(payload: bytes, code: int) -> None:
    with pytest.raises(Violation) as caught:
        parse_close(payload)
    assert caught.value.code == code
