"""Limits that JSON does not have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import BAD_REQUEST, UNPARSABLE, Refusal
from protocol.strict import _STRING, MAX_DEPTH, MAX_VALUES, allow_values, check_keys, check_size

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='{}[]"\\:,a'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='{["\\:a', max_size=4), inner),
    max_leaves=20,
)


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def nested(levels: int, opening: str = "[", closing: str = "]") -> bytes:
    return (opening * levels + closing * levels).encode()


def too_deep(text: bytes) -> bool:
    try:
        check_size(text)
    except Refusal as refusal:
        return refusal.code is BAD_REQUEST and refusal.message == "The JSON is nested more than 32 deep"
    return False


@pytest.mark.parametrize("shape", [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_depth(shape: tuple[str, str]) -> None:
    levels = MAX_DEPTH // (2 if "[{" in shape[0] else 1)
    assert not too_deep(nested(levels, *shape))
    assert too_deep(nested(levels + 1, *shape))


def test_breadth_is_no_depth() -> None:
    assert not too_deep(b"[" + b"[]," * 999 + b"[]]")
    assert not too_deep(b'{"a":' * 31 + b'"' + b"[{" * 999 + b'"' + b"}" * 31)


def test_an_escaped_quote_ends_no_string() -> None:
    assert not too_deep(b'"\\"' + b"[" * 99 + b'"')
    assert too_deep(b'["\\\\",' + b"[" * 99)
    assert not too_deep(b'["\\\\\\"' + b"[" * 99 + b'"]')


@given(JSON, st.integers(0, 36))
def test_depth_of_anything(value: Any, around: int) -> None:
    for _ in range(around):
        value = [value]
    assert too_deep(json.dumps(value).encode()) == (depth(value) > MAX_DEPTH)


@given(st.binary(max_size=200) | st.text(alphabet='[]{}"\\', max_size=200).map(str.encode))
def test_invalid_json_has_a_depth_too(text: bytes) -> None:
    assert too_deep(text) in (True, False)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"a":1,"a":1}', "a"),
        ('{"a":1,"\\u0061":2}', "a"),
        ('{"":1,"":2}', ""),
        ('[1,{"b":1,"c":{"d":1,"d":2}}]', "d"),
        ('{"a":{"x":[{"y":1,"y":1}]},"b":1}', "y"),
        ('{"a":":","a":2}', "a"),
    ],
)
def test_a_duplicate_key_is_named(text: str, key: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_keys(text.encode())
    assert caught.value.code is BAD_REQUEST
    assert caught.value.field == key
    assert caught.value.message == f"{key!r} is there twice"


@pytest.mark.parametrize("text", ['{"a":1,"A":2}', '[{"a":1},{"a":2}]', '{"a":{"a":{"a":1}}}', '{"a":"a:a:a"}', "{}"])
def test_the_same_key_elsewhere_is_another(text: str) -> None:
    check_keys(text.encode())


def test_unreadable_text_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        check_keys(b'{"a":1,"b":2,"c":broken')
    assert caught.value.code is UNPARSABLE


def test_a_long_key_is_cut() -> None:
    key = "k" * 5000
    with pytest.raises(Refusal) as caught:
        check_keys(f'{{"{key}":1,"{key}":2}}'.encode())
    assert caught.value.field == key[:100]
    assert len(caught.value.message) < 150


def test_a_number_too_long_to_read_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        check_keys(b'{"a":1,"b":' + b"9" * 5000 + b"}")
    assert caught.value.code is UNPARSABLE


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=4))
def test_duplicate_or_not(pairs: list[tuple[str, int]]) -> None:
    text = "{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}"
    duplicate = len({key for key, _ in pairs}) < len(pairs)
    try:
        check_keys(text.encode())
    except Refusal:
        assert duplicate
    else:
        assert not duplicate


@pytest.mark.parametrize("text", [b'"' * 99 + b"\\", b'"\\' * 99, b'["a', b'"\\"' * 33, b'"a""b"\\"'])
def test_a_string_begins_at_every_quote_that_is_tried(text: bytes) -> None:
    """So none is tried twice, and a text that never closes its strings is read in one pass."""
    position = 0
    while (quote := text.find(b'"', position)) >= 0:
        found = _STRING.match(text, quote)
        assert found
        position = found.end()


@given(st.text(alphabet='"\\a[', max_size=60).map(str.encode))
def test_no_open_string_is_searched_twice(text: bytes) -> None:
    assert b'"' not in _STRING.sub(b"", text)


def test_too_many_values_are_refused_before_they_are_decoded() -> None:
    check_size(b"[" + b"1," * (MAX_VALUES - 1) + b"1]")
    check_size(b'["' + b"1," * MAX_VALUES + b'"]')
    with pytest.raises(Refusal, match="more than 5000 values") as caught:
        check_size(b"[" + b"1," * MAX_VALUES + b"this is not looked at")
    assert caught.value.code is BAD_REQUEST


def test_the_number_of_values_is_a_setting() -> None:
    text = b"[" + b"1," * MAX_VALUES + b"1]"
    try:
        allow_values(0)
        check_size(text)
        allow_values(2)
        with pytest.raises(Refusal, match="more than 2 values"):
            check_size(b"[1,2,3]")
    finally:
        allow_values(MAX_VALUES)
