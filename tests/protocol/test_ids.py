"""Ids: every number in every spelling, there and back, and nothing else."""

from __future__ import annotations

from typing import Any
from uuid import UUID as Uuid  # noqa: N811

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.errors import BAD_REQUEST, Refusal
from protocol.ids import DECIMAL, DIGITS, MAX_SAFE_INTEGER, OBJECT_ID, UUID, IdFormat, Key, Ref

NUMBERS = st.integers(1, MAX_SAFE_INTEGER)
SECONDS = st.integers(0, 2**32 - 1)
LONG = [OBJECT_ID, UUID]
SPELLINGS = [DECIMAL, DIGITS, *LONG]
OBJECT = "65a1b2c30000000000000007"
UUID7 = "65a1b2c3-0000-8000-8000-000000000007"


@given(NUMBERS, SECONDS, st.sampled_from(SPELLINGS))
@example(MAX_SAFE_INTEGER, 2**32 - 1, UUID)
@example(2**48, 0, UUID)
def test_there_and_back(number: int, born: int, spelling: IdFormat) -> None:
    spelt = spelling.write(Ref(number, born))
    assert type(spelt) is spelling.type or isinstance(spelt, int)
    for key in (spelling.read(spelt), spelling.read_text(str(spelt))):
        assert key.number == number
        assert key.matches(number, born)
        assert not key.matches(number + 1, born)


@given(NUMBERS, SECONDS, st.sampled_from(LONG))
def test_the_long_forms_carry_the_time(number: int, born: int, spelling: IdFormat) -> None:
    text = spelling.write(Ref(number, born))
    key = spelling.read(text)
    assert key == Key(number, born, str(text))
    assert not key.matches(number, born + 1)
    assert spelling.read(str(text).upper()) == key


@given(st.lists(st.tuples(NUMBERS, SECONDS), min_size=2, max_size=2, unique=True), st.sampled_from(LONG))
def test_no_two_are_spelt_alike(pairs: list[tuple[int, int]], spelling: IdFormat) -> None:
    one, other = (spelling.write(Ref(*pair)) for pair in pairs)
    assert one != other


@given(NUMBERS, SECONDS)
def test_a_uuid_is_one(number: int, born: int) -> None:
    uuid = Uuid(str(UUID.write(Ref(number, born))))
    assert (uuid.version, uuid.variant) == (8, "specified in RFC 4122")


def test_examples() -> None:
    ref = Ref(7, 0x65A1B2C3)
    assert [spelling.write(ref) for spelling in SPELLINGS] == [7, 7, OBJECT, UUID7]


@given(st.binary(min_size=12, max_size=12))
def test_any_object_id_is_well_formed(data: bytes) -> None:
    key = OBJECT_ID.read(data.hex())
    assert 0 <= key.number <= MAX_SAFE_INTEGER
    assert key.text == data.hex()


@given(st.uuids())
def test_any_uuid_is_well_formed(uuid: Uuid) -> None:
    key = UUID.read(str(uuid))
    assert 0 <= key.number <= MAX_SAFE_INTEGER
    ours = UUID.write(Ref(key.number, key.created_seconds or 0)) == str(uuid)
    assert key.number == 0 or ours


def test_a_number_that_is_spelt_nowhere_is_nobodys() -> None:
    assert OBJECT_ID.read("65a1b2c3" + "f" * 16).number == 0
    assert OBJECT_ID.read("65a1b2c3" + "0020000000000000").number == 0  # LARGEST + 1
    assert UUID.read("65a1b2c3-0000-4000-8000-000000000007").number == 0
    assert UUID.read("65a1b2c3-0000-8000-9000-000000000007").number == 0


@pytest.mark.parametrize(
    ("spelling", "subject", "said"),
    [
        (OBJECT_ID, "507f1f77bcf86cd799439011", "507f1f77bcf86cd799439011"),
        (OBJECT_ID, "auth0|7", OBJECT),
        (OBJECT_ID, UUID7, OBJECT),
        (UUID, "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
        (UUID, "507f1f77bcf86cd799439011", UUID7),
        (DECIMAL, "507f1f77bcf86cd799439011", 7),
    ],
)
def test_a_foreign_user_keeps_the_spelling_that_fits(spelling: IdFormat, subject: str, said: int | str) -> None:
    assert spelling.write(Ref(7, 0x65A1B2C3, subject)) == said


NEVER: list[Any] = [None, True, False, 1.0, 0.5, b"7", [7], {}, "", " ", "7\n", "\u0661", float("nan")]
NO_NUMBER: list[Any] = [*NEVER, 0, -1, MAX_SAFE_INTEGER + 1, 2**63, 10**30]
NO_DIGITS: list[Any] = [
    *NO_NUMBER,
    "0",
    "-7",
    "+7",
    "07",
    "1_0",
    "7.0",
    "1e3",
    "1 ",
    " 1",
    str(MAX_SAFE_INTEGER + 1),
    "9" * 99,
]
NO_OBJECT: list[Any] = [*NEVER, 7, OBJECT[1:], OBJECT + "0", OBJECT + "\n", "g" * 24, UUID7, "\uff11" * 24]
NO_UUID: list[Any] = [*NEVER, 7, UUID7[1:], UUID7 + "0", UUID7 + "\n", UUID7.replace("-", ""), f"{{{UUID7}}}", OBJECT]


@pytest.mark.parametrize(
    ("spelling", "values"),
    [(DECIMAL, [*NO_NUMBER, "7"]), (DIGITS, NO_DIGITS), (OBJECT_ID, NO_OBJECT), (UUID, NO_UUID)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_nothing_else_is_read(spelling: IdFormat, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(Refusal) as caught:
            spelling.read(value)
        assert caught.value.code is BAD_REQUEST
        if isinstance(value, str) and spelling is not DECIMAL:
            with pytest.raises(Refusal):
                spelling.read_text(value)


@given(st.text(max_size=40), st.sampled_from(SPELLINGS))
def test_text_is_an_id_or_refused(text: str, spelling: IdFormat) -> None:
    try:
        key = spelling.read_text(text)
    except Refusal:
        return
    assert text.isascii()
    assert key.number >= 0


def test_the_name_says_what_a_refusal_expects() -> None:
    for spelling in (DECIMAL, *LONG):
        with pytest.raises(Refusal) as caught:
            spelling.read("?")
        assert caught.value.message == spelling.name
