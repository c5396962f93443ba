"""Notifications at the desk: derived, made, broadcast; read and deleted; never anybody else's."""

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
from tests.chatd.services.desk import Desk, desk, key


async def private(at: Desk, one: Actor, other: Actor) -> Conversation:
    made: Conversation = await at.does(one, ask.CreateConversation(kind="private", members=(Key(other.id),)))
    return made


async def say(at: Desk, who: Actor, where: Conversation, content: str) -> Message:
    sent: Message = await at.does(who, ask.SendMessage(conversation=Key(where.ref.number), content=content))
    return sent


async def listed(at: Desk, who: Actor, **window: Any) -> list[Notification]:
    page = await at.does(who, ask.ListNotifications(**window))
    return list(page.items)


async def counted(at: Desk, who: Actor) -> int:
    found: NotificationCounted = await at.does(who, ask.CountNotifications())
    return found.count


def kinds(at: Desk) -> list[str]:
    return [type(event).__name__ for event in at.told]


async def test_messages_of_a_conversation_make_one_notification_whatever_their_number(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo, juliet = await at.person("romeo"), await at.person("juliet")
        talk = await private(at, romeo, juliet)
        assert await counted(at, juliet) == 0
        await say(at, romeo, talk, "But soft!")
        await say(at, romeo, talk, "What light " + 300 * "!")
        assert (await counted(at, juliet), await counted(at, romeo)) == (1, 0)
        (one,) = await listed(at, juliet)
        assert (one.type, one.title, one.related, one.read) == ("message", "romeo", talk.ref, False)
        assert one.content == "What light " + 188 * "!" + "…"
        await say(at, romeo, talk, "through yonder window")
        (again,) = await listed(at, juliet, unread_only=True)
        assert (again.ref, again.content) == (one.ref, "through yonder window")
        assert await at.does(juliet, ask.GetNotification(notification=key(one.ref))) == again


async def test_reading_the_conversation_reads_its_notification_and_a_new_message_makes_another(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo, juliet = await at.person("romeo"), await at.person("juliet")
        talk = await private(at, romeo, juliet)
        first = await say(at, romeo, talk, "one")
        (one,) = await listed(at, juliet)
        second = await say(at, romeo, talk, "two")
        await at.does(juliet, ask.ReadMessage(message=key(first.ref)))
        assert kinds(at) == ["MessageRead"]  # there is more to read
        await at.does(juliet, ask.ReadMessage(message=key(second.ref)))
        assert at.told[1:] == [NotificationRead(one.ref, juliet.ref), NotificationCounted(juliet.ref, 0)]
        await say(at, romeo, talk, "three")
        assert await counted(at, juliet) == 1
        new, old = await listed(at, juliet)
        assert (old.ref, old.read, old.content) == (one.ref, True, "two")
        assert (new.read, new.content) == (False, "three")
        assert await listed(at, juliet, unread_only=True) == [new]


async def test_what_was_read_before_anybody_asked_is_in_the_list_as_read(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo, juliet = await at.person("romeo"), await at.person("juliet")
        talk = await private(at, romeo, juliet)
        await say(at, romeo, talk, "one")
        await at.does(juliet, ask.ReadConversation(conversation=key(talk.ref)))
        assert kinds(at) == ["MessageRead", "NotificationCounted"]
        assert [one.read for one in await listed(at, juliet)] == [True]


async def test_reading_or_deleting_a_notification_leaves_the_conversation_unread(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo, juliet = await at.person("romeo"), await at.person("juliet")
        talk = await private(at, romeo, juliet)
        await say(at, romeo, talk, "one")
        (one,) = await listed(at, juliet)
        done = await at.does(juliet, ask.ReadNotification(notification=key(one.ref)))
        assert done.read
        assert at.told == [NotificationRead(one.ref, juliet.ref), NotificationCounted(juliet.ref, 0)]
        await at.does(juliet, ask.ReadNotification(notification=key(one.ref)))
        assert at.told == []
        assert (await at.does(juliet, ask.GetUnread())).total == 1
        await say(at, romeo, talk, "two")
        new = (await listed(at, juliet, unread_only=True))[0]
        await at.does(juliet, ask.DeleteNotification(notification=key(new.ref)))
        assert at.told == [NotificationDeleted(new.ref, juliet.ref), NotificationCounted(juliet.ref, 0)]
        assert [found.ref for found in await listed(at, juliet)] == [one.ref]
        await say(at, romeo, talk, "three")
        assert await counted(at, juliet) == 1


async def test_deleted_messages_are_nothing_to_be_notified_of(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo, juliet = await at.person("romeo"), await at.person("juliet")
        talk = await private(at, romeo, juliet)
        first, second = await say(at, romeo, talk, "one"), await say(at, romeo, talk, "two")
        (one,) = await listed(at, juliet)
        await at.does(romeo, ask.DeleteMessage(message=key(second.ref)))
        assert (await listed(at, juliet))[0].content == "one"
        await at.does(romeo, ask.DeleteMessage(message=key(first.ref)))
        assert (await counted(at, juliet), await listed(at, juliet)) == (0, [])
        for command in (ask.GetNotification, ask.ReadNotification, ask.DeleteNotification):
            with pytest.raises(Refusal, match="Notification not found"):
                await at.does(juliet, command(notification=key(one.ref)))
        told = await at.works(notifications.catch_up, talk.ref, [juliet.ref], lost=True)
        assert told == [NotificationDeleted(one.ref, juliet.ref), NotificationCounted(juliet.ref, 0)]


async def test_whoever_watches_is_not_notified_and_keeps_what_they_had(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo, juliet = await at.person("romeo"), await at.person("juliet")
        talk = await private(at, romeo, juliet)
        place = talk.ref.number
        write = at.database.write
        shown = await say(at, romeo, talk, "nobody looks")
        await write(lambda tx: view_intervals.begin(tx, place, juliet.id, shown.ref.number))
        last = await say(at, romeo, talk, "she looks")
        (one,) = await listed(at, juliet)
        assert one.content == "nobody looks"
        await write(lambda tx: view_intervals.end(tx, place, juliet.id, last.ref.number))
        assert (await listed(at, juliet)) == [one]
        await at.does(juliet, ask.ReadNotification(notification=key(one.ref)))
        assert await counted(at, juliet) == 0
        await write(lambda tx: view_intervals.begin(tx, place, juliet.id, last.ref.number))
        last = await say(at, romeo, talk, "she looks again")
        await write(lambda tx: view_intervals.end(tx, place, juliet.id, last.ref.number))
        assert await counted(at, juliet) == 0
        await say(at, romeo, talk, "she is gone")
        assert [found.content for found in await listed(at, juliet, unread_only=True)] == ["she is gone"]
        assert (await at.does(juliet, ask.GetUnread())).total == 4


async def test_watching_ends_with_the_server(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo, juliet = await at.person("romeo"), await at.person("juliet")
        talk = await private(at, romeo, juliet)
        await at.database.write(lambda tx: view_intervals.begin(tx, talk.ref.number, juliet.id, 0))
        await say(at, romeo, talk, "shown")
        await at.database.write(view_intervals.end_all)
        assert await counted(at, juliet) == 0
        await say(at, romeo, talk, "not shown")
        assert await counted(at, juliet) == 1


async def test_being_added_to_a_group_and_removed_again(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo, nurse = await at.person("romeo"), await at.person("nurse")
        group = await at.does(romeo, ask.CreateConversation(kind="group", members=(), title="Verona"))
        await at.does(romeo, ask.AddMember(conversation=key(group.ref), user=Key(nurse.id)))
        assert kinds(at)[-2:] == ["NotificationCreated", "NotificationCounted"]
        (one,) = await listed(at, nurse)
        assert (one.type, one.title, one.content, one.related) == (
            "group_invite",
            "Verona",
            "romeo added you",
            group.ref,
        )
        await say(at, romeo, group, "hear ye")
        assert await counted(at, nurse) == 2
        await at.does(romeo, ask.RemoveMember(conversation=key(group.ref), user=Key(nurse.id)))
        assert at.told[:1] == [NotificationDeleted(one.ref, nurse.ref)]
        assert NotificationCounted(nurse.ref, 0) in at.told
        assert (await counted(at, nurse), await listed(at, nurse)) == (0, [])


async def test_a_deleted_conversation_takes_what_was_about_it_along(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo, nurse = await at.person("romeo"), await at.person("nurse")
        group = await at.does(romeo, ask.CreateConversation(kind="group", members=()))
        await at.does(romeo, ask.AddMember(conversation=key(group.ref), user=Key(nurse.id)))
        await say(at, romeo, group, "hear ye")
        gone = {one.ref for one in await listed(at, nurse)}
        assert len(gone) == 2
        await at.does(romeo, ask.DeleteConversation(conversation=key(group.ref)))
        assert {event.notification for event in at.told if isinstance(event, NotificationDeleted)} == gone
        assert (await counted(at, nurse), await listed(at, nurse)) == (0, [])


async def test_only_administrators_and_services_with_the_scope_may_make_them(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo = await at.person("romeo")
        admin = Actor((await at.person("admin")).ref, "admin", admin=True)
        service = Actor(Ref(0, 0), "billing", scopes=frozenset({"notify"}))
        notify = ask.CreateNotification(user=Key(romeo.id), title="Paid", type="payment", extra={"amount": 7})
        for nobody, command in (
            (romeo, notify),
            (romeo, ask.Broadcast(title="!")),
            (service, ask.Broadcast(title="!")),
            (service, ask.ListNotifications()),
            (service, ask.GetMe()),
        ):
            with pytest.raises(Refusal) as refused:
                await at.does(nobody, command)
            assert refused.value.code is FORBIDDEN
        for somebody in (admin, service):
            made = await at.does(somebody, notify)
            assert made.extra == {"amount": 7}
            assert at.told[0] == NotificationCreated(made)
        assert await counted(at, romeo) == 2
        with pytest.raises(Refusal) as refused:
            await at.does(admin, ask.CreateNotification(user=Key(99), title="?"))
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
async def test_what_is_too_long_or_empty(tmp_path: Path, wrong: dict[str, Any], field: str) -> None:
    async with desk(tmp_path) as at:
        admin = Actor((await at.person("admin")).ref, "admin", admin=True)
        with pytest.raises(Refusal) as refused:
            await at.does(admin, ask.CreateNotification(user=Key(admin.id), **wrong))
        assert refused.value.field == field


async def test_a_broadcast_is_everybodys_own(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo, juliet = await at.person("romeo"), await at.person("juliet")
        admin = Actor((await at.person("admin")).ref, "admin", admin=True)
        made = await at.does(admin, ask.Broadcast(title="Closed tonight", content="The gates", related="gate-1"))
        assert at.told == [BroadcastCreated(made.ref)]
        late = await at.person("late")
        (one,) = await listed(at, romeo)
        assert (one.ref, one.user, one.title, one.related, one.read) == (
            made.ref,
            romeo.ref,
            "Closed tonight",
            "gate-1",
            False,
        )
        assert [await counted(at, who) for who in (romeo, juliet, late)] == [1, 1, 0]
        assert await listed(at, late) == []
        told = await at.works(notifications.announce, made.ref, [romeo.ref, late.ref])
        assert told == [NotificationCreated(one), NotificationCounted(romeo.ref, 1)]
        await at.does(romeo, ask.ReadNotification(notification=key(one.ref)))
        assert at.told == [NotificationRead(one.ref, romeo.ref), NotificationCounted(romeo.ref, 0)]
        assert [found.read for found in await listed(at, romeo)] == [True]
        await at.does(romeo, ask.DeleteNotification(notification=key(one.ref)))
        await at.does(juliet, ask.DeleteNotification(notification=key(one.ref)))
        assert [await counted(at, who) for who in (romeo, juliet)] == [0, 0]
        assert await listed(at, romeo) == await listed(at, juliet) == []


async def test_numbers_of_broadcasts_do_not_come_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        admin = Actor((await at.person("admin")).ref, "admin", admin=True)
        first = await at.does(admin, ask.Broadcast(title="one"))
    async with desk(tmp_path) as at:
        second = await at.does(admin, ask.CreateNotification(user=Key(admin.id), title="two"))
        third = await at.does(admin, ask.Broadcast(title="three"))
    async with desk(tmp_path) as at:
        fourth = await at.does(admin, ask.CreateNotification(user=Key(admin.id), title="four"))
    assert [one.ref.number for one in (first, second, third, fourth)] == [1, 2, 3, 4]


async def test_pages_go_through_all_kinds_in_one_order(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        admin = Actor((await at.person("admin")).ref, "admin", admin=True)
        for n in range(7):
            command = ask.Broadcast(title=f"{n}") if n % 2 else ask.CreateNotification(user=Key(1), title=f"{n}")
            await at.does(admin, command)
        assert [one.title for one in await listed(at, admin, limit=3)] == ["6", "5", "4"]
        page = await at.does(admin, ask.ListNotifications(limit=3))
        assert page.next[0] == "before"
        assert [one.title for one in await listed(at, admin, limit=3, before=key(page.next[1]))] == ["3", "2", "1"]
        assert [
            one.title for one in await listed(at, admin, limit=3, after=key(Ref(2, 0))._replace(created_seconds=None))
        ] == [
            "4",
            "3",
            "2",
        ]


async def test_all_are_read_at_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo = await at.person("romeo")
        admin = Actor((await at.person("admin")).ref, "admin", admin=True)
        talk = await private(at, admin, romeo)
        await say(at, admin, talk, "psst")
        await at.does(admin, ask.Broadcast(title="all"))
        await at.does(admin, ask.CreateNotification(user=Key(romeo.id), title="one"))
        refs = {one.ref for one in await listed(at, romeo)}
        assert len(refs) == 3
        left = await at.does(romeo, ask.ReadNotifications())
        assert left == at.told[-1] == NotificationCounted(romeo.ref, 0)
        assert {event.notification for event in at.told if isinstance(event, NotificationRead)} == refs
        assert await listed(at, romeo, unread_only=True) == []
        assert await counted(at, admin) == 1  # the broadcast is the admin's as well


async def test_somebody_elses_is_answered_as_if_there_were_none(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo, tybalt = await at.person("romeo"), await at.person("tybalt")
        admin = Actor((await at.person("admin")).ref, "admin", admin=True)
        made = await at.does(admin, ask.CreateNotification(user=Key(romeo.id), title="for romeo"))
        for command in (ask.GetNotification, ask.ReadNotification, ask.DeleteNotification):
            said = []
            for asked in (key(made.ref), Key(77), Key(0), key(made.ref)._replace(created_seconds=1)):
                with pytest.raises(Refusal) as refused:
                    await at.does(tybalt, command(notification=asked))
                said.append((refused.value.code, refused.value.message))
            assert set(said) == {(NOT_FOUND, "Notification not found")}
        assert [one.read for one in await listed(at, romeo)] == [False]


async def test_members_catch_up_with_a_message(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        romeo, juliet, nurse = [await at.person(name) for name in ("romeo", "juliet", "nurse")]
        group = await at.does(
            romeo, ask.CreateConversation(kind="group", members=(Key(juliet.id), Key(nurse.id)), title="Verona")
        )
        everybody = [who.ref for who in (romeo, juliet, nurse)]
        await at.database.write(lambda tx: view_intervals.begin(tx, group.ref.number, nurse.id, 0))
        await say(at, romeo, group, "one")
        created, counts = await at.works(notifications.catch_up, group.ref, everybody, lost=False)
        assert isinstance(created, NotificationCreated)
        one = created.notification
        assert (one.user, one.title, one.content) == (juliet.ref, "romeo (Verona)", "one")
        assert counts == NotificationCounted(juliet.ref, 1)
        assert await at.works(notifications.catch_up, group.ref, everybody, lost=False) == []
        await say(at, romeo, group, "two")
        (again,) = await at.works(notifications.catch_up, group.ref, everybody, lost=False)
        assert isinstance(again, NotificationCreated)
        assert (again.notification.ref, again.notification.content) == (one.ref, "two")
        assert await listed(at, juliet) == [again.notification]
        assert [await at.database.read(partial(count, user=who.id)) for who in (juliet, nurse)] == [1, 0]
