"""Inbound and Route rows, compiled: the fields of a row become one msgspec type that decodes and checks in one pass.

Only a payload that fails is read a second time, field by field, to report all of its problems.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import astuple

from protocol.commands import Command
from protocol.dialects.grammar import MAX_PROBLEMS, ErrorTexts, Field, Inbound
from protocol.errors import BAD_REQUEST, UNPARSABLE, Problem, Refusal
from protocol.strict import check_keys, check_size

_EMPTY_LIST = re.compile(rb"\[\s*\]\Z")


class CallDecoder:
    """One compiled row: it decodes JSON arguments to the command, or raises a Refusal that names all invalid fields."""

    def __init__(
        self,
        command: type[Command],
        fields: tuple[Field, ...],
        fixed: Mapping[str, Any],
        error_texts: ErrorTexts,
        *,
        positional: bool = False,
    ) -> None:
        self.command = command
        self.fields = fields
        self.fixed = fixed
        self.error_texts = error_texts
        self.positional = positional
        types = [_struct_field(field) for field in fields]
        payload = msgspec.defstruct("Payload", types, forbid_unknown_fields=True, kw_only=True)
        self._object = msgspec.json.Decoder(payload)
        self._list: msgspec.json.Decoder[Any]
        if positional:
            arguments = msgspec.defstruct("Arguments", types, array_like=True, forbid_unknown_fields=True)
            self._list = msgspec.json.Decoder(arguments)
        else:
            self._list = msgspec.json.Decoder(tuple[payload])  # type: ignore[valid-type]
        self._conversions = [(field.attribute, field.type.read, field.clears) for field in fields]
        self._quoted_names = [b'"%b"' % field.name.encode() for field in fields]
        attributes = {field.name: field.attribute for field in fields}
        self._alternatives = [(field.attribute, attributes[field.unless]) for field in fields if field.unless]

    def decode(self, arguments: Raw | bytes, known: Mapping[str, Any] | None = None) -> Command:
        """The command. `known` are attributes from elsewhere (a path); they replace the row's `fixed` ones.

        The caller has checked the size and the depth of the arguments.
        """
        text = bytes(arguments).strip() or b"{}"
        try:
            if text[0] == 0x5B:  # [
                payload = self._list.decode(text) if self.positional else self._decode_single(text)
            else:
                payload = self._object.decode(text)
        except (ValueError, RecursionError):
            raise self._explain(text) from None
        command, keys = self._make_command(payload, text, self.fixed if known is None else known)
        if text.count(b":") > keys and not self._has_distinct_keys(text):  # as many colons as keys: no duplicate
            check_keys(text)
        return command

    def _has_distinct_keys(self, text: bytes) -> bool:
        """Whether the text is one flat object without escapes in which every quoted field name occurs at most once.

        Quotes inside a value are escaped, so a quoted name is a key or a whole value. The latter costs a full check.
        """
        count = text.count
        if self.positional or count(b"{") > 1 or b"\\u" in text:
            return False
        return all(count(name) < 2 for name in self._quoted_names)

    def _decode_single(self, text: bytes) -> Any:
        """The payload of a list of one object. An empty list stands for an empty object."""
        return self._object.decode(b"{}") if _EMPTY_LIST.match(text) else self._list.decode(text)[0]

    def _make_command(self, payload: Any, text: bytes, known: Mapping[str, Any]) -> tuple[Command, int]:
        """The command, and the number of keys in the payload."""
        values: dict[str, Any] = dict(known)
        keys = 0
        for (attribute, read, clears), value in zip(self._conversions, astuple(payload)):  # noqa: B905 - same fields
            if value is UNSET:
                continue
            keys += 1
            if value is None:
                if clears:
                    values[attribute] = None
                continue
            try:
                values[attribute] = read(value)
            except Refusal:
                raise self._explain(text) from None
        for attribute, alternative in self._alternatives:
            if attribute not in values and alternative not in values:
                raise self._explain(text)
        return self.command(**values), keys

    def _explain(self, text: bytes) -> Refusal:
        """Why `text` is no valid payload of this row: the first problems, in the order of the fields."""
        check_size(text)
        try:
            value = msgspec.json.decode(text)
        except (ValueError, RecursionError):
            return Refusal(UNPARSABLE, "The payload is not valid JSON")
        check_keys(text)
        if isinstance(value, list) and not self.positional:
            if len(value) > 1:
                return Refusal(BAD_REQUEST, "This call takes one object, and nothing beside it")
            value = value[0] if value else {}
        elif isinstance(value, list):
            if len(value) > len(self.fields):
                return Refusal(BAD_REQUEST, f"This call takes {len(self.fields)} argument(s), not {len(value)}")
            value = dict(zip((field.name for field in self.fields), value, strict=False))
        if not isinstance(value, dict):
            return Refusal(BAD_REQUEST, "The payload must be an object")
        return _payload_refusal(self.fields, value, self.error_texts)


def _struct_field(field: Field) -> tuple[str, Any] | tuple[str, Any, Any]:
    """A field of the decoded struct, under its name in the payload."""
    if field.required and field.unless is None:
        return (field.name, field.type.json_type)
    return (field.name, field.type.json_type | None | UnsetType, UNSET)


def find_problems(fields: tuple[Field, ...], payload: Mapping[str, Any]) -> tuple[Problem, ...]:
    """The first problems of a decoded payload, in the order of the fields."""
    found = (problem for field in fields if (problem := _find_problem(field, payload)))
    return tuple(islice(chain(found, unknown_fields(fields, payload)), MAX_PROBLEMS))


def unknown_fields(fields: tuple[Field, ...], names: Iterable[str]) -> Iterator[Problem]:
    """A problem for each name that no field has. Lazy: the caller takes as many as it needs."""
    known = {field.name for field in fields}
    return (Problem(name[:100], "unknown", "") for name in names if name not in known)


def _find_problem(field: Field, payload: Mapping[str, Any]) -> Problem | None:
    expected = field.type.expected
    value = payload.get(field.name)
    if value is None:
        optional = not field.required or (field.unless is not None and payload.get(field.unless) is not None)
        return None if optional else Problem(field.name, "missing", expected)
    try:
        checked = msgspec.convert(value, field.type.json_type)
    except (ValueError, RecursionError):
        return Problem(field.name, "type", expected)
    try:
        field.type.read(checked)
    except Refusal as refusal:
        return Problem(field.name, "value", refusal.message)
    return None


def _payload_refusal(fields: tuple[Field, ...], payload: Mapping[str, Any], error_texts: ErrorTexts) -> Refusal:
    found = find_problems(fields, payload) or (Problem("payload", "value", "a valid payload"),)
    return Refusal(BAD_REQUEST, error_texts.describe(found), field=found[0].field, problems=found)


def call_decoder(row: Inbound, error_texts: ErrorTexts) -> CallDecoder:
    return CallDecoder(row.command, row.fields, row.fixed, error_texts, positional=row.positional)
