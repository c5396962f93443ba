"""Decoding: every row of every dialect against every kind of invalid payload.

GOOD has a payload for each row; the invalid ones are made from it, field by field, by the type of the field.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from protocol.dialects import dialect, names
from protocol.dialects.decode import CallDecoder, unknown_fields
from protocol.dialects.fields import (
    BOOLEAN,
    MAX_OBJECT_BYTES,
    OBJECT,
    POSITIVE_INTEGER,
    TEXT,
    URLS,
    field,
    ids,
    optional,
)
from protocol.dialects.grammar import MAX_PROBLEMS, ErrorTexts, Field, Inbound
from protocol.errors import BAD_REQUEST, UNPARSABLE, Refusal
from protocol.ids import DECIMAL, OBJECT_ID
from tests.protocol.dialects.payloads import GOOD
from tests.protocol.dialects.samples import call_decoder_of, decode, object_id, refusal_of, uuid

ID, UID = object_id(7), uuid(7)

# Invalid JSON values for a field type, by what the type expects.
NUMBER_FAULTS = ('"x"', '"1 "', '""', "true", "1.5", "1.0", "0", "-1", "9223372036854775808", "1e3", "[7]", "{}")
STRICT_FAULTS = (*NUMBER_FAULTS, '"7"')
TEXT_FAULTS = ("7", "true", "[]", "{}", '"a\\u0000b"')
LONG_FAULTS = (f'"{ID} "', f'" {ID}"', f'"{ID[:-1]}"', f'"{ID[:-1]}g"', f'"{{{UID}}}"', '""', "7", "true", "[]", "{}")
FAULTS: dict[str, tuple[str, ...]] = {
    "a positive integer": STRICT_FAULTS,
    "an integer number": STRICT_FAULTS,
    "a positive integer or its digits": (*NUMBER_FAULTS, '"07"', '"+7"', '"7.0"', '"-7"', '"99999999999999999"'),
    "an id of 24 hexadecimal digits": (*LONG_FAULTS, f'"{UID}"'),
    "a UUID": (*LONG_FAULTS, f'"{ID}"', f'"{UID.replace("-", "")}"'),
    "a string": TEXT_FAULTS,
    "a boolean value": ('"true"', "1", "0", "[]", "{}", '""'),
    "a list of URLs": ('"https://x"', "{}", "[7]", "[null]", '[""]', '["a b"]', '["a\\u0000"]'),
    'a list of {url, type?: "IMAGE" or "PDF"}': ("{}", "[null]", '["https://x"]', '[{"url":"https://x","type":"MP3"}]'),
    "a time, ISO 8601 with its offset from UTC": (
        '"2030-01-01"',
        '"2030-01-01T00:00:00"',
        '"0001-01-01T00:00:00Z"',
        '"tomorrow"',
        "7",
        "true",
    ),
    "a position: 0 or a positive integer": ('"0"', "-1", "1.5", "true", "[]", "9223372036854775808"),
    "one emoji": ('"x"', '""', '"👍👍"', '" 👍"', '"1"', "7", "true", "[]"),
    "a list, each a positive integer": ("7", '["7"]', "[0]", "[true]", "{}", '"7"'),
    f"an object of at most {MAX_OBJECT_BYTES} bytes, without NUL": ("[]", "7", '"x"', '{"a":"\\u0000"}'),
    'a list of {url, type: "IMAGE" or "PDF"}': ("{}", "[null]", '["https://x"]', '[{"url":"https://x"}]'),
}
CHOICE_FAULTS = ('"other"', '""', "7", "true", "[]", '"TEXT"')

ROWS = [
    (name, namespace, row)
    for name in names()
    for namespace, vocabulary in dialect(name).vocabularies.items()
    for row in vocabulary.inbound
]
FIELDS = [(name, namespace, row, each) for name, namespace, row in ROWS for each in row.fields]


def label(value: object) -> str | None:
    return getattr(value, "name", None)


def good(name: str, namespace: str, row: Inbound) -> dict[str, Any]:
    return GOOD[name, namespace, row.name]


def with_text(payload: dict[str, Any], key: str, text: str) -> str:
    """The payload as JSON, with a piece of raw text for one key."""
    parts = [f"{json.dumps(k)}:{text if k == key else json.dumps(v)}" for k, v in payload.items()]
    return "{" + ",".join(parts) + "}"


def test_every_row_has_a_payload() -> None:
    assert {(name, namespace, row.name) for name, namespace, row in ROWS} == set(GOOD)


@pytest.mark.parametrize(("name", "namespace", "row"), ROWS, ids=label)
def test_a_payload_decodes_the_same_alone_in_a_list_and_in_any_order(name: str, namespace: str, row: Inbound) -> None:
    payload = good(name, namespace, row)
    text, backwards = json.dumps(payload), json.dumps(dict(reversed(payload.items())), indent=1)
    listed = json.dumps(list(payload.values())) if row.positional else f"[{text}]"
    command = decode(name, row.name, text, namespace)
    assert type(command) is row.command
    for variant in (backwards, listed, f" \n{text}\t"):
        assert decode(name, row.name, variant, namespace) == command


@pytest.mark.parametrize(("name", "namespace", "row", "each"), FIELDS, ids=label)
def test_an_absent_field(name: str, namespace: str, row: Inbound, each: Field) -> None:
    payload = good(name, namespace, row)
    absent = json.dumps({k: v for k, v in payload.items() if k != each.name})
    null = json.dumps({**payload, each.name: None})
    if each.clears:
        assert decode(name, row.name, absent, namespace) != decode(name, row.name, null, namespace)
        return
    if not each.required:
        assert decode(name, row.name, absent, namespace) == decode(name, row.name, null, namespace)
        return
    expected = dialect(name).replies.error_texts.missing.format(field=each.name, expected=each.type.expected)
    for text in (absent, null):
        refusal = refusal_of(name, row.name, text, namespace)
        assert (refusal.code, refusal.field, refusal.message) == (BAD_REQUEST, each.name, expected)


def faults(each: Field) -> Iterator[str]:
    yield from FAULTS.get(each.type.expected, CHOICE_FAULTS)


@pytest.mark.parametrize(("name", "namespace", "row", "each"), FIELDS, ids=label)
def test_a_field_of_another_type(name: str, namespace: str, row: Inbound, each: Field) -> None:
    for fault in faults(each):
        refusal = refusal_of(name, row.name, with_text(good(name, namespace, row), each.name, fault), namespace)
        assert (refusal.code, refusal.field) == (BAD_REQUEST, each.name)
        assert refusal.message.startswith(f"{each.name} must be ")


@pytest.mark.parametrize(("name", "namespace", "row", "each"), FIELDS, ids=label)
def test_text_that_no_field_can_hold(name: str, namespace: str, row: Inbound, each: Field) -> None:
    payload = good(name, namespace, row)
    for fault in ("1e999", "-1e999", "NaN", "Infinity", '"\\ud800x"', '"\\udc00\\ud800"', "01", "'x'", '"\x01"'):
        refusal = refusal_of(name, row.name, with_text(payload, each.name, fault), namespace)
        assert (refusal.code, refusal.message) == (UNPARSABLE, "The payload is not valid JSON")
    deep = refusal_of(name, row.name, with_text(payload, each.name, "[" * 40 + "]" * 40), namespace)
    assert (deep.code, deep.message) == (BAD_REQUEST, "The JSON is nested more than 32 deep")


@pytest.mark.parametrize(("name", "namespace", "row", "each"), FIELDS, ids=label)
def test_a_duplicate_field(name: str, namespace: str, row: Inbound, each: Field) -> None:
    payload = good(name, namespace, row)
    text = json.dumps(payload)
    escaped = f'"\\u{ord(each.name[0]):04x}{each.name[1:]}"'
    for key in (json.dumps(each.name), escaped):
        for value in (json.dumps(payload[each.name]), "null", "[]"):
            for twice in (f"{{{key}:{value},{text[1:]}", f"{text[:-1]},{key}:{value}}}"):
                refusal = refusal_of(name, row.name, twice, namespace)
                assert (refusal.code, refusal.field) == (BAD_REQUEST, each.name)
                assert refusal.message == f"'{each.name}' is there twice"


@pytest.mark.parametrize(("name", "namespace", "row"), ROWS, ids=label)
def test_an_undeclared_field(name: str, namespace: str, row: Inbound) -> None:
    unknown = dialect(name).replies.error_texts.unknown
    for extra in ("claimed_user", "conversation", "__class__", "x"):
        text = json.dumps({**good(name, namespace, row), extra: 1})
        refusal = refusal_of(name, row.name, text, namespace)
        assert (refusal.code, refusal.field) == (BAD_REQUEST, extra)
        assert refusal.message == unknown.format(field=extra)


@pytest.mark.parametrize(("name", "namespace", "row"), ROWS, ids=label)
def test_arguments_that_are_no_object(name: str, namespace: str, row: Inbound) -> None:
    for text in ("7", '"x"', "true"):
        assert refusal_of(name, row.name, text, namespace).message == "The payload must be an object"
    for broken in ("{", "[", "[}", "{}}", "nul", "\xff", "{'a':1}", "[{},]"):
        refusal = refusal_of(name, row.name, broken.encode("latin-1"), namespace)
        assert refusal.message == "The payload is not valid JSON"
    refusal = refusal_of(name, row.name, json.dumps([*good(name, namespace, row).values(), 1] * 9), namespace)
    assert refusal.code is BAD_REQUEST


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from([ID, UID]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(sorted({each.name for *_, each in FIELDS}))


def decode_or_refuse(source: tuple[str, str, Inbound], text: bytes) -> None:
    """For all input: the result is the row's command, or a Refusal with a text."""
    name, namespace, row = source
    outcome: object
    try:
        outcome = call_decoder_of(name, row.name, namespace).decode(Raw(text))
    except Refusal as refusal:
        outcome = refusal
    assert str(outcome) if isinstance(outcome, Refusal) else type(outcome) is row.command


@given(st.sampled_from(ROWS), st.dictionaries(KEYS, JSON, max_size=4) | JSON)
def test_whatever_json_comes(source: tuple[str, str, Inbound], value: Any) -> None:
    decode_or_refuse(source, json.dumps(value).encode())
    decode_or_refuse(source, json.dumps([value]).encode())


@given(st.sampled_from(ROWS), st.binary(max_size=80) | st.text(alphabet='{}[]",:\\0e1.-tu x', max_size=40))
def test_whatever_bytes_come(source: tuple[str, str, Inbound], text: bytes | str) -> None:
    decode_or_refuse(source, text if isinstance(text, bytes) else text.encode())


@given(st.sampled_from(ROWS), st.data())
def test_a_good_payload_with_changed_bytes(source: tuple[str, str, Inbound], data: st.DataObject) -> None:
    text = bytearray(json.dumps(good(*source)).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    decode_or_refuse(source, bytes(text))


def one(*fields: Field) -> CallDecoder:
    class Anything:
        def __init__(self, **values: Any) -> None:
            self.values = values

    command: Any = Anything
    return CallDecoder(command, fields, {}, ErrorTexts())


def values(decoder: CallDecoder, text: str) -> dict[str, Any]:
    command: Any = decoder.decode(text.encode())
    found: dict[str, Any] = command.values
    return found


TRICKY = st.sampled_from(["hi", "a:b:c", '"content"', "content", "\\u0063ontent", '{"content":1}', "{", "\\", "ü:"])
KEY_NAMES = st.sampled_from(["content", "clientId", "note"])


@given(st.lists(st.tuples(KEY_NAMES, TRICKY, st.booleans()), max_size=4))
def test_a_duplicate_key_is_found_with_any_values(pairs: list[tuple[str, str, bool]]) -> None:
    """The quick checks may never skip the slow one for a payload with a duplicate key."""
    decoder = one(optional("content", TEXT), optional("clientId", TEXT), optional("note", TEXT))
    members = [
        f"{json.dumps(key).replace(key[0], f'{chr(92)}u{ord(key[0]):04x}', 1) if escaped else json.dumps(key)}"
        f":{json.dumps(value, ensure_ascii=False)}"
        for key, value, escaped in pairs
    ]
    text = f"{{{','.join(members)}}}"
    for arguments in (text, f"[{text}]"):
        if len({key for key, _, _ in pairs}) < len(pairs):
            with pytest.raises(Refusal, match="is there twice"):
                decoder.decode(arguments.encode())
        else:
            assert values(decoder, arguments) == {key: value for key, value, _ in pairs}


def test_a_duplicate_key_within_positional_arguments() -> None:
    free: Any = lambda **values: values  # noqa: E731
    decoder = CallDecoder(free, (optional("free", OBJECT),), {}, ErrorTexts(), positional=True)
    with pytest.raises(Refusal, match="'a' is there twice"):
        decoder.decode(b'[{"a":1,"a":2}]')


def test_what_the_field_types_read() -> None:
    decoder = one(
        optional("text", TEXT),
        optional("flag", BOOLEAN),
        optional("count", POSITIVE_INTEGER),
        optional("urls", URLS),
        optional("free", OBJECT),
        optional("ids", ids(DECIMAL), "members"),
    )
    assert values(decoder, "{}") == {}
    assert values(decoder, '{"text":"ä","flag":false,"count":2147483647}') == {
        "text": "ä",
        "flag": False,
        "count": 2**31 - 1,
    }
    assert values(decoder, '{"free":{"a":[1,null]},"ids":[3,1]}') == {
        "free": {"a": [1, None]},
        "members": ((3, None, None), (1, None, None)),
    }


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"count":0}', "count must be a positive integer"),
        ('{"count":2147483648}', "count must be a positive integer"),
        ('{"ids":[1,true]}', "ids must be a list, each a positive integer"),
        ('{"ids":[1,0]}', "ids must be a positive integer"),
        (json.dumps({"ids": [1] * 1001}), "ids must be a list, each a positive integer"),
    ],
)
def test_what_the_field_types_refuse(body: str, text: str) -> None:
    with pytest.raises(Refusal) as caught:
        one(optional("count", POSITIVE_INTEGER), optional("ids", ids(DECIMAL))).decode(body.encode())
    assert caught.value.message == text


def test_all_problems_are_reported_in_the_order_of_the_fields() -> None:
    decoder = one(field("a", DECIMAL), field("b", OBJECT_ID), optional("c", BOOLEAN))
    with pytest.raises(Refusal) as caught:
        decoder.decode(b'{"z":1,"c":1,"b":"x"}')
    assert [(problem.field, problem.kind) for problem in caught.value.problems] == [
        ("a", "missing"),
        ("b", "value"),
        ("c", "type"),
        ("z", "unknown"),
    ]
    assert caught.value.field == "a"


def test_either_of_two_fields() -> None:
    decoder = one(field("a", DECIMAL, unless="b"), optional("b", DECIMAL))
    assert values(decoder, '{"a":1}') == {"a": (1, None, None)}
    assert values(decoder, '{"b":2}') == {"b": (2, None, None)}
    assert set(values(decoder, '{"a":1,"b":2}')) == {"a", "b"}
    for text in (b"{}", b'{"b":null}', b'{"a":null}'):
        with pytest.raises(Refusal) as caught:
            decoder.decode(text)
        assert caught.value.message == "a is required and must be a positive integer"


def test_names_of_unknown_fields_are_cut_to_size() -> None:
    with pytest.raises(Refusal) as caught:
        one(optional("a", BOOLEAN)).decode(json.dumps({"x" * 5000: 1}).encode())
    assert len(caught.value.message) < 200


def test_an_answer_names_ten_problems_and_cuts_the_keys() -> None:
    text = json.dumps({f"{number}{'k' * 5_000}": 1 for number in range(400)})
    refusal = refusal_of("colon", "message:send", text)
    assert len(refusal.problems) == MAX_PROBLEMS
    assert len(refusal.message) < 2_000


def test_unknown_keys_are_not_read_after_the_last_problem() -> None:
    unread_names = iter([f"unknown{number}" for number in range(1_000)])
    found = unknown_fields((), unread_names)
    assert [next(found).field for _ in range(MAX_PROBLEMS)][-1] == "unknown9"
    assert next(unread_names) == "unknown10"


@pytest.mark.parametrize(
    ("field_name", "value"), [("attachments", ["https://x/a"] * 1_001), ("attachments", [None] * 1_001)]
)
def test_every_list_has_a_limit(field_name: str, value: list[Any]) -> None:
    refusal = refusal_of("colon", "message:send", json.dumps({"conversationId": ID, field_name: value}))
    assert refusal.field == field_name
