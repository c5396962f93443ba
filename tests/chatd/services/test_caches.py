"""The query cache and the insert buffer of the store change no result: any work has the same result without them."""

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
from chatd.store.compiled.schema import SCHEMA
from chatd.store.compiler import prepare_rows
from chatd.store.prepared import Prepared, RowInsert
from chatd.store.queries import conversations, users
from chatd.store.sqlite.batch import Committer
from chatd.store.sqlite.open import prepare_writer
from chatd.store.sqlite.query_cache import CachedQuery
from chatd.store.sqlite.queue import Job
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from chatd.store.tables import metadata
from protocol import commands as ask
from protocol.commands import Command
from protocol.errors import CONFLICT, Refusal
from protocol.ids import Key, Ref
from protocol.model import Attachment

START = 1_700_000_000_000
Unit = Callable[[Transaction], Any]
OVERRIDDEN = {"cached", "insert_later", "one_unless_pending"}


class UncachedTransaction(Transaction):
    """A transaction without the query cache and the insert buffer."""

    def cached(self, query: CachedQuery[Any], /, *key: Any) -> Any:
        return ReadTransaction.cached(self, query, *key)

    def insert_later(self, rows: RowInsert, row: tuple[Any, ...], /, name: object = None) -> None:
        self._connection.execute(rows.sql, row)

    def one_unless_pending(self, name: object, statement: Prepared, /, **params: Any) -> tuple[Any, ...] | None:
        return self.one(statement, **params)


def test_the_uncached_transaction_overrides_each_caching_method() -> None:
    assert vars(UncachedTransaction).keys() & vars(Transaction).keys() >= OVERRIDDEN


def make_committer(*, uncached: bool) -> Committer:
    """A committer with Ann, Bob and Cy. Ann and Bob have a conversation with one message of each."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    committer, _ = prepare_writer(connection, Path(":memory:"), SCHEMA, "OFF")
    if uncached:
        committer._transaction = UncachedTransaction(connection, committer._transaction.sequences)
        committer._execute = committer._transaction.control
    greeting = ask.SendMessage(conversation=Key(1), content="hello")
    run(committer, [add_people, Perform(1, greeting, fails=False), Perform(2, greeting, fails=False)])
    return committer


def add_people(tx: Transaction) -> None:
    for name in ("Ann", "Bob", "Cy"):
        users.add(tx, name=name)
    conversations.add(tx, "group", "All of us", 1, None)
    conversations.add_member(tx, 1, 1, "owner", 0)
    conversations.add_member(tx, 1, 2, "member", 0)


def run(committer: Committer, units: list[Unit]) -> list[Any]:
    return [result_of(one) for one in committer.run([Job(unit, lambda _: None) for unit in units], START)]


def result_of(one: Outcome[Any]) -> Any:
    if isinstance(one, Value):
        return one.value
    assert isinstance(one, Error)
    return str(one.error) if isinstance(one.error, Refusal) else repr(one.error)


def stored(committer: Committer) -> dict[str, list[Any]]:
    read = committer._connection.execute
    return {name: sorted(map(str, read(f"SELECT * FROM {name}"))) for name in metadata.tables if name != "meta"}


class Perform:
    """A user performs a command. With `fails`, the unit raises a Refusal afterwards."""

    def __init__(self, user: int, command: Command, *, fails: bool) -> None:
        self.user = user
        self.command = command
        self.fails = fails

    def __call__(self, tx: Transaction) -> Any:
        context = ServiceContext(tx, Actor(Ref(self.user, START // 1000), "name"), ServiceRules(max_text_chars=20))
        result = SERVICES[type(self.command)].service(context, self.command)
        if self.fails:
            raise Refusal(CONFLICT)
        return result, context.published

    def __repr__(self) -> str:
        return f"Perform({self.user}, {self.command}, fails={self.fails})"


class SetDisabled:
    """An account is disabled or enabled directly, past the services."""

    def __init__(self, user: int, disabled: bool) -> None:
        self.user = user
        self.disabled = disabled

    def __call__(self, tx: Transaction) -> None:
        users.set_account(tx, self.user, password=None, email=None, admin=False, disabled=self.disabled, valid_from=0)

    def __repr__(self) -> str:
        return f"SetDisabled({self.user}, {self.disabled})"


class AddOrphan:
    """A message without a sender: the row in the insert buffer breaks a constraint."""

    def __call__(self, tx: Transaction) -> None:
        message = prepare_rows(metadata.tables["messages"], "id conversation sender type content attached created")
        tx.insert_later(message, (tx.next_id("messages"), 1, 99, "text", "", 0, tx.now))

    def __repr__(self) -> str:
        return "AddOrphan()"


def keys(*numbers: int) -> st.SearchStrategy[Key]:
    return st.sampled_from([Key(number) for number in numbers])


USERS = st.sampled_from([1, 1, 1, 2, 2, 3])
GROUPS, USER_KEYS, MESSAGES = keys(1, 1, 1, 2, 3), keys(1, 2, 3, 3, 4), keys(1, 1, 2, 3, 4, 9)
TEXTS = st.sampled_from(["hello", "hello", "good bye", "good bye", "", "far too much for the limit of text"])
CLIENT_IDS = st.sampled_from([None, None, "a", "b"])
ATTACHMENTS = st.sampled_from([(), (), (Attachment("https://example.org/x", None),)])
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(ask.SendMessage, conversation=GROUPS, content=TEXTS, attachments=ATTACHMENTS, client_id=CLIENT_IDS),
    st.builds(ask.SendMessage, conversation=st.just(Key(1)), content=st.just("again"), client_id=CLIENT_IDS),
    st.builds(ask.SendTo, user=USER_KEYS, content=TEXTS, attachments=ATTACHMENTS, client_id=CLIENT_IDS),
    st.builds(ask.AddMember, conversation=GROUPS, user=USER_KEYS, role=st.sampled_from([None, "admin", "member"])),
    st.builds(ask.RemoveMember, conversation=GROUPS, user=USER_KEYS),
    st.builds(ask.Join, conversation=GROUPS, session=st.sampled_from([None, "s"])),
    st.builds(ask.EditMessage, message=MESSAGES, content=TEXTS),
    st.builds(ask.DeleteMessage, message=MESSAGES),
    st.builds(ask.ReadMessage, message=MESSAGES),
    st.builds(ask.ReadConversation, conversation=GROUPS),
    st.builds(ask.ListMessagesWith, user=USER_KEYS, mark_read=st.booleans()),
    st.builds(ask.ListMessages, conversation=GROUPS),
    st.builds(ask.ListConversations),
    st.builds(ask.CreateConversation, kind=st.just("group"), members=st.tuples(USER_KEYS), title=st.just("New")),
    st.builds(ask.DeleteConversation, conversation=GROUPS),
    st.builds(ask.UpdateMe, display=st.sampled_from([None, "D"])),
    st.builds(ask.CreateNotification, user=USER_KEYS, title=st.just("T")),
)
ANY: st.SearchStrategy[Unit] = st.builds(Perform, USERS, COMMANDS, fails=st.sampled_from([False, False, False, True]))
ACCOUNT_CHANGES: st.SearchStrategy[Unit] = st.builds(SetDisabled, USERS, st.sampled_from([False, False, True]))
ORPHANS: st.SearchStrategy[Unit] = st.just(AddOrphan())
UNITS = st.sampled_from([ANY] * 18 + [ACCOUNT_CHANGES, ORPHANS]).flatmap(lambda kind: kind)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.lists(UNITS, min_size=1, max_size=10), max_size=5))
def test_any_work_has_the_same_result_without_caches(batches: list[list[Unit]]) -> None:
    caching, uncached = make_committer(uncached=False), make_committer(uncached=True)
    try:
        for units in batches:
            assert run(caching, units) == run(uncached, units)
            assert caching.position == uncached.position
            assert stored(caching) == stored(uncached)
        assert caching._transaction.sequences == uncached._transaction.sequences
    finally:
        caching._connection.close()
        uncached._connection.close()
