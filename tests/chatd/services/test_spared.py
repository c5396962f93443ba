"""What the store spares (remembered answers, rows that wait) is not seen: any work comes to the same without it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from outcome import Error, Outcome, Value

from chatd.services.context import Actor, ServiceContext, ServiceRules
from chatd.services.table import SERVICES
from chatd.store.queries import conversations, users
from chatd.store.sqlite.batch import Committer
from chatd.store.sqlite.open import prepare_writer
from chatd.store.sqlite.prepared import Prepared, Rows
from chatd.store.sqlite.query_cache import CachedQuery
from chatd.store.sqlite.queue import Job
from chatd.store.sqlite.schema import Schema
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import metadata
from protocol import commands as ask
from protocol.commands import Command
from protocol.errors import CONFLICT, Refusal
from protocol.ids import Key, Ref
from protocol.model import Attachment

START = 1_700_000_000_000
Unit = Callable[[Transaction], Any]


class Plain(Transaction):
    """One that asks every time and writes at once."""

    def recall(self, question: CachedQuery[Any], /, *key: Any) -> Any:
        return ReadTransaction.cached(self, question, *key)

    def later(self, rows: Rows, row: tuple[Any, ...], /, name: object = None) -> None:
        self._connection.execute(rows.sql, row)

    def one_unless(self, name: object, statement: Prepared, /, **params: Any) -> tuple[Any, ...] | None:
        return self.one(statement, **params)


def committer(*, plain: bool) -> Committer:
    """Ann, Bob and Cy; Ann and Bob have a conversation, and each has said something."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    made, _ = prepare_writer(connection, Path(":memory:"), Schema.of(metadata), "OFF")
    if plain:
        made._transaction = Plain(connection, made._transaction.sequences)
        made._execute = made._transaction.control
    greeting = ask.SendMessage(conversation=Key(1), content="hello")
    run(made, [people, Does(1, greeting, fails=False), Does(2, greeting, fails=False)])
    return made


def people(tx: Transaction) -> None:
    for name in ("Ann", "Bob", "Cy"):
        users.add(tx, name=name)
    conversations.add(tx, "group", "All of us", 1, None)
    conversations.add_member(tx, 1, 1, "owner", 0)
    conversations.add_member(tx, 1, 2, "member", 0)


def run(made: Committer, units: list[Unit]) -> list[Any]:
    return [said(one) for one in made.run([Job(unit, lambda _: None) for unit in units], START)]


def said(one: Outcome[Any]) -> Any:
    if isinstance(one, Value):
        return one.value
    assert isinstance(one, Error)
    return str(one.error) if isinstance(one.error, Refusal) else repr(one.error)


def stored(made: Committer) -> dict[str, list[Any]]:
    read = made._connection.execute
    return {name: read(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in metadata.tables if name != "meta"}


class Does:
    """Somebody carries out a command, and then maybe fails."""

    def __init__(self, who: int, command: Command, *, fails: bool) -> None:
        self.who = who
        self.command = command
        self.fails = fails

    def __call__(self, tx: Transaction) -> Any:
        work = ServiceContext(tx, Actor(Ref(self.who, START // 1000), "somebody"), ServiceRules(max_text_chars=20))
        result = SERVICES[type(self.command)].service(work, self.command)
        if self.fails:
            raise Refusal(CONFLICT)
        return result, work.published

    def __repr__(self) -> str:
        return f"Does({self.who}, {self.command}, fails={self.fails})"


class Closes:
    """An account is closed or opened again, behind everybody's back."""

    def __init__(self, who: int, disabled: bool) -> None:
        self.who = who
        self.disabled = disabled

    def __call__(self, tx: Transaction) -> None:
        users.set_standing(tx, self.who, password=None, email=None, admin=False, disabled=self.disabled, valid_from=0)

    def __repr__(self) -> str:
        return f"Closes({self.who}, {self.disabled})"


class Lonely:
    """A conversation with a message of nobody's: the row that waits breaks a constraint."""

    def __call__(self, tx: Transaction) -> None:
        message = Rows(metadata.tables["messages"], "id conversation sender type content attached created")
        tx.insert_later(message, (tx.next_id("messages"), 1, 99, "text", "", 0, tx.now))

    def __repr__(self) -> str:
        return "Lonely()"


def keys(*numbers: int) -> st.SearchStrategy[Key]:
    return st.sampled_from([Key(number) for number in numbers])


WHO = st.sampled_from([1, 1, 1, 2, 2, 3])
TALKS, PEOPLE, SAYINGS = keys(1, 1, 1, 2, 3), keys(1, 2, 3, 3, 4), keys(1, 1, 2, 3, 4, 9)
WORDS = st.sampled_from(["hello", "hello", "good bye", "good bye", "", "far too much for the limit of text"])
NAMES = st.sampled_from([None, None, "a", "b"])
HUNG = st.sampled_from([(), (), (Attachment("https://example.org/x", None),)])
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(ask.SendMessage, conversation=TALKS, content=WORDS, attachments=HUNG, client_id=NAMES),
    st.builds(ask.SendMessage, conversation=st.just(Key(1)), content=st.just("again"), client_id=NAMES),
    st.builds(ask.SendTo, user=PEOPLE, content=WORDS, attachments=HUNG, client_id=NAMES),
    st.builds(ask.AddMember, conversation=TALKS, user=PEOPLE, role=st.sampled_from([None, "admin", "member"])),
    st.builds(ask.RemoveMember, conversation=TALKS, user=PEOPLE),
    st.builds(ask.Join, conversation=TALKS, session=st.sampled_from([None, "s"])),
    st.builds(ask.EditMessage, message=SAYINGS, content=WORDS),
    st.builds(ask.DeleteMessage, message=SAYINGS),
    st.builds(ask.ReadMessage, message=SAYINGS),
    st.builds(ask.ReadConversation, conversation=TALKS),
    st.builds(ask.ListMessagesWith, user=PEOPLE, mark_read=st.booleans()),
    st.builds(ask.ListMessages, conversation=TALKS),
    st.builds(ask.ListConversations),
    st.builds(ask.CreateConversation, kind=st.just("group"), members=st.tuples(PEOPLE), title=st.just("New")),
    st.builds(ask.DeleteConversation, conversation=TALKS),
    st.builds(ask.UpdateMe, display=st.sampled_from([None, "D"])),
    st.builds(ask.CreateNotification, user=PEOPLE, title=st.just("T")),
)
ANY: st.SearchStrategy[Unit] = st.builds(Does, WHO, COMMANDS, fails=st.sampled_from([False, False, False, True]))
CLOSES: st.SearchStrategy[Unit] = st.builds(Closes, WHO, st.sampled_from([False, False, True]))
LONELY: st.SearchStrategy[Unit] = st.just(Lonely())
UNITS = st.sampled_from([ANY] * 18 + [CLOSES, LONELY]).flatmap(lambda kind: kind)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.lists(UNITS, min_size=1, max_size=10), max_size=5))
def test_any_work_comes_to_the_same(batches: list[list[Unit]]) -> None:
    sparing, plain = committer(plain=False), committer(plain=True)
    try:
        for units in batches:
            assert run(sparing, units) == run(plain, units)
            assert sparing.position == plain.position
            assert stored(sparing) == stored(plain)
        assert sparing._transaction.sequences == plain._transaction.sequences
    finally:
        sparing._connection.close()
        plain._connection.close()
