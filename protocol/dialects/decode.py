"""Hear and Route rows, made quick: the fields of a row become one msgspec type, decoded and checked in a single pass.

Only a payload that fails is looked at again, slowly, field by field, to say everything that is wrong with it.
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
from protocol.dialects.grammar import MOST_PROBLEMS, Complaints, Field, Inbound
from protocol.errors import BAD_REQUEST, UNPARSABLE, Problem, Refusal
from protocol.strict import check_keys, check_size

_EMPTY = re.compile(rb"\[\s*\]\Z")


class CallDecoder:
    """One row, ready to hear: JSON arguments in, the command out, or a Refusal that names every field at fault."""

    def __init__(
        self,
        command: type[Command],
        takes: tuple[Field, ...],
        fixed: Mapping[str, Any],
        complaints: Complaints,
        *,
        positional: bool = False,
    ) -> None:
        self.command = command
        self.takes = takes
        self.fixed = fixed
        self.complaints = complaints
        self.positional = positional
        types = [_slot(field) for field in takes]
        payload = msgspec.defstruct("Payload", types, forbid_unknown_fields=True, kw_only=True)
        self._object = msgspec.json.Decoder(payload)
        self._list: msgspec.json.Decoder[Any]
        if positional:
            listed = msgspec.defstruct("Arguments", types, array_like=True, forbid_unknown_fields=True)
            self._list = msgspec.json.Decoder(listed)
        else:
            self._list = msgspec.json.Decoder(tuple[payload])  # type: ignore[valid-type]
        self._reads = [(field.to, field.word.read, field.clears) for field in takes]
        self._names = [b'"%b"' % field.name.encode() for field in takes]
        becomes = {field.name: field.to for field in takes}
        self._either = [(field.to, becomes[field.unless]) for field in takes if field.unless]

    def decode(self, arguments: Raw | bytes, given: Mapping[str, Any] | None = None) -> Command:
        """The command; `given` are attributes that are known from elsewhere (a path).

        Whoever calls has checked how deep the arguments are nested.
        """
        text = bytes(arguments).strip() or b"{}"
        try:
            if text[0] == 0x5B:  # [
                payload = self._list.decode(text) if self.positional else self._alone(text)
            else:
                payload = self._object.decode(text)
        except (ValueError, RecursionError):
            raise self._explain(text) from None
        command, known = self._command(payload, text, self.fixed if given is None else given)
        if text.count(b":") > known and not self._plain(text):  # no more colons than keys: each is there once
            check_keys(text)
        return command

    def _plain(self, text: bytes) -> bool:
        """Whether no key can be there twice: one flat object, no key of which is there twice as it is usually spelt.

        A quoted name can't be part of a value, whose quotes are escaped; as a whole value it costs the slow look.
        """
        count = text.count
        if self.positional or count(b"{") > 1 or b"\\u" in text:
            return False
        return all(count(name) < 2 for name in self._names)

    def _alone(self, text: bytes) -> Any:
        """The one object of a list of arguments; no arguments at all are an empty object."""
        return self._object.decode(b"{}") if _EMPTY.match(text) else self._list.decode(text)[0]

    def _command(self, payload: Any, text: bytes, given: Mapping[str, Any]) -> tuple[Command, int]:
        """The command, and how many keys the payload has."""
        values: dict[str, Any] = dict(given)
        known = 0
        for (to, read, clears), value in zip(self._reads, astuple(payload)):  # noqa: B905 - made of the same fields
            if value is UNSET:
                continue
            known += 1
            if value is None:
                if clears:
                    values[to] = None
                continue
            try:
                values[to] = read(value)
            except Refusal:
                raise self._explain(text) from None
        for this, that in self._either:
            if this not in values and that not in values:
                raise self._explain(text)
        return self.command(**values), known

    def _explain(self, text: bytes) -> Refusal:
        """Why `text` is no payload of this row: the first problems, in the order of the table."""
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
            if len(value) > len(self.takes):
                return Refusal(BAD_REQUEST, f"This call takes {len(self.takes)} argument(s), not {len(value)}")
            value = dict(zip((field.name for field in self.takes), value, strict=False))
        if not isinstance(value, dict):
            return Refusal(BAD_REQUEST, "The payload must be an object")
        return refuse(self.takes, value, self.complaints)


def _slot(field: Field) -> tuple[str, Any] | tuple[str, Any, Any]:
    """A field of the decoded struct. The struct's own names are the payload's."""
    if field.required and field.unless is None:
        return (field.name, field.word.type)
    return (field.name, field.word.type | None | UnsetType, UNSET)


def problems(takes: tuple[Field, ...], payload: Mapping[str, Any]) -> tuple[Problem, ...]:
    """What is wrong with a payload of generic JSON: the first problems, in the order of the table."""
    found = (problem for field in takes if (problem := _problem(field, payload)))
    return tuple(islice(chain(found, unknown(takes, payload)), MOST_PROBLEMS))


def unknown(takes: tuple[Field, ...], names: Iterable[str]) -> Iterator[Problem]:
    """A problem for each name that no field has, as long as the caller wants more of them."""
    known = {field.name for field in takes}
    return (Problem(name[:100], "unknown", "") for name in names if name not in known)


def _problem(field: Field, payload: Mapping[str, Any]) -> Problem | None:
    expected = field.word.expected
    value = payload.get(field.name)
    if value is None:
        excused = not field.required or (field.unless is not None and payload.get(field.unless) is not None)
        return None if excused else Problem(field.name, "missing", expected)
    try:
        checked = msgspec.convert(value, field.word.type)
    except (ValueError, RecursionError):
        return Problem(field.name, "type", expected)
    try:
        field.word.read(checked)
    except Refusal as refusal:
        return Problem(field.name, "value", refusal.message)
    return None


def refuse(takes: tuple[Field, ...], payload: Mapping[str, Any], complaints: Complaints) -> Refusal:
    found = problems(takes, payload) or (Problem("payload", "value", "a valid payload"),)
    return Refusal(BAD_REQUEST, complaints.say(found), field=found[0].field, problems=found)


def call_decoder(row: Inbound, complaints: Complaints) -> CallDecoder:
    return CallDecoder(row.command, row.takes, row.fixed, complaints, positional=row.positional)
