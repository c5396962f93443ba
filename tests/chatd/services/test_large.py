"""Conversations with very many messages: what one command costs the writer does not grow with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from chatd.core import removal
from chatd.core.removal import Remover
from chatd.realtime.online_users import OnlineUsers
from chatd.services import admission
from chatd.services.context import Actor
from chatd.store.queries import removals
from chatd.store.queries.messages import COUNTED
from chatd.store.sqlite.database import Database
from chatd.store.sqlite.transaction import ReadTransaction, Transaction
from protocol import commands as ask
from protocol.errors import NOT_FOUND, Refusal
from protocol.events import ConversationDeleted, MessageRead, NotificationDeleted
from protocol.ids import Key
from protocol.model import Attachment, Conversation, Kind
from tests.chatd.services.desk import Desk, desk, key

COLUMNS = "id, conversation, sender, type, content, attached, created"
FILL = f"INSERT INTO messages ({COLUMNS}) VALUES (?, ?, ?, 'text', ?, 0, 0)"
TABLES = ("messages", "attachments", "read_marks", "members", "notifications", "watches", "session_rooms", "removals")


async def group(desk: Desk, owner: Actor, *others: Actor, kind: Kind = "group") -> Conversation:
    made = ask.CreateConversation(kind=kind, members=tuple(key(other.ref) for other in others))
    found: Conversation = await desk.does(owner, made)
    return found


async def fill(database: Database, conversation: int, sender: int, count: int) -> None:
    """So many messages, without anything that would be told of them."""

    def unit(tx: Transaction) -> None:
        first = tx.sequences["messages"] + 1
        tx.sequences["messages"] += count
        rows = [(number, conversation, sender, "hello") for number in range(first, first + count)]
        tx._connection.executemany(FILL, rows)

    await database.write(unit)


async def instructions(database: Database, unit: Callable[[Any], Any]) -> int:
    """How many thousands of SQLite's instructions a unit of work takes."""
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


async def test_neither_reading_nor_arriving_costs_more_when_more_is_unread(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        ann, bob = await at.person("ann"), await at.person("bob")
        place = await group(at, ann, bob)
        costs: list[tuple[int, int]] = []
        for _ in range(2):
            await fill(at.database, place.ref.number, ann.id, 3 * COUNTED)
            read = ask.ReadMessage(message=Key(1 + len(costs)))
            costs.append(
                (
                    await instructions(at.database, lambda tx: admission.initial_state(tx, bob.id)),
                    await instructions(at.database, partial(at.carry_out, actor=bob, command=read)),
                )
            )
        assert costs[0] == pytest.approx(costs[1], rel=0.1)


async def test_a_count_is_exact_up_to_its_most_and_stays_there(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        ann, bob = await at.person("ann"), await at.person("bob")
        place = await group(at, ann, bob)
        number = place.ref.number
        for more, expected in ((COUNTED - 1, COUNTED - 1), (1, COUNTED), (1, COUNTED), (500, COUNTED)):
            await fill(at.database, number, ann.id, more)
            found = await at.database.read(lambda tx: admission.initial_state(tx, bob.id))
            assert [one.unread for one in found.read_states] == [expected]
            assert (await at.does(bob, ask.GetConversation(conversation=Key(number)))).unread == expected
            assert (await at.does(bob, ask.GetUnread())).total == expected
        online_users = OnlineUsers()
        online_users.connect(bob.ref, found.read_states)
        for told in (await sent(at, ann, number), await sent(at, ann, number)):
            online_users.follows[type(told)](told)
        counts = online_users.unread(bob.id)
        assert counts is not None
        assert counts.total == COUNTED
        await at.does(bob, ask.ReadMessage(message=Key(600)))
        [read] = [event for event in at.told if isinstance(event, MessageRead)]
        assert read.unread_left == COUNTED - 1 + 1 + 1 + 500 + 2 - 600


async def sent(at: Desk, actor: Actor, conversation: int) -> Any:
    await at.does(actor, ask.SendMessage(conversation=Key(conversation), content="more"))
    return at.told[0]


async def rows(database: Database, table: str, conversation: int) -> int:
    where = (
        "message IN (SELECT id FROM messages WHERE conversation = ?)" if table == "attachments" else "conversation = ?"
    )

    def count(tx: ReadTransaction) -> int:
        found = tx._connection.execute(f"SELECT count(*) FROM {table} WHERE {where}", (conversation,)).fetchone()
        return int(found[0])

    return await database.read(count)


async def removed(database: Database, conversation: int) -> None:
    """Wait until nothing is left of it."""
    while await rows(database, "removals", conversation):
        await trio.lowlevel.checkpoint()


async def furnish(at: Desk, owner: Actor, member: Actor, place: Conversation) -> None:
    """Something in every table that a conversation has rows in."""
    for number in range(25):
        pictures = (Attachment("https://example.org/a.png", None),)
        command = ask.SendMessage(conversation=Key(place.ref.number), content=f"{number}", attachments=pictures)
        message = await at.does(owner, command)
        await at.does(member, ask.ReadMessage(message=key(message.ref)))
    await at.does(owner, ask.SendMessage(conversation=Key(place.ref.number), content="last"))
    await at.does(member, ask.ListNotifications())
    await at.does(member, ask.ReadNotifications())
    await at.does(member, ask.Join(conversation=Key(place.ref.number), session="a session"))


async def test_a_deleted_conversation_is_out_of_sight_at_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        ann, bob = await at.person("ann"), await at.person("bob")
        place = await group(at, ann, bob, kind="private")
        number = place.ref.number
        await furnish(at, ann, bob, place)
        await at.does(ann, ask.SendMessage(conversation=Key(number), content="unread"))
        await at.does(bob, ask.ListNotifications())
        before = (await at.does(bob, ask.CountNotifications())).count
        await at.does(ann, ask.DeleteConversation(conversation=key(place.ref)))
        assert [type(event) for event in at.told].count(NotificationDeleted) == 1
        assert await rows(at.database, "messages", number) == 27  # all of it is still there ...
        for actor in (ann, bob):  # ... and to be seen by nobody
            for command in (
                ask.GetConversation(conversation=key(place.ref)),
                ask.ListMessages(conversation=key(place.ref)),
                ask.SendMessage(conversation=key(place.ref), content="late"),
                ask.GetMessage(message=Key(1)),
                ask.ReadMessage(message=Key(1)),
                ask.Join(conversation=key(place.ref)),
            ):
                with pytest.raises(Refusal) as found:
                    await at.does(actor, command)
                assert found.value.code is NOT_FOUND
            assert (await at.does(actor, ask.ListConversations())).items == ()
            assert (await at.does(actor, ask.GetUnread())).total == 0
        assert (await at.does(bob, ask.ListNotifications())).items == ()
        assert (await at.does(bob, ask.CountNotifications())).count == before - 1
        again = await group(at, bob, ann, kind="private")
        assert again.ref.number == number + 1
        assert (await at.does(bob, ask.ListMessages(conversation=key(again.ref)))).items == ()


async def test_its_content_is_removed_in_small_steps_which_go_on_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "STEP_ROWS", 10)
    monkeypatch.setattr(removal, "PAUSE_SECONDS", 0.0)
    steps: list[int] = []
    step = removals.step

    def counted(tx: Transaction, limit: int) -> bool:
        before = tx._connection.total_changes
        more = step(tx, limit)
        steps.append(tx._connection.total_changes - before)
        return more

    monkeypatch.setattr(removals, "step", counted)
    async with desk(tmp_path) as at:
        ann, bob = await at.person("ann"), await at.person("bob")
        place, other = await group(at, ann, bob), await group(at, ann, bob)
        for one in (place, other):
            await furnish(at, ann, bob, one)
        number, kept = place.ref.number, {}
        for table in TABLES:
            kept[table] = await rows(at.database, table, other.ref.number)
            assert kept[table] or table in ("watches", "removals"), table
        await at.does(ann, ask.DeleteConversation(conversation=key(place.ref)))
        assert await at.database.write(lambda tx: counted(tx, 10))
        assert await rows(at.database, "messages", number) == 16
    async with desk(tmp_path) as at:  # a server that was stopped in the middle
        cleaner = Remover(at.database)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cleaner.run)
            await removed(at.database, number)
            assert await rows(at.database, "messages", number) == 0
            await at.does(ann, ask.DeleteConversation(conversation=key(other.ref)))
            [closed] = [event for event in at.told if isinstance(event, ConversationDeleted)]
            cleaner.follows[ConversationDeleted](closed)
            await removed(at.database, other.ref.number)
            nursery.cancel_scope.cancel()
        for table in TABLES:
            for gone in (number, other.ref.number):
                assert await rows(at.database, table, gone) == 0, table
        left = await at.database.read(lambda tx: tx._connection.execute("SELECT id FROM conversations").fetchall())
        assert left == []
    assert max(steps) <= 20  # ten messages, each with a picture
