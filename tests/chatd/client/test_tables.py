"""The client's tables, compared with the server's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatd.client import rooms
from chatd.client.events import Mark, StreamEvent
from chatd.client.problems import CAN_RETRY, CODE_BY_NUMBER, ConnectionLost, refused, rejected_handshake
from protocol.commands import Join, Leave
from protocol.dialects import colon, inbox, kebab, pairs
from protocol.dialects import rooms as of_rooms
from protocol.dialects.grammar import Dialect
from protocol.errors import CLOSINGS, CODES, Closing, Code

DIALECTS = [module.DIALECT for module in (colon, inbox, kebab, pairs, of_rooms)]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
def test_each_room_that_a_dialect_can_join_has_a_row(dialect: Dialect) -> None:
    for vocabulary in dialect.vocabularies.values():
        joins = [inbound for inbound in vocabulary.inbound if inbound.command is Join]
        leaves = {inbound.name for inbound in vocabulary.inbound if inbound.command is Leave}
        for inbound in joins:
            row = rooms.JOINS[inbound.name]
            assert row.field == inbound.fields[0].name
            assert leaves == ({row.leave} if row.leave else set())


def test_rooms_are_stored_by_their_id() -> None:
    kept = rooms.JoinedRooms()
    kept.record("conversation:join", {"conversationId": "a"})
    kept.record("join-conversation", {"conversationId": 1, "userId": 7})
    kept.record("join_conversation", [5])
    kept.record("message:send", {"conversationId": "b"})
    kept.record("leave-conversation", {"conversationId": 1})
    assert kept.joins == [("conversation:join", {"conversationId": "a"}), ("join_conversation", [5])]
    kept.record("leave_conversation", [5])
    kept.forget("conversation:join", {"conversationId": "a"})
    assert kept.joins == []


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_each_refusal_has_its_code_and_retry(code: Code) -> None:
    assert refused(code.number, "", {"code": code.code}).again == code.retry
    assert refused(code.number, "", None).code in {one.code for one in CODES.values() if one.number == code.number}
    assert rejected_handshake(code.status, "7").can_reconnect == code.retry
    assert rejected_handshake(code.status, "7").retry_after == 7


@pytest.mark.parametrize("closing", CLOSINGS.values(), ids=CLOSINGS)
def test_each_close_code_has_its_reconnect(closing: Closing) -> None:
    assert ConnectionLost(closing.code).can_reconnect == closing.retry


def test_unknown_codes() -> None:
    assert ConnectionLost(1000).can_reconnect
    assert ConnectionLost(1006).can_reconnect
    assert not ConnectionLost(4999).can_reconnect
    assert rejected_handshake(502, None).can_reconnect
    assert not rejected_handshake(418, "soon").can_reconnect
    assert rejected_handshake(418, "soon").retry_after is None
    assert refused(-1, "?", "?").code == "INTERNAL"


def test_a_mark_includes_received_events() -> None:
    start = Mark("e", 5, connection="c")
    assert start.query() == {"epoch": "e", "pos": "5", "connection": "c"}
    assert start.after(StreamEvent("unread:count", position=5)) == start
    assert not start.includes(StreamEvent("unread:count", position=5))
    one = start.after(StreamEvent("first", position=6))
    assert one.includes(StreamEvent("first", position=6))
    assert not one.includes(StreamEvent("second", position=6))
    assert one.query()["pos"] == "5"
    both = one.after(StreamEvent("second", position=6))
    assert both.includes(StreamEvent("second", position=6))
    assert both.includes(StreamEvent("other", position=5))
    assert both.after(StreamEvent("typing")) == both
    assert not both.includes(StreamEvent("typing"))


def test_docs_clients_has_the_tables() -> None:
    page = (Path(__file__).parent.parent.parent.parent / "docs" / "clients.md").read_text(encoding="utf-8")
    refusals = {f"| {number} | `{word}` | {yes(CAN_RETRY[word])} |" for number, word in CODE_BY_NUMBER.items()}
    closings = {f"| {one.code} | {one.reason} | {yes(one.retry)} |" for one in CLOSINGS.values()}
    rows = {line for line in page.splitlines() if re.match(r"\| -?\d", line)}
    assert rows == refusals | closings


def yes(value: bool) -> str:
    return "yes" if value else "no"
