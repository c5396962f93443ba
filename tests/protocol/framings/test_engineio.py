"""Engine.IO packets, on both transports."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.frames import Packet
from protocol.framings.engineio import (
    MESSAGE,
    PING,
    EnginePacket,
    MalformedPacket,
    read_message,
    read_payload,
    write_open,
    write_payload,
)


@pytest.mark.parametrize(
    ("body", "packets"),
    [
        (b"4hello", [EnginePacket(b"4", b"hello")]),
        (b"4test1\x1e4test2\x1e4test3", [EnginePacket(b"4", b"test%d" % n) for n in (1, 2, 3)]),
        (b"4hello\x1ebAQIDBA==", [EnginePacket(b"4", b"hello"), EnginePacket(b"4", b"\1\2\3\4", True)]),
        (b"3", [EnginePacket(b"3", b"")]),
        (b"b", [EnginePacket(b"4", b"", True)]),
        (b"4", [EnginePacket(b"4", b"")]),
    ],
)
def test_a_payload_is_packets_joined_by_a_separator(body: bytes, packets: list[EnginePacket]) -> None:
    assert read_payload(body) == (packets, None)


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        (b"", 0),
        (b"abc", 0),
        (b"7", 0),
        (b"4a\x1e", 1),
        (b"4a\x1e\x1e4b", 1),
        (b"4a\x1eb!!!!", 1),
        (b"4a\x1ebAQI", 1),
        (b"4a\x1eb=AQI", 1),
        (b"4\xff", 0),
        (b"4\xed\xa0\x80", 0),
    ],
)
def test_the_packets_before_an_invalid_one_count(body: bytes, valid: int) -> None:
    packets, error = read_payload(body)
    assert len(packets) == valid
    assert error is not None


def test_a_payload_holds_so_many_packets_and_no_more() -> None:
    assert read_payload(b"\x1e".join([b"3"] * 5), max_packets=5)[1] is None
    assert read_payload(b"\x1e".join([b"3"] * 6), max_packets=5)[0] == []


@pytest.mark.parametrize(
    ("message", "packet"),
    [
        (Packet(b"2probe"), EnginePacket(PING, b"probe")),
        (Packet(b"4hello"), EnginePacket(MESSAGE, b"hello")),
        (Packet(b"\1\2", True), EnginePacket(MESSAGE, b"\1\2", True)),
        (Packet(b"", True), EnginePacket(MESSAGE, b"", True)),
    ],
)
def test_a_websocket_message_is_one_packet(message: Packet, packet: EnginePacket) -> None:
    assert read_message(message) == packet


@pytest.mark.parametrize("data", [b"", b"abc", b"7", b"b", b"bAQID"])
def test_a_websocket_message_of_no_kind_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedPacket):
        read_message(Packet(data))


def test_the_handshake_has_times_in_milliseconds() -> None:
    packet = write_open("s1", ["websocket"], 25, 20.0004, 1_000_000)
    assert packet[:1] == b"0"
    assert json.loads(packet[1:]) == {
        "sid": "s1",
        "upgrades": ["websocket"],
        "pingInterval": 25_000,
        "pingTimeout": 20_000,
        "maxPayload": 1_000_000,
    }


@given(st.lists(st.one_of(st.text(alphabet=st.characters(exclude_characters="\x1e", codec="utf-8")), st.binary())))
def test_what_is_written_reads_back(contents: list[str | bytes]) -> None:
    messages = [Packet(b"4" + c.encode()) if isinstance(c, str) else Packet(c, True) for c in contents]
    body = write_payload(messages)
    if messages:
        assert read_payload(body, max_packets=len(messages)) == ([read_message(message) for message in messages], None)


@given(st.binary())
def test_any_body(body: bytes) -> None:
    packets, error = read_payload(body)
    assert packets or error
