"""The tables themselves: every row of every dialect means something that the house has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest

import chatd
import protocol
from protocol.commands import Command
from protocol.dialects import dialect, names
from protocol.dialects.accounts import ROUTES as ACCOUNTS
from protocol.dialects.grammar import Dialect, ErrorTexts, Inbound, Outbound, Route, Shape
from protocol.errors import FORBIDDEN, NOT_FOUND, NotYours, Problem, Refusal
from protocol.events import EVERYONE, JOINED, MEMBERS, PEERS, USER, Event
from protocol.model import Conversation, Member, Message, Notification, Tokens, User

DIALECTS = [dialect(name) for name in names()]
HEARS = [(each.name, hear) for each in DIALECTS for words in each.vocabularies.values() for hear in words.inbound]
SAYS = [(each.name, say) for each in DIALECTS for words in each.vocabularies.values() for say in words.outbound]
ROUTES = [*((each.name, route) for each in DIALECTS for route in each.routes), *(("accounts", r) for r in ACCOUNTS)]
PLACES = {JOINED, MEMBERS, USER, PEERS, EVERYONE}


def label(value: object) -> str | None:
    return value if isinstance(value, str) else getattr(value, "name", None) or getattr(value, "path", None)


def test_there_are_five() -> None:
    assert names() == ("colon", "inbox", "kebab", "pairs", "rooms")
    assert all(each.name == name for each, name in zip(DIALECTS, names(), strict=True))
    with pytest.raises(KeyError):
        dialect("grammar")


def attributes(command: type[Command]) -> tuple[set[str], set[str]]:
    """All attributes of a command, and those that must be given."""
    fields = msgspec.structs.fields(command)
    return {field.name for field in fields}, {field.name for field in fields if field.required}


@pytest.mark.parametrize(("name", "row"), [*HEARS, *ROUTES], ids=label)
def test_a_row_gives_its_command_what_it_needs(name: str, row: Inbound | Route) -> None:
    known, needed = attributes(row.command)
    given = {field.attribute for field in row.fields}
    assert given | set(row.fixed) <= known
    sure = {field.attribute for field in row.fields if field.required} | set(row.fixed)
    assert needed <= sure


@pytest.mark.parametrize(("name", "row"), [*HEARS, *ROUTES], ids=label)
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


@pytest.mark.parametrize("spoken", DIALECTS, ids=label)
def test_no_two_calls_of_a_namespace_have_one_name(spoken: Dialect) -> None:
    for words in spoken.vocabularies.values():
        calls = [hear.name for hear in words.inbound]
        assert len(set(calls)) == len(calls)
        assert {say.event for say in words.outbound} >= set(words.initial_events)


@pytest.mark.parametrize(("name", "hear"), HEARS, ids=label)
def test_an_answer_that_is_an_event_has_a_body(name: str, hear: Inbound) -> None:
    assert hear.reply_event is None or hear.reply is not None


def resolves(kind: Any, path: str) -> bool:
    """Whether a dotted path leads somewhere from a struct's type."""
    for part in path.split(".") if path else ():
        if not isinstance(kind, type) or part not in (hints := get_type_hints(kind)):
            return False
        kind = hints[part]
    return True


@pytest.mark.parametrize(("name", "say"), SAYS, ids=label)
def test_what_is_said_is_something_that_the_event_has(name: str, say: Outbound) -> None:
    assert issubclass(say.event, Event)
    assert say.audience in PLACES
    for item in say.body.values():
        assert resolves(say.event, ".".join(filter(None, (say.part, item.path)))), item.path
    if say.when:
        assert resolves(say.event, say.when[0]) or isinstance(getattr(say.event, say.when[0]), property)


@pytest.mark.parametrize("spoken", DIALECTS, ids=label)
def test_what_is_anothers_is_forbidden_where_the_dialect_has_a_text_for_it(spoken: Dialect) -> None:
    missing, theirs = Refusal(NOT_FOUND, "Message not found"), NotYours("Message")
    assert spoken.reword(missing) is missing
    answered = spoken.reword(theirs)
    if spoken.forbidden_text is None:
        assert (answered.code, answered.message) == (missing.code, missing.message)
    else:
        assert (answered.code, answered.message) == (FORBIDDEN, spoken.forbidden_text.format(noun="message"))


NOUNS = (Message, Conversation, Notification, User, Member, Tokens)


def test_what_a_shape_spells_is_something_that_a_noun_has() -> None:
    def fits(shape: Shape) -> bool:
        return any(all(resolves(noun, item.path) for item in shape.values()) for noun in NOUNS)

    for _, route in ROUTES:
        reply: Any = route.reply
        shape: Shape | None = getattr(reply, "shape", reply)
        assert shape is None or fits(shape) or set(shape) <= {"total", "byConversation", "count"}, route.path


def test_complaints_are_joined() -> None:
    problems = (Problem("a", "missing", "a string"), Problem("b", "type", "a number"), Problem("c", "unknown", ""))
    assert ErrorTexts().describe(problems) == (
        "a is required and must be a string, b must be a number, c is not a field of this call"
    )


def test_no_branch_anywhere_asks_for_a_dialects_name() -> None:
    """A quirk is a word of the grammar."""
    asks = re.compile(r"(?:[=!]=|\bin\b|\bcase\b)\s*\W?\s*[\"'](?:" + "|".join(names()) + r")[\"']")
    for package in (protocol, chatd):
        for path in Path(package.__path__[0]).rglob("*.py"):
            assert not asks.search(path.read_text(encoding="utf-8")), path
