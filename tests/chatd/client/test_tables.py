"""The client's tables beside those that they follow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatd.client import rooms
from chatd.client.events import Mark, StreamEvent
from chatd.client.problems import REPEAT, WORDS, ConnectionLost, refused, turned_away
from protocol.commands import Join, Leave
from protocol.dialects import colon, inbox, kebab, pairs
from protocol.dialects import rooms as of_rooms
from protocol.dialects.grammar import Dialect
from protocol.errors import CLOSINGS, CODES, Closing, Code

DIALECTS = [module.DIALECT for module in (colon, inbox, kebab, pairs, of_rooms)]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
def test_each_room_that_a_dialect_can_join_has_a_row(dialect: Dialect) -> None:
    for vocabulary in dialect.vocabularies.values():
        joins = [hear for hear in vocabulary.inbound if hear.command is Join]
        leaves = {hear.name for hear in vocabulary.inbound if hear.command is Leave}
        for hear in joins:
            row = rooms.JOINS[hear.name]
            assert row.field == hear.fields[0].name
            assert leaves == ({row.leave} if row.leave else set())


def test_rooms_are_kept_by_what_they_are_called() -> None:
    kept = rooms.Rooms()
    kept.done("conversation:join", {"conversationId": "a"})
    kept.done("join-conversation", {"conversationId": 1, "userId": 7})
    kept.done("join_conversation", [5])
    kept.done("message:send", {"conversationId": "b"})
    kept.done("leave-conversation", {"conversationId": 1})
    assert kept.joins == [("conversation:join", {"conversationId": "a"}), ("join_conversation", [5])]
    kept.done("leave_conversation", [5])
    kept.refused("conversation:join", {"conversationId": "a"})
    assert kept.joins == []


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_the_verdict_on_a_refusal(code: Code) -> None:
    assert refused(code.number, "", {"code": code.code}).again == code.retry
    assert refused(code.number, "", None).code in {one.code for one in CODES.values() if one.number == code.number}
    assert turned_away(code.status, "7").again == code.retry
    assert turned_away(code.status, "7").retry_after == 7


@pytest.mark.parametrize("closing", CLOSINGS.values(), ids=CLOSINGS)
def test_the_verdict_on_a_close_code(closing: Closing) -> None:
    assert ConnectionLost(closing.code).again == closing.retry


def test_what_no_table_knows() -> None:
    assert ConnectionLost(1000).again
    assert ConnectionLost(1006).again
    assert not ConnectionLost(4999).again
    assert turned_away(502, None).again
    assert not turned_away(418, "soon").again
    assert turned_away(418, "soon").retry_after is None
    assert refused(-1, "?", "?").code == "INTERNAL"


def test_a_mark_knows_what_it_has_heard() -> None:
    start = Mark("e", 5, connection="c")
    assert start.query() == {"epoch": "e", "pos": "5", "connection": "c"}
    assert start.after(StreamEvent("unread:count", position=5)) == start
    assert not start.knows(StreamEvent("unread:count", position=5))
    one = start.after(StreamEvent("first", position=6))
    assert one.knows(StreamEvent("first", position=6))
    assert not one.knows(StreamEvent("second", position=6))
    assert one.query()["pos"] == "5"
    both = one.after(StreamEvent("second", position=6))
    assert both.knows(StreamEvent("second", position=6))
    assert both.knows(StreamEvent("other", position=5))
    assert both.after(StreamEvent("typing")) == both
    assert not both.knows(StreamEvent("typing"))


def test_the_page_for_those_who_write_clients_has_the_tables() -> None:
    page = (Path(__file__).parent.parent.parent.parent / "docs" / "clients.md").read_text(encoding="utf-8")
    refusals = {f"| {number} | `{word}` | {yes(REPEAT[word])} |" for number, word in WORDS.items()}
    closings = {f"| {one.code} | {one.reason} | {yes(one.retry)} |" for one in CLOSINGS.values()}
    rows = {line for line in page.splitlines() if re.match(r"\| -?\d", line)}
    assert rows == refusals | closings


def yes(value: bool) -> str:
    return "yes" if value else "no"
