"""What is told is what is so: in any order of events, told counts are those counted from scratch (issue 4, show 4)."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chatd.services import users
from chatd.services.context import Actor, ServiceContext, ServiceRules
from chatd.store.queries import conversations, notifications, view_intervals
from protocol import commands as ask
from protocol.errors import Refusal
from protocol.events import JOINED
from protocol.ids import Key
from protocol.model import Conversation, Message
from tests.chatd.app import Device, Doorless, doorless

PEOPLE = 3
PLACES = 3  # two groups, one of two


class Step(NamedTuple):
    """One thing that somebody does. `which` chooses among what there is."""

    what: str
    who: int
    where: int
    which: int


WHATS = (
    *("say", "say", "say", "read", "unsay", "enter", "leave", "join", "part"),
    *("list", "see", "forget", "see all", "add", "remove", "notify", "broadcast", "close"),
)
STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(WHATS),
        st.integers(0, PEOPLE - 1),
        st.integers(0, PLACES - 1),
        st.integers(0, 5),
    ),
    max_size=30,
)


class Play:
    """Three people, three conversations, and what they do to one another."""

    def __init__(self, app: Doorless, people: list[Actor], places: list[Conversation]) -> None:
        self.app = app
        self.people = people
        self.places = places
        self.messages: list[Message] = []
        self.devices: list[list[Device]] = [[] for _ in people]
        self.waiting: dict[tuple[int, int], set[int]] = {}
        """The messages that each is to be notified of, by conversation and user: as told, not as worked out."""
        self.muddled: set[int] = set()
        """Conversations in which something was deleted: what was watched long ago may be forgotten there."""

    async def do(self, step: Step) -> None:
        me, place = self.people[step.who], self.places[step.where]
        mine = self.devices[step.who]
        device = mine[step.which % len(mine)] if mine else None
        with suppress(Refusal):
            match step.what:
                case "enter" if len(mine) < 2:
                    mine.append(await self.app.enters(me))
                case "leave" if device:
                    mine.remove(device)
                    self.app.leaves(device)
                case "join" if device and self.app.online_users.is_member(place.ref.number, me.id):
                    self.app.joins(device, place.ref.number)
                case "part" if device:
                    self.app.parts(device, place.ref.number)
                case _:
                    await self.ask(step, me, place)

    async def ask(self, step: Step, me: Actor, place: Conversation) -> None:
        does, key = self.app.does, Key(place.ref.number)
        other = Key(self.people[(step.who + 1 + step.which % 2) % PEOPLE].id)
        match step.what:
            case "say":
                said = await does(me, ask.SendMessage(conversation=key, content="x"))
                self.messages.append(said)
                await self.notify_others(said)
            case "read" | "unsay" if self.messages:
                await self.read_or_unsay(step.what, me, self.messages[-1 - step.which % len(self.messages)])
            case "list":
                page = await does(me, ask.ListNotifications(unread_only=True, limit=200))
                assert len(page.items) == (await does(me, ask.CountNotifications())).count
                assert not any(one.read for one in page.items)
            case "close":
                await does(me, ask.DeleteConversation(conversation=key))
                for who in self.people:
                    self.waiting.pop((place.ref.number, who.id), None)
            case "see" | "forget":
                page = await does(me, ask.ListNotifications())
                if page.items:
                    one = page.items[step.which % len(page.items)]
                    command = ask.ReadNotification if step.what == "see" else ask.DeleteNotification
                    await does(me, command(notification=Key(one.ref.number)))
                    if one.type == "message" and not one.read:
                        self.waiting.pop((one.related.number, me.id), None)
            case "see all":
                await does(me, ask.ReadNotifications())
                for conversation, user in list(self.waiting):
                    if user == me.id:
                        del self.waiting[conversation, user]
            case "add":
                await does(me, ask.AddMember(conversation=key, user=other))
            case "remove":
                await does(me, ask.RemoveMember(conversation=key, user=other))
                self.waiting.pop((place.ref.number, other.number), None)
            case "notify":
                await does(self.people[0], ask.CreateNotification(user=other, title="x"))
            case "broadcast":
                await does(self.people[0], ask.Broadcast(title="x"))

    async def notify_others(self, message: Message) -> None:
        """Members with no socket in the room are to be notified."""
        number = message.conversation.number
        refs = await self.app.database.read(lambda tx: conversations.member_refs(tx, [number]))
        watching = {seat.user for seat in self.app.broker.subscribers((JOINED, number))}
        for user in {ref.number for ref in refs[number]} - watching - {message.sender.ref.number}:
            self.waiting.setdefault((number, user), set()).add(message.ref.number)

    async def read_or_unsay(self, what: str, me: Actor, message: Message) -> None:
        number, key = message.conversation.number, Key(message.ref.number)
        if what == "unsay":
            await self.app.does(me, ask.DeleteMessage(message=key))
            self.muddled.add(number)
            return
        await self.app.does(me, ask.ReadMessage(message=key))
        waiting = self.waiting.get((number, me.id), set())
        waiting -= {one for one in waiting if one <= key.number}

    async def check(self) -> None:
        """Every device was last told what the store counts from scratch."""
        await self.app.settles()
        for me, devices in zip(self.people, self.devices, strict=True):
            count = await self.app.database.read(partial(notifications.count, user=me.id))
            about = await self.app.database.read(partial(view_intervals.notified_messages, user=me.id))
            expected = {number for (number, user), waiting in self.waiting.items() if user == me.id and waiting}
            assert set(about) - self.muddled == expected - self.muddled
            told = [device.last("notification:count") for device in devices]
            assert told == [{"count": count}] * len(devices)
            await self.check_unread(me)

    async def check_unread(self, me: Actor) -> None:
        def scratch(tx: Any) -> Any:
            return users.unread(ServiceContext(tx, me, ServiceRules()), ask.GetUnread())

        kept = self.app.online_users.unread(me.id)
        assert kept is None or kept == await self.app.database.read(scratch)


async def play(folder: Path, steps: list[Step]) -> None:
    async with doorless(folder, grace=0.0) as app:
        people = [await app.person(f"p{n}", admin=n == 0) for n in range(PEOPLE)]
        everybody = tuple(Key(one.id) for one in people)
        places = [
            await app.does(people[0], ask.CreateConversation(kind="group", members=everybody)),
            await app.does(people[1], ask.CreateConversation(kind="group", members=everybody[:2])),
            await app.does(people[1], ask.CreateConversation(kind="private", members=everybody[2:])),
        ]
        scene = Play(app, people, places)
        for step in steps:
            await scene.do(step)
            await scene.check()


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
@example(steps=[Step("enter", 1, 0, 0), Step("say", 0, 0, 0), Step("close", 0, 0, 0)])
@example(steps=[Step("say", 0, 0, 0), Step("enter", 1, 0, 0), Step("unsay", 0, 0, 0)])
async def test_told_counts_are_those_from_scratch_after_every_step(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await play(Path(folder), steps)
