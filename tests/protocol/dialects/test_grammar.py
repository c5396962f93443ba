"""The tables: every row of every dialect refers to commands, events and attributes that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest

import chatd
import protocol
from protocol import dialects
from protocol.commands import Command
from protocol.dialects import dialect, grammar, names
from protocol.dialects.accounts import ROUTES as ACCOUNTS
from protocol.dialects.grammar import Dialect, ErrorTexts, Inbound, Outbound, Route, Shape
from protocol.errors import FORBIDDEN, NOT_FOUND, NoAccess, Problem, Refusal
from protocol.events import EVERYONE, JOINED, MEMBERS, PEERS, USER, Event
from protocol.model import (
    Attention,
    AuditEntry,
    Ban,
    Block,
    Conversation,
    Device,
    File,
    InviteInfo,
    Member,
    Message,
    Notification,
    Preferences,
    Report,
    SearchHit,
    SyncState,
    ThreadPreference,
    Tokens,
    User,
)

DIALECTS = [dialect(name) for name in names()]
INBOUND = [
    (each.name, row) for each in DIALECTS for vocabulary in each.vocabularies.values() for row in vocabulary.inbound
]
OUTBOUND = [
    (each.name, row) for each in DIALECTS for vocabulary in each.vocabularies.values() for row in vocabulary.outbound
]
ROUTES = [*((each.name, route) for each in DIALECTS for route in each.routes), *(("accounts", r) for r in ACCOUNTS)]
AUDIENCES = {JOINED, MEMBERS, USER, PEERS, EVERYONE}


def label(value: object) -> str | None:
    return value if isinstance(value, str) else getattr(value, "name", None) or getattr(value, "path", None)


def test_there_are_five_and_chatds_own() -> None:
    assert names() == ("colon", "inbox", "kebab", "pairs", "rooms", "v1")
    assert all(each.name == name for each, name in zip(DIALECTS, names(), strict=True))
    with pytest.raises(KeyError):
        dialect("grammar")


def attributes(command: type[Command]) -> tuple[set[str], set[str]]:
    """All attributes of a command, and those that must be given."""
    fields = msgspec.structs.fields(command)
    return {field.name for field in fields}, {field.name for field in fields if field.required}


@pytest.mark.parametrize(("name", "row"), [*INBOUND, *ROUTES], ids=label)
def test_a_row_gives_its_command_what_it_needs(name: str, row: Inbound | Route) -> None:
    known, needed = attributes(row.command)
    given = {field.attribute for field in row.fields}
    assert given | set(row.fixed) <= known
    sure = {field.attribute for field in row.fields if field.required} | set(row.fixed)
    assert needed <= sure


@pytest.mark.parametrize(("name", "row"), [*INBOUND, *ROUTES], ids=label)
def test_a_row_takes_each_field_once(name: str, row: Inbound | Route) -> None:
    fields = [field.name for field in row.fields]
    assert len(set(fields)) == len(fields)
    assert all(field.unless in fields for field in row.fields if field.unless)
    required = [field.required and field.unless is None for field in row.fields]
    assert not getattr(row, "positional", False) or required == sorted(required, reverse=True)


@pytest.mark.parametrize(("name", "route"), ROUTES, ids=label)
def test_a_path_names_required_fields(name: str, route: Route) -> None:
    required = {field.name for field in route.fields if field.required}
    assert set(re.findall(r"{(\w+)}", route.path)) <= required
    assert route.path.startswith("/")
    assert (route.reply is None) == (route.status == 204)
    assert not route.numbered_pages or {"page", "limit"} <= {field.name for field in route.fields}


def test_no_two_routes_are_the_same() -> None:
    mounted = [(route.method, re.sub(r"{\w+}", "{}", route.path)) for _, route in ROUTES]
    assert len(set(mounted)) == len(mounted)


@pytest.mark.parametrize("each", DIALECTS, ids=label)
def test_no_two_calls_of_a_namespace_have_one_name(each: Dialect) -> None:
    for vocabulary in each.vocabularies.values():
        calls = [row.name for row in vocabulary.inbound]
        assert len(set(calls)) == len(calls)
        assert {row.event for row in vocabulary.outbound} >= set(vocabulary.initial_events)


@pytest.mark.parametrize(("name", "row"), INBOUND, ids=label)
def test_a_reply_event_has_a_body(name: str, row: Inbound) -> None:
    assert row.reply_event is None or row.reply is not None


def resolves(kind: Any, path: str) -> bool:
    """Whether a dotted path leads somewhere from a struct's type."""
    for part in path.split(".") if path else ():
        if not isinstance(kind, type):
            return False
        found = getattr(kind, part, None)
        hints, name = get_type_hints(kind), part
        if isinstance(found, property):
            hints, name = get_type_hints(found.fget), "return"
        if name not in hints:
            return False
        kind = hints[name]
    return True


@pytest.mark.parametrize(("name", "row"), OUTBOUND, ids=label)
def test_the_shape_of_an_event_has_only_attributes_of_it(name: str, row: Outbound) -> None:
    assert issubclass(row.event, Event)
    assert row.audience in AUDIENCES
    for item in row.body.values():
        assert resolves(row.event, ".".join(filter(None, (row.part, item.path)))), item.path
    if row.when:
        assert resolves(row.event, row.when[0]) or isinstance(getattr(row.event, row.when[0]), property)


@pytest.mark.parametrize("each", DIALECTS, ids=label)
def test_no_access_is_forbidden_where_the_dialect_has_a_text_for_it(each: Dialect) -> None:
    missing, no_access = Refusal(NOT_FOUND, "Message not found"), NoAccess("Message")
    assert each.reword(missing) is missing
    answered = each.reword(no_access)
    if each.forbidden_text is None:
        assert (answered.code, answered.message) == (missing.code, missing.message)
    else:
        assert (answered.code, answered.message) == (FORBIDDEN, each.forbidden_text.format(noun="message"))


COUNTS = {"total", "byConversation", "count", "mentions", "conversations"}
RECORDS = (
    Attention,
    AuditEntry,
    Ban,
    Block,
    Device,
    InviteInfo,
    Preferences,
    Report,
    SearchHit,
    SyncState,
    ThreadPreference,
    Tokens,
)
MODEL = (*RECORDS, File, Message, Conversation, Notification, User, Member)


def test_a_reply_has_only_attributes_of_the_model() -> None:
    def fits(shape: Shape) -> bool:
        return any(all(resolves(kind, item.path) for item in shape.values()) for kind in MODEL)

    for _, route in ROUTES:
        reply: Any = route.reply
        shape: Shape | None = getattr(reply, "shape", reply)
        assert shape is None or fits(shape) or set(shape) <= COUNTS, route.path


def test_error_texts_are_joined() -> None:
    problems = (Problem("a", "missing", "a string"), Problem("b", "type", "a number"), Problem("c", "unknown", ""))
    assert ErrorTexts().describe(problems) == (
        "a is required and must be a string, b must be a number, c is not a field of this call"
    )


def test_the_tables_in_the_docstrings_name_entries_that_exist() -> None:
    entries = re.findall(r"\b([A-Z][a-z]\w+)\.([a-z]\w*)", f"{grammar.__doc__} {dialects.__doc__}")
    assert len(entries) > 10
    for row, attribute in entries:
        assert attribute in {field.name for field in msgspec.structs.fields(getattr(grammar, row))}, (row, attribute)


def test_no_branch_anywhere_asks_for_a_dialects_name() -> None:
    """A difference between dialects is an entry of the grammar."""
    asks = re.compile(r"(?:[=!]=|\bin\b|\bcase\b)\s*\W?\s*[\"'](?:" + "|".join(names()) + r")[\"']")
    for package in (protocol, chatd):
        for path in Path(package.__path__[0]).rglob("*.py"):
            assert not asks.search(path.read_text(encoding="utf-8")), path
