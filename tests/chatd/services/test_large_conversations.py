"""The cost of a command for the writer does not grow with the number of messages in the conversation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from chatd.core import removal
from chatd.core.removal import Remover
from chatd.realtime.event_bus import EventBus
from chatd.realtime.online_users import OnlineUsers
from chatd.services import admission
from chatd.services.context import Actor
from chatd.store.queries import removals
from chatd.store.queries.read_states import MAX_UNREAD_COUNTED
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol import commands as ask
from protocol.errors import NOT_FOUND, Refusal
from protocol.events import ConversationDeleted, MessageRead, NotificationDeleted
from protocol.ids import Key
from protocol.model import Attachment, Conversation, Kind
from tests.chatd.services.harness import ServiceHarness, key, open_harness

COLUMNS = "id, conversation, sender, type, content, attached, created"
FILL = f"INSERT INTO messages ({COLUMNS}) VALUES (?, ?, ?, 'text', ?, 0, 0)"
TABLES = ("messages", "attachments", "read_marks", "members", "notifications", "watches", "session_rooms", "removals")


async def create_group(harness: ServiceHarness, owner: Actor, *others: Actor, kind: Kind = "group") -> Conversation:
    created = ask.CreateConversation(kind=kind, members=tuple(key(other.ref) for other in others))
    found: Conversation = await harness.perform(owner, created)
    return found


async def add_messages(database: Database, conversation: int, sender: int, count: int) -> None:
    """Add messages to the table directly, without events."""

    def unit(tx: Transaction) -> None:
        first = tx.sequences["messages"] + 1
        tx.sequences["messages"] += count
        rows = [(number, conversation, sender, "hello") for number in range(first, first + count)]
        tx._connection.executemany(FILL, rows)

    await database.write(unit)


async def instructions(database: Database, unit: Callable[[Any], Any]) -> int:
    """Return how many thousands of SQLite's instructions a unit of work takes."""
    passed = 0

    def count() -> int:
        nonlocal passed
        passed += 1
        return 0

    def counted(tx: ReadTransaction) -> None:
        tx._connection.set_progress_handler(count, 1_000)
        unit(tx)
        tx._connection.set_progress_handler(None, 0)

    await database.write(counted)
    return passed


async def test_reading_and_connecting_cost_the_same_with_more_unread_messages(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        ann, bob = await harness.add_user("ann"), await harness.add_user("bob")
        conversation = await create_group(harness, ann, bob)
        costs: list[tuple[int, int]] = []
        for _ in range(2):
            await add_messages(harness.database, conversation.ref.number, ann.id, 3 * MAX_UNREAD_COUNTED)
            read = ask.ReadMessage(message=Key(1 + len(costs)))
            costs.append(
                (
                    await instructions(harness.database, lambda tx: admission.initial_state(tx, bob.id)),
                    await instructions(harness.database, partial(harness.run_service, actor=bob, command=read)),
                )
            )
        assert costs[0] == pytest.approx(costs[1], rel=0.1)


async def test_a_count_is_exact_up_to_its_maximum_and_stays_there(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        ann, bob = await harness.add_user("ann"), await harness.add_user("bob")
        conversation = await create_group(harness, ann, bob)
        number = conversation.ref.number
        for more, expected in (
            (MAX_UNREAD_COUNTED - 1, MAX_UNREAD_COUNTED - 1),
            (1, MAX_UNREAD_COUNTED),
            (1, MAX_UNREAD_COUNTED),
            (500, MAX_UNREAD_COUNTED),
        ):
            await add_messages(harness.database, number, ann.id, more)
            found = await harness.database.read(lambda tx: admission.initial_state(tx, bob.id))
            assert [one.unread for one in found.read_states] == [expected]
            assert (await harness.perform(bob, ask.GetConversation(conversation=Key(number)))).unread == expected
            assert (await harness.perform(bob, ask.GetUnread())).total == expected
        bus = EventBus()
        online_users = OnlineUsers(bus)
        online_users.connect(bob.ref, found.read_states)
        for published in (await send(harness, ann, number), await send(harness, ann, number)):
            for handler in bus.handlers_after[type(published)]:
                handler(published)
        counts = online_users.unread(bob.id)
        assert counts is not None
        assert counts.total == MAX_UNREAD_COUNTED
        await harness.perform(bob, ask.ReadMessage(message=Key(600)))
        [read] = [event for event in harness.published if isinstance(event, MessageRead)]
        assert read.unread_left == MAX_UNREAD_COUNTED - 1 + 1 + 1 + 500 + 2 - 600


async def send(harness: ServiceHarness, actor: Actor, conversation: int) -> Any:
    await harness.perform(actor, ask.SendMessage(conversation=Key(conversation), content="more"))
    return harness.published[0]


async def rows(database: Database, table: str, conversation: int) -> int:
    where = (
        "message IN (SELECT id FROM messages WHERE conversation = ?)" if table == "attachments" else "conversation = ?"
    )

    def count(tx: ReadTransaction) -> int:
        found = tx._connection.execute(f"SELECT count(*) FROM {table} WHERE {where}", (conversation,)).fetchone()
        return int(found[0])

    return await database.read(count)


async def wait_removed(database: Database, conversation: int) -> None:
    """Wait until all content of a deleted conversation is removed."""
    while await rows(database, "removals", conversation):
        await trio.lowlevel.checkpoint()


async def fill_tables(harness: ServiceHarness, owner: Actor, member: Actor, conversation: Conversation) -> None:
    """Add rows to each table that a conversation has rows in."""
    for number in range(25):
        pictures = (Attachment("https://example.org/a.png", None),)
        command = ask.SendMessage(conversation=Key(conversation.ref.number), content=f"{number}", attachments=pictures)
        message = await harness.perform(owner, command)
        await harness.perform(member, ask.ReadMessage(message=key(message.ref)))
    await harness.perform(owner, ask.SendMessage(conversation=Key(conversation.ref.number), content="last"))
    await harness.perform(member, ask.ListNotifications())
    await harness.perform(member, ask.ReadNotifications())
    await harness.perform(member, ask.Join(conversation=Key(conversation.ref.number), session="a session"))


async def test_a_deleted_conversation_is_invisible_at_once(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        ann, bob = await harness.add_user("ann"), await harness.add_user("bob")
        conversation = await create_group(harness, ann, bob, kind="private")
        number = conversation.ref.number
        await fill_tables(harness, ann, bob, conversation)
        await harness.perform(ann, ask.SendMessage(conversation=Key(number), content="unread"))
        await harness.perform(bob, ask.ListNotifications())
        before = (await harness.perform(bob, ask.CountNotifications())).count
        await harness.perform(ann, ask.DeleteConversation(conversation=key(conversation.ref)))
        assert [type(event) for event in harness.published].count(NotificationDeleted) == 1
        assert await rows(harness.database, "messages", number) == 27  # the rows are still there ...
        for actor in (ann, bob):  # ... but no user sees them
            for command in (
                ask.GetConversation(conversation=key(conversation.ref)),
                ask.ListMessages(conversation=key(conversation.ref)),
                ask.SendMessage(conversation=key(conversation.ref), content="late"),
                ask.GetMessage(message=Key(1)),
                ask.ReadMessage(message=Key(1)),
                ask.Join(conversation=key(conversation.ref)),
            ):
                with pytest.raises(Refusal) as found:
                    await harness.perform(actor, command)
                assert found.value.code is NOT_FOUND
            assert (await harness.perform(actor, ask.ListConversations())).items == ()
            assert (await harness.perform(actor, ask.GetUnread())).total == 0
        assert (await harness.perform(bob, ask.ListNotifications())).items == ()
        assert (await harness.perform(bob, ask.CountNotifications())).count == before - 1
        again = await create_group(harness, bob, ann, kind="private")
        assert again.ref.number == number + 1
        assert (await harness.perform(bob, ask.ListMessages(conversation=key(again.ref)))).items == ()


async def test_content_is_removed_in_small_steps_that_continue_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "STEP_ROWS", 10)
    monkeypatch.setattr(removal, "MIN_PAUSE_SECONDS", 0.0)
    steps: list[int] = []
    step = removals.step

    def counted_step(tx: Transaction, limit: int) -> bool:
        before = tx._connection.total_changes
        more = step(tx, limit)
        steps.append(tx._connection.total_changes - before)
        return more

    monkeypatch.setattr(removals, "step", counted_step)
    async with open_harness(tmp_path) as harness:
        ann, bob = await harness.add_user("ann"), await harness.add_user("bob")
        conversation, other = await create_group(harness, ann, bob), await create_group(harness, ann, bob)
        for one in (conversation, other):
            await fill_tables(harness, ann, bob, one)
        number, kept = conversation.ref.number, {}
        for table in TABLES:
            kept[table] = await rows(harness.database, table, other.ref.number)
            assert kept[table] or table in ("watches", "removals"), table
        await harness.perform(ann, ask.DeleteConversation(conversation=key(conversation.ref)))
        assert await harness.database.write(lambda tx: counted_step(tx, 10))
        assert await rows(harness.database, "messages", number) == 16
    async with open_harness(tmp_path) as harness:  # a server that was stopped during the removal
        bus = EventBus()
        remover = Remover(harness.database, bus)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(remover.run)
            await wait_removed(harness.database, number)
            assert await rows(harness.database, "messages", number) == 0
            await harness.perform(ann, ask.DeleteConversation(conversation=key(other.ref)))
            [closed] = [event for event in harness.published if isinstance(event, ConversationDeleted)]
            bus.handlers_after[ConversationDeleted][0](closed)
            await wait_removed(harness.database, other.ref.number)
            nursery.cancel_scope.cancel()
        for table in TABLES:
            for deleted in (number, other.ref.number):
                assert await rows(harness.database, table, deleted) == 0, table
        left = await harness.database.read(lambda tx: tx._connection.execute("SELECT id FROM conversations").fetchall())
        assert left == []
    assert max(steps) <= 20  # ten messages, each with a picture
