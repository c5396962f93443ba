"""Encoding: shapes become functions, bodies become JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Struct
from msgspec.structs import replace

from protocol.dialects.encode import build_body, compile_shape, outbound_encoders
from protocol.dialects.grammar import NO_ACK, ListOf, Outbound, Shape, Vocabulary, no_ack, reply_as_ack
from protocol.dialects.shapes import (
    as_id,
    as_ids,
    as_is,
    as_object,
    as_objects,
    as_time,
    computed,
    constant,
    extra_keys,
    is_read,
    iso,
)
from protocol.events import MEMBERS, MessageCreated, PresenceChanged
from protocol.ids import DECIMAL, OBJECT_ID, Ref
from protocol.model import Page
from tests.protocol.dialects.samples import GROUP_MESSAGE, MESSAGE, READ, ref


class Source(Struct, frozen=True):
    id: Ref = Ref(7, 16)
    name: str | None = "n"
    inner: Source | None = None
    many: tuple[Source, ...] = ()
    extra: object = UNSET


SMALL: Shape = {"id": as_id("id", DECIMAL), "name": as_is("name", omit_none=True)}


def test_keys_stand_in_the_order_of_the_shape() -> None:
    build = compile_shape({"b": as_is("name", omit_none=True), "a": as_id("id", OBJECT_ID), "c": constant(5)})
    assert list(build(Source()).items()) == [("b", "n"), ("a", "000000100000000000000007"), ("c", 5)]
    assert list(build(Source(name=None))) == ["a", "c"]


def test_values_of_a_shape() -> None:
    shape: Shape = {
        "inner": as_object("inner", SMALL),
        "many": as_objects("many", SMALL),
        "deep": as_is("inner.name"),
        "ids": computed("many", len, "a number"),
    }
    source = Source(inner=Source(name="i"), many=(Source(), Source(name=None)))
    assert compile_shape(shape)(source) == {
        "inner": {"id": 7, "name": "i"},
        "many": [{"id": 7, "name": "n"}, {"id": 7}],
        "deep": "i",
        "ids": 2,
    }
    assert compile_shape({"inner": as_object("inner", SMALL)})(Source()) == {"inner": None}


def test_an_id_that_may_be_missing() -> None:
    message = replace(MESSAGE, receiver=None)
    assert compile_shape({"to": as_id("receiver", DECIMAL)})(message) == {"to": None}
    assert compile_shape({"to": as_id("receiver", DECIMAL, omit_none=True)})(message) == {}
    assert compile_shape({"by": as_ids("seen_by", DECIMAL)})(GROUP_MESSAGE) == {"by": [2]}


def test_further_keys_never_take_the_place_of_the_shapes_own() -> None:
    build = compile_shape({"id": as_id("id", DECIMAL), "…": extra_keys("extra"), "name": as_is("name", omit_none=True)})
    body = build(Source(name=None, extra={"z": 1, "id": "mine", "name": "mine", "…": 0}))
    assert body == {"id": 7, "z": 1}
    assert build(Source()) == {"id": 7, "name": "n"}


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (1698400800000, "2023-10-27T10:00:00.000Z"),
        (1709210096999, "2024-02-29T12:34:56.999Z"),
        (None, None),
    ],
)
def test_times(milliseconds: int | None, text: str | None) -> None:
    assert iso(milliseconds) == text


@given(st.integers(0, 253402300799999), st.integers(0, 253402300799999))
def test_times_sort_as_text(one: int, other: int) -> None:
    first, second = iso(one), iso(other)
    assert first is not None
    assert second is not None
    assert (first < second) == (one < other)


def test_an_absent_time() -> None:
    assert compile_shape({"read_at": as_time("read_at")})(MESSAGE) == {"read_at": None}
    assert compile_shape({"read_at": as_time("read_at", omit_none=True)})(MESSAGE) == {}


def test_whether_a_message_was_read() -> None:
    build = compile_shape({"read": is_read()})
    assert build(MESSAGE) == {"read": False}
    assert build(replace(MESSAGE, read_at=READ)) == {"read": True}
    assert build(GROUP_MESSAGE) == {"read": False}  # only its sender has seen it
    assert build(replace(GROUP_MESSAGE, seen_by=(ref(2), ref(9)))) == {"read": True}


def test_bodies() -> None:
    sources = (Source(), Source(name="m"))
    assert build_body(SMALL, Source()) == {"id": 7, "name": "n"}
    assert build_body(ListOf(SMALL), sources) == [{"id": 7, "name": "n"}, {"id": 7, "name": "m"}]
    assert build_body(ListOf(SMALL), Page(sources, limit=2)) == build_body(ListOf(SMALL), sources)
    assert build_body(ListOf(SMALL), ()) == []
    assert build_body(None, Source()) is None
    assert build_body(SMALL, None) is None


def test_acks_that_are_not_sent() -> None:
    assert no_ack({"x": 1}) is NO_ACK
    assert reply_as_ack(None) is NO_ACK
    assert reply_as_ack({"x": 1}) == {"x": 1}
    assert reply_as_ack([]) == []


def test_an_event_may_have_several_names_or_none() -> None:
    shape: Shape = {"id": as_id("user", DECIMAL)}
    table = outbound_encoders(
        Vocabulary(
            inbound=(),
            outbound=(
                Outbound(PresenceChanged, "up", shape, when=("online", True)),
                Outbound(PresenceChanged, "down", shape, MEMBERS, others_only=True, when=("online", False)),
                Outbound(PresenceChanged, "either", shape),
            ),
        )
    )
    up, down = PresenceChanged(ref(1), True), PresenceChanged(ref(1), False)
    assert [row.name for row in table[PresenceChanged] if row.applies(up)] == ["up", "either"]
    assert [row.name for row in table[PresenceChanged] if row.applies(down)] == ["down", "either"]
    assert (table[PresenceChanged][1].audience, table[PresenceChanged][1].others_only) == (MEMBERS, True)
    assert table[PresenceChanged][0].encode(up) == b'{"id":1}'
    assert MessageCreated not in table
