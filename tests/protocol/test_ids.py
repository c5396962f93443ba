"""Ids: every number is written and read back in every format; all other input is refused."""

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
LONG_FORMATS = [OBJECT_ID, UUID]
FORMATS = [DECIMAL, DIGITS, *LONG_FORMATS]
OBJECT = "65a1b2c30000000000000007"
UUID7 = "65a1b2c3-0000-8000-8000-000000000007"


@given(NUMBERS, SECONDS, st.sampled_from(FORMATS))
@example(MAX_SAFE_INTEGER, 2**32 - 1, UUID)
@example(2**48, 0, UUID)
def test_a_written_id_reads_back(number: int, created_seconds: int, id_format: IdFormat) -> None:
    written = id_format.write(Ref(number, created_seconds))
    assert type(written) is id_format.type or isinstance(written, int)
    for key in (id_format.read(written), id_format.read_text(str(written))):
        assert key.number == number
        assert key.matches(number, created_seconds)
        assert not key.matches(number + 1, created_seconds)


@given(NUMBERS, SECONDS, st.sampled_from(LONG_FORMATS))
def test_the_long_formats_contain_the_time(number: int, created_seconds: int, id_format: IdFormat) -> None:
    text = id_format.write(Ref(number, created_seconds))
    key = id_format.read(text)
    assert key == Key(number, created_seconds, str(text))
    assert not key.matches(number, created_seconds + 1)
    assert id_format.read(str(text).upper()) == key


@given(st.lists(st.tuples(NUMBERS, SECONDS), min_size=2, max_size=2, unique=True), st.sampled_from(LONG_FORMATS))
def test_two_ids_never_have_the_same_text(pairs: list[tuple[int, int]], id_format: IdFormat) -> None:
    one, other = (id_format.write(Ref(*pair)) for pair in pairs)
    assert one != other


@given(NUMBERS, SECONDS)
def test_a_uuid_is_one(number: int, created_seconds: int) -> None:
    uuid = Uuid(str(UUID.write(Ref(number, created_seconds))))
    assert (uuid.version, uuid.variant) == (8, "specified in RFC 4122")


def test_examples() -> None:
    ref = Ref(7, 0x65A1B2C3)
    assert [id_format.write(ref) for id_format in FORMATS] == [7, 7, OBJECT, UUID7]


@given(st.binary(min_size=12, max_size=12))
def test_any_object_id_is_well_formed(data: bytes) -> None:
    key = OBJECT_ID.read(data.hex())
    assert 0 <= key.number <= MAX_SAFE_INTEGER
    assert key.text == data.hex()


@given(st.uuids())
def test_any_uuid_is_well_formed(uuid: Uuid) -> None:
    key = UUID.read(str(uuid))
    assert 0 <= key.number <= MAX_SAFE_INTEGER
    is_own = UUID.write(Ref(key.number, key.created_seconds or 0)) == str(uuid)
    assert key.number == 0 or is_own


def test_an_id_that_this_server_never_writes_has_the_number_0() -> None:
    assert OBJECT_ID.read("65a1b2c3" + "f" * 16).number == 0
    assert OBJECT_ID.read("65a1b2c3" + "0020000000000000").number == 0  # MAX_SAFE_INTEGER + 1
    assert UUID.read("65a1b2c3-0000-4000-8000-000000000007").number == 0
    assert UUID.read("65a1b2c3-0000-8000-9000-000000000007").number == 0


@pytest.mark.parametrize(
    ("id_format", "subject", "expected"),
    [
        (OBJECT_ID, "507f1f77bcf86cd799439011", "507f1f77bcf86cd799439011"),
        (OBJECT_ID, "auth0|7", OBJECT),
        (OBJECT_ID, UUID7, OBJECT),
        (UUID, "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
        (UUID, "507f1f77bcf86cd799439011", UUID7),
        (DECIMAL, "507f1f77bcf86cd799439011", 7),
    ],
)
def test_an_external_user_keeps_an_id_of_the_same_format(
    id_format: IdFormat, subject: str, expected: int | str
) -> None:
    assert id_format.write(Ref(7, 0x65A1B2C3, subject)) == expected


INVALID: list[Any] = [None, True, False, 1.0, 0.5, b"7", [7], {}, "", " ", "7\n", "\u0661", float("nan")]
INVALID_DECIMALS: list[Any] = [*INVALID, 0, -1, MAX_SAFE_INTEGER + 1, 2**63, 10**30]
INVALID_DIGITS: list[Any] = [
    *INVALID_DECIMALS,
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
INVALID_OBJECT_IDS: list[Any] = [*INVALID, 7, OBJECT[1:], OBJECT + "0", OBJECT + "\n", "g" * 24, UUID7, "\uff11" * 24]
INVALID_UUIDS: list[Any] = [
    *INVALID,
    7,
    UUID7[1:],
    UUID7 + "0",
    UUID7 + "\n",
    UUID7.replace("-", ""),
    f"{{{UUID7}}}",
    OBJECT,
]


@pytest.mark.parametrize(
    ("id_format", "values"),
    [
        (DECIMAL, [*INVALID_DECIMALS, "7"]),
        (DIGITS, INVALID_DIGITS),
        (OBJECT_ID, INVALID_OBJECT_IDS),
        (UUID, INVALID_UUIDS),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_nothing_else_is_read(id_format: IdFormat, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(Refusal) as caught:
            id_format.read(value)
        assert caught.value.code is BAD_REQUEST
        if isinstance(value, str) and id_format is not DECIMAL:
            with pytest.raises(Refusal):
                id_format.read_text(value)


@given(st.text(max_size=40), st.sampled_from(FORMATS))
def test_text_is_an_id_or_refused(text: str, id_format: IdFormat) -> None:
    try:
        key = id_format.read_text(text)
    except Refusal:
        return
    assert text.isascii()
    assert key.number >= 0


def test_the_name_says_what_a_refusal_expects() -> None:
    for id_format in (DECIMAL, *LONG_FORMATS):
        with pytest.raises(Refusal) as caught:
            id_format.read("?")
        assert caught.value.message == id_format.name
