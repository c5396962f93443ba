"""Socket.IO packets: every row of the grammar, and every way to break it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from protocol.errors import FORBIDDEN, Refusal
from protocol.frames import Acknowledged, Call, Close, Frame, Framing, InvalidFrame, Open, Packet
from protocol.framings.socketio import PARSE_ERROR, RESERVED, SocketIo, SocketIoLimits


def as_dict(frame: Frame) -> dict[str, Any]:
    """A frame as a dict that can be compared: its class and its fields."""
    fields: dict[str, Any] = {name: getattr(frame, name) for name in frame.__struct_fields__}
    return {
        "kind": type(frame).__name__,
        **{name: bytes(value) if isinstance(value, Raw) else value for name, value in fields.items()},
    }


def receive_all(*messages: bytes | Packet, limits: SocketIoLimits | None = None) -> list[Frame]:
    client = SocketIo(limits)
    frames: list[Frame] = []
    for message in messages:
        frames += client.receive(message if isinstance(message, Packet) else Packet(message))
    return frames


def binary(data: bytes) -> Packet:
    return Packet(data, True)


def disconnects(frames: Sequence[Frame]) -> bool:
    return bool(frames) and frames[-1] == Close(fault=PARSE_ERROR)


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        (b"0", Open("/")),
        (b"0/chat", Open("/chat")),
        (b"0/chat,", Open("/chat")),
        (b'0{"token":"1"}', Open("/", Raw(b'{"token":"1"}'))),
        (b'0/chat,{"token":"1"}', Open("/chat", Raw(b'{"token":"1"}'))),
        (b"1", Close("/")),
        (b"1/chat", Close("/chat")),
        (b"1/chat,", Close("/chat")),
        (b'2["say"]', Call("/", "say")),
        (b'2["say",{"a":1}]', Call("/", "say", Raw(b'{"a":1}'))),
        (b'2["say",7]', Call("/", "say", Raw(b"[7]"))),
        (b'2["say",{"a":1}, "x"]', Call("/", "say", Raw(b'[{"a":1},"x"]'))),
        (b'2/chat,["say",[]]', Call("/chat", "say", Raw(b"[[]]"))),
        (b'20["say"]', Call("/", "say", id=b"0")),
        (b'2/chat,12["say",null]', Call("/chat", "say", Raw(b"[null]"), id=b"/chat,12")),
        (b'29007199254740992["say"]', Call("/", "say", id=b"9007199254740992")),
        (b'2/\xc3\xa9\\,["\\u00e9"]', Call("/é\\", "é")),
        (b"37[]", Acknowledged("/", 7, Raw(b"[]"))),
        (b'3/chat,7[{"a":1},2]', Acknowledged("/chat", 7, Raw(b'[{"a":1},2]'))),
    ],
)
def test_a_packet_is_a_frame(text: bytes, frame: Frame) -> None:
    assert [as_dict(received) for received in receive_all(text)] == [as_dict(frame)]


MALFORMED = [
    b"", b"abc", b"7", b"9[]", b"\xff", b"4", b'4{"message":"no"}', b"-", b" 0",
    b"0[]", b"0null", b'0"x"', b"0{", b'0{"a":}', b'0{"a":1}x', b"1{}", b"1[]", b"1x", b"0/chat,x",
    b"2", b"2{}", b"2[]", b"2[1]", b"2[null]", b"2[{}]", b"2[[]]", b'2"say"', b"2[", b'2["say"', b'2["say",]',
    b'2["say"]x', b'2["say",NaN]', b'2["say",\xff]', b'2["\xff"]', b"2/chat", b"2/chat,",
    b'2abc["say"]', b'2-1["say"]', b'21.5["say"]', b'29007199254740993["say"]', b'299999999999999999999["say"]',
    b"3", b"37", b"3{}", b"37{}", b"37[", b'2/\xff,["say"]',
    b'5["say"]', b'5-["say"]', b'5x-["say"]', b'51.5-["say"]', b'5-1-["say"]', b"50-", b"50-{}", b"50-[]",
    b'511-["say"]', b'51000000000-["say"]', b'59999999999999999999-["say"]', b"60-[]", b"61-[]", b"62-7{}",
    b'51-["say",{"_placeholder":true,"num":1}]', b'51-["say",{"_placeholder":true,"num":-1}]',
    b'51-["say",{"_placeholder":true,"num":"0"}]', b'51-["say",{"_placeholder":true,"num":true}]',
    b'51-["say",{"_placeholder":true}]', b'51-["say",{"a":[{"_placeholder":true,"num":9}]}]',
    b'50-["say",{"_placeholder":true,"num":0}]', b'61-7[{"_placeholder":true,"num":1}]',
]  # fmt: skip


@pytest.mark.parametrize("text", MALFORMED)
def test_what_breaks_the_grammar_ends_the_connection(text: bytes) -> None:
    assert receive_all(text) == [Close(fault=PARSE_ERROR)]


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_an_event_may_not_have_a_name_that_client_libraries_reserve(name: str) -> None:
    assert disconnects(receive_all(b'2["%b"]' % name.encode()))
    assert disconnects(receive_all(b'50-["%b"]' % name.encode()))


NESTED = b"[" * 40 + b"]" * 40


def test_a_valid_packet_nested_too_deep_is_refused_under_its_id() -> None:
    (broken,) = receive_all(b'2/chat,5["say",%b]' % NESTED)
    assert isinstance(broken, InvalidFrame)
    assert broken.id == b"/chat,5"
    assert SocketIo().refuse(broken.id, broken.refusal, b'{"ok":false}') == (Packet(b'43/chat,5[{"ok":false}]'),)


@pytest.mark.parametrize("text", [b'0{"a":%b}', b'51-["say",%b]', b"37[%b]", b"61-7[%b]"])
def test_nested_too_deep_without_an_id(text: bytes) -> None:
    assert disconnects(receive_all(text % NESTED))


def test_nesting_without_end_is_no_recursion_error() -> None:
    assert receive_all(b'2["say",' + b"[" * 100_000)
    assert disconnects(receive_all(b'0{"a":' * 50_000))


class TestAttachments:
    def test_an_event_waits_for_them(self) -> None:
        client = SocketIo()
        head = b'52-/chat,7["say",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
        assert client.receive(Packet(head)) == ()
        assert client.receive(binary(b"\1")) == ()
        (call,) = client.receive(binary(b"\2"))
        assert isinstance(call, Call)
        assert (call.name, call.id, call.attachments) == ("say", b"/chat,7", (b"\1", b"\2"))

    def test_an_acknowledgement_waits_for_them(self) -> None:
        (received,) = receive_all(b'61-7[{"_placeholder":true,"num":0}]', binary(b"x"))
        assert isinstance(received, Acknowledged)
        assert (received.id, received.attachments) == (7, (b"x",))

    def test_none_are_announced(self) -> None:
        (call,) = receive_all(b'50-["say",1]')
        assert isinstance(call, Call)
        assert call.attachments == ()

    def test_the_client_goes_on_after_them(self) -> None:
        frames = receive_all(b'51-["say",{"_placeholder":true,"num":0}]', binary(b"x"), b'2["more"]')
        assert [getattr(frame, "name", None) for frame in frames] == ["say", "more"]

    def test_one_that_no_packet_announces(self) -> None:
        assert disconnects(receive_all(binary(b"x")))
        assert disconnects(receive_all(b'50-["say",1]', binary(b"x")))

    def test_text_where_one_is_due(self) -> None:
        assert disconnects(receive_all(b'51-["say",{"_placeholder":true,"num":0}]', b'2["more"]'))

    def test_together_they_are_no_larger_than_a_packet(self) -> None:
        limits = SocketIoLimits(packet_bytes=100)
        announced = b'52-["say",{"_placeholder":true,"num":0}]'
        assert not disconnects(receive_all(announced, binary(b"x" * 60), binary(b"x" * 40), limits=limits))
        assert disconnects(receive_all(announced, binary(b"x" * 60), binary(b"x" * 41), limits=limits))

    def test_so_many_and_no_more(self) -> None:
        assert receive_all(b'52-["say"]', limits=SocketIoLimits(attachments=2)) == []
        assert disconnects(receive_all(b'53-["say"]', limits=SocketIoLimits(attachments=2)))


def test_a_packet_is_no_longer_than_the_limit() -> None:
    limits = SocketIoLimits(packet_bytes=20)
    assert not disconnects(receive_all(b'2["%b"]' % (b"x" * 15), limits=limits))
    assert disconnects(receive_all(b'2["%b"]' % (b"x" * 16), limits=limits))


def test_a_namespace_is_no_longer_than_the_limit() -> None:
    limits = SocketIoLimits(namespace_bytes=5)
    assert receive_all(b"0/chat,", limits=limits) == [Open("/chat")]
    assert disconnects(receive_all(b"0/chats,", limits=limits))


class TestOut:
    def test_it_is_a_framing(self) -> None:
        framing: Framing = SocketIo()
        assert framing

    def test_an_answer_goes_under_the_calls_namespace_and_id(self) -> None:
        client = SocketIo()
        for text, answer in [
            (b'2456["say"]', b'43456[{"ok":true}]'),
            (b'2/chat,1["say"]', b'43/chat,1[{"ok":true}]'),
        ]:
            (call,) = client.receive(Packet(text))
            assert isinstance(call, Call)
            assert client.answer(call.id, b'{"ok":true}') == (Packet(answer),)

    def test_without_a_body_no_packet_is_sent(self) -> None:
        assert SocketIo().answer(b"1", None) == ()
        assert SocketIo().refuse(b"1", Refusal(FORBIDDEN), None) == ()

    def test_an_event(self) -> None:
        assert SocketIo.push("/", "say", b"{}", 5, "room") == b'42["say",{}]'
        assert SocketIo.push("/chat", "sé", b"{}", None, None) == '42/chat,["sé",{}]'.encode()

    def test_an_event_with_its_offset(self) -> None:
        assert SocketIo.push_recoverable("/chat", "say", b"{}", "e-7") == b'42/chat,["say",{},"e-7"]'
        push = SocketIo.push_since("e")
        assert push("/chat", "say", b"{}", 7, None) == b'42/chat,["say",{},"e-7.say"]'
        assert push("/chat", "say", b"{}", None, None) == b'42/chat,["say",{}]'

    def test_an_offset_of_a_client(self) -> None:
        sent = SocketIo.push_since("e-f")("/", "a-b.c", b"{}", 7, None)
        offset = SocketIo.read_offset("e-f-7.a-b.c")
        assert offset == ("e-f", "7", b',"e-f-7.a-b.c"]')
        assert sent.endswith(offset.mark)
        assert SocketIo.read_offset("e-f-7") == ("e-f", "7", b"")
        assert SocketIo.read_offset("") == ("", "", b"")

    def test_opening_and_closing_a_namespace(self) -> None:
        assert SocketIo.opened("/", "s1") == b'40{"sid":"s1"}'
        assert SocketIo.opened("/chat", "s1", "p1") == b'40/chat,{"sid":"s1","pid":"p1"}'
        assert SocketIo.rejected("/random", "Invalid namespace") == b'44/random,{"message":"Invalid namespace"}'
        assert SocketIo.rejected("/", "no", {"code": "X"}) == b'44{"message":"no","data":{"code":"X"}}'
        assert (SocketIo.closed("/"), SocketIo.closed("/chat")) == (b"41", b"41/chat,")

    def test_events_and_answers_with_attachments(self) -> None:
        placeholder = b'{"_placeholder":true,"num":0}'
        assert SocketIo.event("/chat", b'["say",%b]' % placeholder, [b"x"]) == (
            Packet(b'451-/chat,["say",%b]' % placeholder),
            Packet(b"x", True),
        )
        assert SocketIo.event("/", b'["say",1,2]') == (Packet(b'42["say",1,2]'),)
        assert SocketIo.acknowledge(b"/chat,7", b"[%b]" % placeholder, [b"x"]) == (
            Packet(b"461-/chat,7[%b]" % placeholder),
            Packet(b"x", True),
        )
        assert SocketIo.acknowledge(b"7", b"[1,2]") == (Packet(b"437[1,2]"),)


TEXT = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.from_regex(r"/[a-z/?=&]*", fullmatch=True),
    st.none() | st.integers(0, 1 << 53),
    TEXT.filter(lambda name: name not in RESERVED),
    st.lists(JSON, max_size=3),
)
def test_every_event_reads_as_it_was_written(namespace: str, id: int | None, name: str, arguments: list[Any]) -> None:
    prefix = "" if namespace == "/" else namespace + ","
    text = f"2{prefix}{'' if id is None else id}{json.dumps([name, *arguments])}".encode()
    frames = receive_all(text, limits=SocketIoLimits(namespace_bytes=10_000))
    (call,) = frames
    assert isinstance(call, Call)
    received = json.loads(bytes(call.arguments) or b"[]")
    assert (call.namespace, call.name) == (namespace, name)
    assert (received if isinstance(received, list) else [received]) == arguments
    assert call.id == (None if id is None else f"{prefix}{id}".encode())


@given(st.lists(st.builds(Packet, st.binary() | st.from_regex(rb"[0-6][0-9-]*(/,)?[0-9]*\[.*"), st.booleans())))
def test_any_messages(messages: list[Packet]) -> None:
    client = SocketIo()
    for message in messages:
        client.receive(message)
