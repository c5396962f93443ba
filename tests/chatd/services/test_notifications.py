"""Notifications: derived, single and broadcast ones; read and deleted; never those of another user."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chatd.services import notifications
from chatd.services.context import Actor
from chatd.store.queries import view_intervals
from chatd.store.queries.notifications import count
from protocol import commands as ask
from protocol.errors import FORBIDDEN, NOT_FOUND, Refusal
from protocol.events import (
    BroadcastCreated,
    NotificationCounted,
    NotificationCreated,
    NotificationDeleted,
    NotificationRead,
)
from protocol.ids import Key, Ref
from protocol.model import Conversation, Message, Notification
from tests.chatd.services.harness import ServiceHarness, key, open_harness


async def private(harness: ServiceHarness, one: Actor, other: Actor) -> Conversation:
    created: Conversation = await harness.perform(one, ask.CreateConversation(kind="private", members=(Key(other.id),)))
    return created


async def send(harness: ServiceHarness, actor: Actor, conversation: Conversation, content: str) -> Message:
    sent: Message = await harness.perform(
        actor, ask.SendMessage(conversation=Key(conversation.ref.number), content=content)
    )
    return sent


async def list_notifications(harness: ServiceHarness, actor: Actor, **window: Any) -> list[Notification]:
    page = await harness.perform(actor, ask.ListNotifications(**window))
    return list(page.items)


async def count_unread(harness: ServiceHarness, actor: Actor) -> int:
    found: NotificationCounted = await harness.perform(actor, ask.CountNotifications())
    return found.count


def published_kinds(harness: ServiceHarness) -> list[str]:
    return [type(event).__name__ for event in harness.published]


async def test_all_messages_of_a_conversation_make_one_notification(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo, juliet = await harness.add_user("romeo"), await harness.add_user("juliet")
        conversation = await private(harness, romeo, juliet)
        assert await count_unread(harness, juliet) == 0
        await send(harness, romeo, conversation, "But soft!")
        await send(harness, romeo, conversation, "What light " + 300 * "!")
        assert (await count_unread(harness, juliet), await count_unread(harness, romeo)) == (1, 0)
        (one,) = await list_notifications(harness, juliet)
        assert (one.type, one.title, one.related, one.read) == ("message", "romeo", conversation.ref, False)
        assert one.content == "What light " + 188 * "!" + "…"
        await send(harness, romeo, conversation, "through yonder window")
        (again,) = await list_notifications(harness, juliet, unread_only=True)
        assert (again.ref, again.content) == (one.ref, "through yonder window")
        assert await harness.perform(juliet, ask.GetNotification(notification=key(one.ref))) == again


async def test_reading_the_conversation_reads_its_notification_and_a_new_message_makes_another(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo, juliet = await harness.add_user("romeo"), await harness.add_user("juliet")
        conversation = await private(harness, romeo, juliet)
        first = await send(harness, romeo, conversation, "one")
        (one,) = await list_notifications(harness, juliet)
        second = await send(harness, romeo, conversation, "two")
        await harness.perform(juliet, ask.ReadMessage(message=key(first.ref)))
        assert published_kinds(harness) == ["MessageRead"]  # an unread message is left
        await harness.perform(juliet, ask.ReadMessage(message=key(second.ref)))
        assert harness.published[1:] == [NotificationRead(one.ref, juliet.ref), NotificationCounted(juliet.ref, 0)]
        await send(harness, romeo, conversation, "three")
        assert await count_unread(harness, juliet) == 1
        new, old = await list_notifications(harness, juliet)
        assert (old.ref, old.read, old.content) == (one.ref, True, "two")
        assert (new.read, new.content) == (False, "three")
        assert await list_notifications(harness, juliet, unread_only=True) == [new]


async def test_what_was_read_before_the_first_list_is_in_the_list_as_read(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo, juliet = await harness.add_user("romeo"), await harness.add_user("juliet")
        conversation = await private(harness, romeo, juliet)
        await send(harness, romeo, conversation, "one")
        await harness.perform(juliet, ask.ReadConversation(conversation=key(conversation.ref)))
        assert published_kinds(harness) == ["MessageRead", "NotificationCounted"]
        assert [one.read for one in await list_notifications(harness, juliet)] == [True]


async def test_reading_or_deleting_a_notification_leaves_the_conversation_unread(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo, juliet = await harness.add_user("romeo"), await harness.add_user("juliet")
        conversation = await private(harness, romeo, juliet)
        await send(harness, romeo, conversation, "one")
        (one,) = await list_notifications(harness, juliet)
        answer = await harness.perform(juliet, ask.ReadNotification(notification=key(one.ref)))
        assert answer.read
        assert harness.published == [NotificationRead(one.ref, juliet.ref), NotificationCounted(juliet.ref, 0)]
        await harness.perform(juliet, ask.ReadNotification(notification=key(one.ref)))
        assert harness.published == []
        assert (await harness.perform(juliet, ask.GetUnread())).total == 1
        await send(harness, romeo, conversation, "two")
        new = (await list_notifications(harness, juliet, unread_only=True))[0]
        await harness.perform(juliet, ask.DeleteNotification(notification=key(new.ref)))
        assert harness.published == [NotificationDeleted(new.ref, juliet.ref), NotificationCounted(juliet.ref, 0)]
        assert [found.ref for found in await list_notifications(harness, juliet)] == [one.ref]
        await send(harness, romeo, conversation, "three")
        assert await count_unread(harness, juliet) == 1


async def test_deleted_messages_make_no_notification(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo, juliet = await harness.add_user("romeo"), await harness.add_user("juliet")
        conversation = await private(harness, romeo, juliet)
        first, second = await send(harness, romeo, conversation, "one"), await send(harness, romeo, conversation, "two")
        (one,) = await list_notifications(harness, juliet)
        await harness.perform(romeo, ask.DeleteMessage(message=key(second.ref)))
        assert (await list_notifications(harness, juliet))[0].content == "one"
        await harness.perform(romeo, ask.DeleteMessage(message=key(first.ref)))
        assert (await count_unread(harness, juliet), await list_notifications(harness, juliet)) == (0, [])
        for command in (ask.GetNotification, ask.ReadNotification, ask.DeleteNotification):
            with pytest.raises(Refusal, match="Notification not found"):
                await harness.perform(juliet, command(notification=key(one.ref)))
        published = await harness.run_unit(notifications.catch_up, conversation.ref, [juliet.ref], message_deleted=True)
        assert published == [NotificationDeleted(one.ref, juliet.ref), NotificationCounted(juliet.ref, 0)]


async def test_a_viewer_is_not_notified_and_keeps_older_notifications(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo, juliet = await harness.add_user("romeo"), await harness.add_user("juliet")
        conversation = await private(harness, romeo, juliet)
        number = conversation.ref.number
        write = harness.database.write
        shown = await send(harness, romeo, conversation, "she is away")
        await write(lambda tx: view_intervals.begin(tx, number, juliet.id, shown.ref.number))
        last = await send(harness, romeo, conversation, "she looks")
        (one,) = await list_notifications(harness, juliet)
        assert one.content == "she is away"
        await write(lambda tx: view_intervals.end(tx, number, juliet.id, last.ref.number))
        assert (await list_notifications(harness, juliet)) == [one]
        await harness.perform(juliet, ask.ReadNotification(notification=key(one.ref)))
        assert await count_unread(harness, juliet) == 0
        await write(lambda tx: view_intervals.begin(tx, number, juliet.id, last.ref.number))
        last = await send(harness, romeo, conversation, "she looks again")
        await write(lambda tx: view_intervals.end(tx, number, juliet.id, last.ref.number))
        assert await count_unread(harness, juliet) == 0
        await send(harness, romeo, conversation, "she is gone")
        assert [found.content for found in await list_notifications(harness, juliet, unread_only=True)] == [
            "she is gone"
        ]
        assert (await harness.perform(juliet, ask.GetUnread())).total == 4


async def test_viewing_ends_with_the_server(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo, juliet = await harness.add_user("romeo"), await harness.add_user("juliet")
        conversation = await private(harness, romeo, juliet)
        await harness.database.write(lambda tx: view_intervals.begin(tx, conversation.ref.number, juliet.id, 0))
        await send(harness, romeo, conversation, "shown")
        await harness.database.write(view_intervals.end_all)
        assert await count_unread(harness, juliet) == 0
        await send(harness, romeo, conversation, "not shown")
        assert await count_unread(harness, juliet) == 1


async def test_a_user_is_added_to_a_group_and_removed_again(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo, nurse = await harness.add_user("romeo"), await harness.add_user("nurse")
        group = await harness.perform(romeo, ask.CreateConversation(kind="group", members=(), title="Verona"))
        await harness.perform(romeo, ask.AddMember(conversation=key(group.ref), user=Key(nurse.id)))
        assert published_kinds(harness)[-2:] == ["NotificationCreated", "NotificationCounted"]
        (one,) = await list_notifications(harness, nurse)
        assert (one.type, one.title, one.content, one.related) == (
            "group_invite",
            "Verona",
            "romeo added you",
            group.ref,
        )
        await send(harness, romeo, group, "good day")
        assert await count_unread(harness, nurse) == 2
        await harness.perform(romeo, ask.RemoveMember(conversation=key(group.ref), user=Key(nurse.id)))
        assert harness.published[:1] == [NotificationDeleted(one.ref, nurse.ref)]
        assert NotificationCounted(nurse.ref, 0) in harness.published
        assert (await count_unread(harness, nurse), await list_notifications(harness, nurse)) == (0, [])


async def test_a_deleted_conversation_deletes_its_notifications(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo, nurse = await harness.add_user("romeo"), await harness.add_user("nurse")
        group = await harness.perform(romeo, ask.CreateConversation(kind="group", members=()))
        await harness.perform(romeo, ask.AddMember(conversation=key(group.ref), user=Key(nurse.id)))
        await send(harness, romeo, group, "good day")
        gone = {one.ref for one in await list_notifications(harness, nurse)}
        assert len(gone) == 2
        await harness.perform(romeo, ask.DeleteConversation(conversation=key(group.ref)))
        assert {event.notification for event in harness.published if isinstance(event, NotificationDeleted)} == gone
        assert (await count_unread(harness, nurse), await list_notifications(harness, nurse)) == (0, [])


async def test_only_administrators_and_services_with_the_scope_may_create_notifications(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo = await harness.add_user("romeo")
        admin = Actor((await harness.add_user("admin")).ref, "admin", admin=True)
        service = Actor(Ref(0, 0), "billing", scopes=frozenset({"notify"}))
        notify = ask.CreateNotification(user=Key(romeo.id), title="Paid", type="payment", extra={"amount": 7})
        for caller, command in (
            (romeo, notify),
            (romeo, ask.Broadcast(title="!")),
            (service, ask.Broadcast(title="!")),
            (service, ask.ListNotifications()),
            (service, ask.GetMe()),
        ):
            with pytest.raises(Refusal) as refused:
                await harness.perform(caller, command)
            assert refused.value.code is FORBIDDEN
        for allowed in (admin, service):
            created = await harness.perform(allowed, notify)
            assert created.extra == {"amount": 7}
            assert harness.published[0] == NotificationCreated(created)
        assert await count_unread(harness, romeo) == 2
        with pytest.raises(Refusal) as refused:
            await harness.perform(admin, ask.CreateNotification(user=Key(99), title="?"))
        assert refused.value.code is NOT_FOUND


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": 201 * "x"}, "title"),
        ({"title": "x", "content": 10_001 * "x"}, "content"),
        ({"title": "x", "type": ""}, "type"),
        ({"title": "x", "related": 201 * "x"}, "related_id"),
        ({"title": "x", "extra": {"x": 10_000 * "x"}}, "data"),
    ],
)
async def test_too_long_and_empty_fields(tmp_path: Path, wrong: dict[str, Any], field: str) -> None:
    async with open_harness(tmp_path) as harness:
        admin = Actor((await harness.add_user("admin")).ref, "admin", admin=True)
        with pytest.raises(Refusal) as refused:
            await harness.perform(admin, ask.CreateNotification(user=Key(admin.id), **wrong))
        assert refused.value.field == field


async def test_each_user_has_an_own_copy_of_a_broadcast(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo, juliet = await harness.add_user("romeo"), await harness.add_user("juliet")
        admin = Actor((await harness.add_user("admin")).ref, "admin", admin=True)
        created = await harness.perform(
            admin, ask.Broadcast(title="Closed tonight", content="The gates", related="gate-1")
        )
        assert harness.published == [BroadcastCreated(created.ref)]
        late = await harness.add_user("late")
        (one,) = await list_notifications(harness, romeo)
        assert (one.ref, one.user, one.title, one.related, one.read) == (
            created.ref,
            romeo.ref,
            "Closed tonight",
            "gate-1",
            False,
        )
        assert [await count_unread(harness, actor) for actor in (romeo, juliet, late)] == [1, 1, 0]
        assert await list_notifications(harness, late) == []
        published = await harness.run_unit(notifications.announce, created.ref, [romeo.ref, late.ref])
        assert published == [NotificationCreated(one), NotificationCounted(romeo.ref, 1)]
        await harness.perform(romeo, ask.ReadNotification(notification=key(one.ref)))
        assert harness.published == [NotificationRead(one.ref, romeo.ref), NotificationCounted(romeo.ref, 0)]
        assert [found.read for found in await list_notifications(harness, romeo)] == [True]
        await harness.perform(romeo, ask.DeleteNotification(notification=key(one.ref)))
        await harness.perform(juliet, ask.DeleteNotification(notification=key(one.ref)))
        assert [await count_unread(harness, actor) for actor in (romeo, juliet)] == [0, 0]
        assert await list_notifications(harness, romeo) == await list_notifications(harness, juliet) == []


async def test_ids_of_broadcasts_are_not_used_again(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        admin = Actor((await harness.add_user("admin")).ref, "admin", admin=True)
        first = await harness.perform(admin, ask.Broadcast(title="one"))
    async with open_harness(tmp_path) as harness:
        second = await harness.perform(admin, ask.CreateNotification(user=Key(admin.id), title="two"))
        third = await harness.perform(admin, ask.Broadcast(title="three"))
    async with open_harness(tmp_path) as harness:
        fourth = await harness.perform(admin, ask.CreateNotification(user=Key(admin.id), title="four"))
    assert [one.ref.number for one in (first, second, third, fourth)] == [1, 2, 3, 4]


async def test_pages_have_all_kinds_in_one_order(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        admin = Actor((await harness.add_user("admin")).ref, "admin", admin=True)
        for n in range(7):
            command = ask.Broadcast(title=f"{n}") if n % 2 else ask.CreateNotification(user=Key(1), title=f"{n}")
            await harness.perform(admin, command)
        assert [one.title for one in await list_notifications(harness, admin, limit=3)] == ["6", "5", "4"]
        page = await harness.perform(admin, ask.ListNotifications(limit=3))
        assert page.next[0] == "before"
        older = await list_notifications(harness, admin, limit=3, before=key(page.next[1]))
        assert [one.title for one in older] == ["3", "2", "1"]
        newer = await list_notifications(harness, admin, limit=3, after=key(Ref(2, 0))._replace(created_seconds=None))
        assert [one.title for one in newer] == ["4", "3", "2"]


async def test_all_are_read_with_one_command(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo = await harness.add_user("romeo")
        admin = Actor((await harness.add_user("admin")).ref, "admin", admin=True)
        conversation = await private(harness, admin, romeo)
        await send(harness, admin, conversation, "psst")
        await harness.perform(admin, ask.Broadcast(title="all"))
        await harness.perform(admin, ask.CreateNotification(user=Key(romeo.id), title="one"))
        refs = {one.ref for one in await list_notifications(harness, romeo)}
        assert len(refs) == 3
        left = await harness.perform(romeo, ask.ReadNotifications())
        assert left == harness.published[-1] == NotificationCounted(romeo.ref, 0)
        assert {event.notification for event in harness.published if isinstance(event, NotificationRead)} == refs
        assert await list_notifications(harness, romeo, unread_only=True) == []
        assert await count_unread(harness, admin) == 1  # the broadcast is also for the admin


async def test_a_notification_of_another_user_is_answered_like_a_missing_one(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo, tybalt = await harness.add_user("romeo"), await harness.add_user("tybalt")
        admin = Actor((await harness.add_user("admin")).ref, "admin", admin=True)
        created = await harness.perform(admin, ask.CreateNotification(user=Key(romeo.id), title="for romeo"))
        for command in (ask.GetNotification, ask.ReadNotification, ask.DeleteNotification):
            answers = []
            for key_sent in (key(created.ref), Key(77), Key(0), key(created.ref)._replace(created_seconds=1)):
                with pytest.raises(Refusal) as refused:
                    await harness.perform(tybalt, command(notification=key_sent))
                answers.append((refused.value.code, refused.value.message))
            assert set(answers) == {(NOT_FOUND, "Notification not found")}
        assert [one.read for one in await list_notifications(harness, romeo)] == [False]


async def test_catch_up_notifies_the_members_of_a_message(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        romeo, juliet, nurse = [await harness.add_user(name) for name in ("romeo", "juliet", "nurse")]
        group = await harness.perform(
            romeo, ask.CreateConversation(kind="group", members=(Key(juliet.id), Key(nurse.id)), title="Verona")
        )
        members = [actor.ref for actor in (romeo, juliet, nurse)]
        await harness.database.write(lambda tx: view_intervals.begin(tx, group.ref.number, nurse.id, 0))
        await send(harness, romeo, group, "one")
        created, counts = await harness.run_unit(notifications.catch_up, group.ref, members, message_deleted=False)
        assert isinstance(created, NotificationCreated)
        one = created.notification
        assert (one.user, one.title, one.content) == (juliet.ref, "romeo (Verona)", "one")
        assert counts == NotificationCounted(juliet.ref, 1)
        assert await harness.run_unit(notifications.catch_up, group.ref, members, message_deleted=False) == []
        await send(harness, romeo, group, "two")
        (again,) = await harness.run_unit(notifications.catch_up, group.ref, members, message_deleted=False)
        assert isinstance(again, NotificationCreated)
        assert (again.notification.ref, again.notification.content) == (one.ref, "two")
        assert await list_notifications(harness, juliet) == [again.notification]
        assert [await harness.database.read(partial(count, user=actor.id)) for actor in (juliet, nurse)] == [1, 0]
