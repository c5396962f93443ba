"""Unread counts beside a plain count over random members, messages, cursors and deletions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from chatd.store.queries import read_states
from chatd.store.sqlite.transaction import ReadTransaction
from chatd.store.tables import metadata

USERS, CONVERSATIONS = 2, 3
Sent = st.tuples(st.integers(1, CONVERSATIONS), st.integers(1, USERS), st.booleans())  # where, by whom, deleted
Read = st.tuples(st.integers(0, 12), st.integers(0, 12))  # the cursor, and the last message before joining


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    metadata.create_all(create_engine("sqlite://", creator=lambda: made, poolclass=StaticPool))
    made.executemany(
        "INSERT INTO users (id, name, admin, disabled, valid_from, created, local) VALUES (?, ?, 0, 0, 0, 1000, 1)",
        [(user, f"user{user}") for user in range(1, USERS + 1)],
    )
    made.executemany(
        "INSERT INTO conversations (id, kind, creator, created) VALUES (?, 'group', 1, 1000)",
        [(number,) for number in range(1, CONVERSATIONS + 1)],
    )
    yield made
    made.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(Sent, max_size=12), st.lists(Read, min_size=CONVERSATIONS, max_size=CONVERSATIONS))
def test_beside_a_plain_count(
    connection: sqlite3.Connection, sent: list[tuple[int, int, bool]], read: list[tuple[int, int]]
) -> None:
    for table in ("messages", "members"):
        connection.execute(f"DELETE FROM {table}")
    connection.executemany(
        "INSERT INTO messages (id, conversation, sender, type, content, attached, created, deleted)"
        " VALUES (?, ?, ?, 'text', '', 0, 1000, ?)",
        [(id, where, by, 1000 if gone else None) for id, (where, by, gone) in enumerate(sent, start=1)],
    )
    connection.executemany(
        "INSERT INTO members (conversation, user, role, joined, cursor, began) VALUES (?, 1, 'member', 1000, ?, ?)",
        [(number, cursor, began) for number, (cursor, began) in enumerate(read, start=1)],
    )
    counted = {
        number: sum(
            where == number and by != 1 and not gone and id > max(cursor, began)
            for id, (where, by, gone) in enumerate(sent, start=1)
        )
        for number, (cursor, began) in enumerate(read, start=1)
    }
    found = {ref.number: count for ref, count in read_states.unread_counts(ReadTransaction(connection), 1)}
    assert found == {number: count for number, count in counted.items() if count}
