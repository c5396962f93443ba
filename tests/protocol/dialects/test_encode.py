"""Saying: shapes become functions, bodies JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Struct
from msgspec.structs import replace

from protocol.dialects.encode import sayings, spell_body, speller
from protocol.dialects.grammar import SILENT, Many, Outbound, Shape, Vocabulary, bare, silent
from protocol.dialects.words import (
    always,
    computed,
    iso,
    moment,
    nested,
    nested_each,
    plain,
    spelt,
    spelt_each,
    spread,
    whether_read,
)
from protocol.events import MEMBERS, MessageCreated, PresenceChanged
from protocol.ids import DECIMAL, OBJECT_ID, Ref
from protocol.model import Page
from tests.protocol.dialects.samples import GROUP_MESSAGE, MESSAGE, READ, ref


class Thing(Struct, frozen=True):
    id: Ref = Ref(7, 16)
    name: str | None = "n"
    inner: Thing | None = None
    many: tuple[Thing, ...] = ()
    extra: object = UNSET


SMALL: Shape = {"id": spelt("id", DECIMAL), "name": plain("name", omit_none=True)}


def test_keys_stand_in_the_order_of_the_shape() -> None:
    spell = speller({"b": plain("name", omit_none=True), "a": spelt("id", OBJECT_ID), "c": always(5)})
    assert list(spell(Thing()).items()) == [("b", "n"), ("a", "000000100000000000000007"), ("c", 5)]
    assert list(spell(Thing(name=None))) == ["a", "c"]


def test_words_of_a_shape() -> None:
    shape: Shape = {
        "inner": nested("inner", SMALL),
        "many": nested_each("many", SMALL),
        "deep": plain("inner.name"),
        "ids": computed("many", len, "a number"),
    }
    thing = Thing(inner=Thing(name="i"), many=(Thing(), Thing(name=None)))
    assert speller(shape)(thing) == {
        "inner": {"id": 7, "name": "i"},
        "many": [{"id": 7, "name": "n"}, {"id": 7}],
        "deep": "i",
        "ids": 2,
    }
    assert speller({"inner": nested("inner", SMALL)})(Thing()) == {"inner": None}


def test_an_id_that_may_be_missing() -> None:
    message = replace(MESSAGE, receiver=None)
    assert speller({"to": spelt("receiver", DECIMAL)})(message) == {"to": None}
    assert speller({"to": spelt("receiver", DECIMAL, omit_none=True)})(message) == {}
    assert speller({"by": spelt_each("seen_by", DECIMAL)})(GROUP_MESSAGE) == {"by": [2]}


def test_further_keys_never_take_the_place_of_the_shapes_own() -> None:
    spell = speller({"id": spelt("id", DECIMAL), "…": spread("extra"), "name": plain("name", omit_none=True)})
    said = spell(Thing(name=None, extra={"z": 1, "id": "mine", "name": "mine", "…": 0}))
    assert said == {"id": 7, "z": 1}
    assert spell(Thing()) == {"id": 7, "name": "n"}


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


def test_a_moment_that_has_not_come() -> None:
    assert speller({"read_at": moment("read_at")})(MESSAGE) == {"read_at": None}
    assert speller({"read_at": moment("read_at", omit_none=True)})(MESSAGE) == {}


def test_whether_a_message_was_read() -> None:
    spell = speller({"read": whether_read("")})
    assert spell(MESSAGE) == {"read": False}
    assert spell(replace(MESSAGE, read_at=READ)) == {"read": True}
    assert spell(GROUP_MESSAGE) == {"read": False}  # its sender alone has seen it
    assert spell(replace(GROUP_MESSAGE, seen_by=(ref(2), ref(9)))) == {"read": True}


def test_bodies() -> None:
    things = (Thing(), Thing(name="m"))
    assert spell_body(SMALL, Thing()) == {"id": 7, "name": "n"}
    assert spell_body(Many(SMALL), things) == [{"id": 7, "name": "n"}, {"id": 7, "name": "m"}]
    assert spell_body(Many(SMALL), Page(things, limit=2)) == spell_body(Many(SMALL), things)
    assert spell_body(Many(SMALL), ()) == []
    assert spell_body(None, Thing()) is None
    assert spell_body(SMALL, None) is None


def test_acks_that_are_not_given() -> None:
    assert silent({"x": 1}) is SILENT
    assert bare(None) is SILENT
    assert bare({"x": 1}) == {"x": 1}
    assert bare([]) == []


def test_one_event_may_have_several_words_or_none() -> None:
    who: Shape = {"id": spelt("user", DECIMAL)}
    table = sayings(
        Vocabulary(
            inbound=(),
            outbound=(
                Outbound(PresenceChanged, "up", who, when=("online", True)),
                Outbound(PresenceChanged, "down", who, MEMBERS, others=True, when=("online", False)),
                Outbound(PresenceChanged, "either", who),
            ),
        )
    )
    up, down = PresenceChanged(ref(1), True), PresenceChanged(ref(1), False)
    assert [saying.name for saying in table[PresenceChanged] if saying.applies(up)] == ["up", "either"]
    assert [saying.name for saying in table[PresenceChanged] if saying.applies(down)] == ["down", "either"]
    assert (table[PresenceChanged][1].at, table[PresenceChanged][1].others) == (MEMBERS, True)
    assert table[PresenceChanged][0].body(up) == b'{"id":1}'
    assert MessageCreated not in table
