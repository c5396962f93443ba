"""Counts that clients receive equal the counts that the store computes from scratch, in any order of events."""

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
from tests.chatd.app import Device, ServerlessApp, serverless_app

PEOPLE = 3
PLACES = 3  # two groups, one of two


class Step(NamedTuple):
    """One action of a user. `which` chooses among the messages, devices or notifications."""

    what: str
    who: int
    where: int
    which: int


WHATS = (
    *("send", "send", "send", "read", "delete", "enter", "leave", "join", "part"),
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


class Run:
    """Three users, three conversations, and the actions of the users."""

    def __init__(self, app: ServerlessApp, people: list[Actor], places: list[Conversation]) -> None:
        self.app = app
        self.people = people
        self.places = places
        self.messages: list[Message] = []
        self.devices: list[list[Device]] = [[] for _ in people]
        self.waiting: dict[tuple[int, int], set[int]] = {}
        """The messages of which a user must be notified, by conversation and user, as the actions imply them."""
        self.with_deletions: set[int] = set()
        """Conversations with deleted messages: the store may have dropped old view intervals there."""

    async def do(self, step: Step) -> None:
        me, place = self.people[step.who], self.places[step.where]
        mine = self.devices[step.who]
        device = mine[step.which % len(mine)] if mine else None
        with suppress(Refusal):
            match step.what:
                case "enter" if len(mine) < 2:
                    mine.append(await self.app.connect(me))
                case "leave" if device:
                    mine.remove(device)
                    self.app.disconnect(device)
                case "join" if device and self.app.online_users.is_member(place.ref.number, me.id):
                    self.app.join(device, place.ref.number)
                case "part" if device:
                    self.app.leave(device, place.ref.number)
                case _:
                    await self.ask(step, me, place)

    async def ask(self, step: Step, me: Actor, place: Conversation) -> None:
        request, key = self.app.request, Key(place.ref.number)
        other = Key(self.people[(step.who + 1 + step.which % 2) % PEOPLE].id)
        match step.what:
            case "send":
                sent = await request(me, ask.SendMessage(conversation=key, content="x"))
                self.messages.append(sent)
                await self.notify_others(sent)
            case "read" | "delete" if self.messages:
                await self.read_or_delete(step.what, me, self.messages[-1 - step.which % len(self.messages)])
            case "list":
                page = await request(me, ask.ListNotifications(unread_only=True, limit=200))
                assert len(page.items) == (await request(me, ask.CountNotifications())).count
                assert not any(one.read for one in page.items)
            case "close":
                await request(me, ask.DeleteConversation(conversation=key))
                for who in self.people:
                    self.waiting.pop((place.ref.number, who.id), None)
            case "see" | "forget":
                page = await request(me, ask.ListNotifications())
                if page.items:
                    one = page.items[step.which % len(page.items)]
                    command = ask.ReadNotification if step.what == "see" else ask.DeleteNotification
                    await request(me, command(notification=Key(one.ref.number)))
                    if one.type == "message" and not one.read:
                        self.waiting.pop((one.related.number, me.id), None)
            case "see all":
                await request(me, ask.ReadNotifications())
                for conversation, user in list(self.waiting):
                    if user == me.id:
                        del self.waiting[conversation, user]
            case "add":
                await request(me, ask.AddMember(conversation=key, user=other))
            case "remove":
                await request(me, ask.RemoveMember(conversation=key, user=other))
                self.waiting.pop((place.ref.number, other.number), None)
            case "notify":
                await request(self.people[0], ask.CreateNotification(user=other, title="x"))
            case "broadcast":
                await request(self.people[0], ask.Broadcast(title="x"))

    async def notify_others(self, message: Message) -> None:
        """Note the members without a socket in the room: they must be notified."""
        number = message.conversation.number
        refs = await self.app.database.read(lambda tx: conversations.member_refs(tx, [number]))
        watching = {subscriber.user for subscriber in self.app.broker.subscribers((JOINED, number))}
        for user in {ref.number for ref in refs[number]} - watching - {message.sender.ref.number}:
            self.waiting.setdefault((number, user), set()).add(message.ref.number)

    async def read_or_delete(self, what: str, me: Actor, message: Message) -> None:
        number, key = message.conversation.number, Key(message.ref.number)
        if what == "delete":
            await self.app.request(me, ask.DeleteMessage(message=key))
            self.with_deletions.add(number)
            return
        await self.app.request(me, ask.ReadMessage(message=key))
        waiting = self.waiting.get((number, me.id), set())
        waiting -= {one for one in waiting if one <= key.number}

    async def check(self) -> None:
        """Every device last received the count that the store computes from scratch."""
        await self.app.settle()
        for me, devices in zip(self.people, self.devices, strict=True):
            count = await self.app.database.read(partial(notifications.count, user=me.id))
            about = await self.app.database.read(partial(view_intervals.notified_messages, user=me.id))
            expected = {number for (number, user), waiting in self.waiting.items() if user == me.id and waiting}
            assert set(about) - self.with_deletions == expected - self.with_deletions
            received = [device.last("notification:count") for device in devices]
            assert received == [{"count": count}] * len(devices)
            await self.check_unread(me)

    async def check_unread(self, me: Actor) -> None:
        def scratch(tx: Any) -> Any:
            return users.unread(ServiceContext(tx, me, ServiceRules()), ask.GetUnread())

        counts = self.app.online_users.unread(me.id)
        assert counts is None or counts == await self.app.database.read(scratch)


async def run_steps(folder: Path, steps: list[Step]) -> None:
    async with serverless_app(folder, grace=0.0) as app:
        people = [await app.add_user(f"p{n}", admin=n == 0) for n in range(PEOPLE)]
        members = tuple(Key(one.id) for one in people)
        places = [
            await app.request(people[0], ask.CreateConversation(kind="group", members=members)),
            await app.request(people[1], ask.CreateConversation(kind="group", members=members[:2])),
            await app.request(people[1], ask.CreateConversation(kind="private", members=members[2:])),
        ]
        run = Run(app, people, places)
        for step in steps:
            await run.do(step)
            await run.check()


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
@example(steps=[Step("enter", 1, 0, 0), Step("send", 0, 0, 0), Step("close", 0, 0, 0)])
@example(steps=[Step("send", 0, 0, 0), Step("enter", 1, 0, 0), Step("delete", 0, 0, 0)])
async def test_received_counts_equal_those_from_scratch_after_every_step(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await run_steps(Path(folder), steps)
